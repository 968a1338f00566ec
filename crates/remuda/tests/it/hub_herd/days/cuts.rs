//! Links that are cut: unplugged, or silent.

use super::super::five::{Five, LINKS};
use super::super::ground::Cut;
use super::super::traffic::Traffic;
use super::all_is_well;
use crate::harness::until;

/// Cuts each link and mends it, then cuts so many that the herd falls into one server, two and two.
fn cut_and_mend(cut: Cut) {
    let five = Five::up();
    let traffic = Traffic::begin(&five.hubs());
    for link in 0..LINKS.len() {
        five.cut(link, cut);
        until("the link to be given up", || five.is_given_up(link));
        five.mend(link);
    }
    let between = [0, 1, 2, 4, 5, 6];
    for link in between {
        five.cut(link, cut);
    }
    until("the links to be given up", || between.into_iter().all(|link| five.is_given_up(link)));
    traffic.goes_on();
    for link in between {
        five.mend(link);
    }
    all_is_well(&five, traffic);
    five.servers.end();
}

#[test]
fn each_link_is_unplugged_and_nobody_misses_anything() {
    cut_and_mend(Cut::Down);
}

#[test]
fn each_link_falls_silent_and_nobody_misses_anything() {
    cut_and_mend(Cut::Silent);
}
