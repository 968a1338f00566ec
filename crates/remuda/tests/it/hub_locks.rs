//! Locks of the hub: over both protocols, across crashes and reloads, and from the command line.

mod away;
mod command;
pub(crate) mod contenders;
mod disk;
mod herd;
mod lives;
mod protocol;

use crate::harness::Instance;
use crate::hub_durability::Wire;

/// A hub whose store is on no disk: locks are, all the same.
const HUB: &str = "[bus]\n[store]\ndurable = false\n[hub]\nstate = \"state\"\n";

/// Asks for a lock and gets it.
#[track_caller]
pub(crate) fn acquire(wire: &mut Wire, words: &str) -> u64 {
    fence(&wire.ask(&format!("LOCK.ACQUIRE {words}")))
}

/// A fence, as it is answered.
#[track_caller]
pub(crate) fn fence(line: &str) -> u64 {
    line.strip_prefix(':').unwrap_or_else(|| panic!("{line}")).parse().unwrap()
}

/// Waits until so many wait for a lock.
fn until_waiting(instance: &Instance, name: &str, count: u64) {
    let mut wire = Wire::new(instance);
    crate::harness::until("somebody who waits for the lock", || waiting(&mut wire, name) == count);
}

fn waiting(wire: &mut Wire, name: &str) -> u64 {
    if wire.ask(&format!("LOCK.INFO {name}")) != "*14" {
        return 0;
    }
    let mut lines = Vec::new();
    while lines.len() < 7 {
        // The name of a field, then its value.
        wire.line();
        wire.line();
        let head = wire.line();
        lines.push(match head.strip_prefix(':') {
            Some(number) => number.to_owned(),
            None => wire.line(),
        });
    }
    lines[5].parse().unwrap()
}
