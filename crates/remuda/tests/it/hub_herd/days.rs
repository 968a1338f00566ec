//! The herd's bad days: five real servers with clients that never rest, and what happens to them.
//!
//! After each day all is mended, and then: everybody hears everybody; each server finds by `remuda herd check` that it has
//! the same keys as all the others; what subscribers heard is in order, nothing came twice, and nothing is missing but
//! what was counted; and the store holds what follows from what clients were told ([`Ledger`](super::ledger::Ledger)).

mod clocks;
mod cuts;
mod disks;
mod kills;
mod rogues;
mod upgrades;

use super::five::Five;
use super::keys::are_equal;
use super::traffic::Traffic;

/// All is mended: what the day must not have changed.
#[track_caller]
fn all_is_well(five: &Five, traffic: Traffic) {
    five.is_whole();
    let ledger = traffic.end(|| five.counted_as_lost());
    are_equal(&five.servers);
    for hub in five.hubs() {
        ledger.check(&mut hub.store());
    }
    let acknowledged = ledger.acknowledged();
    println!(
        "{acknowledged} commands were acknowledged; {} messages counted as lost",
        five.counted_as_lost()
    );
    assert!(acknowledged > 100, "only {acknowledged} commands were acknowledged");
}
