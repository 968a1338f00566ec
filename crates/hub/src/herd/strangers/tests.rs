//! Who has to go when strangers are too many.

use std::net::SocketAddr;

use super::*;

fn from(address: &str) -> Remote {
    Remote::Internet(SocketAddr::new(address.parse().unwrap(), 1))
}

fn key(number: u64) -> Key {
    Key::from_number(number)
}

/// `count` strangers of one source, numbered from `first` on; all have places.
fn crowd(strangers: &mut Strangers, address: &str, first: u64, count: usize) {
    for number in (first..).take(count) {
        assert_eq!(strangers.came(key(number), &from(address)), None);
    }
}

#[test]
fn of_too_many_from_one_source_the_one_that_was_silent_longest_goes() {
    let mut strangers = Strangers::default();
    crowd(&mut strangers, "10.0.0.1", 1, FROM_ONE_MAX);
    strangers.spoke(key(1));
    assert_eq!(strangers.came(key(100), &from("10.0.0.1")), Some(key(2)));
    assert_eq!(strangers.came(key(101), &from("10.0.0.2")), None);
    for number in 3..200 {
        strangers.spoke(key(number));
    }
    assert_eq!(strangers.came(key(102), &from("::ffff:10.0.0.1")), Some(key(1)), "all have spoken");
    assert_eq!(strangers.count(), FROM_ONE_MAX + 1);
}

#[test]
fn who_is_known_or_gone_has_no_place_among_them() {
    let mut strangers = Strangers::default();
    crowd(&mut strangers, "10.0.0.1", 1, FROM_ONE_MAX);
    strangers.left(key(7));
    assert_eq!(strangers.came(key(100), &from("10.0.0.1")), None);
    assert_eq!(strangers.came(key(101), &from("10.0.0.1")), Some(key(1)));
}

#[test]
fn a_crowd_makes_room_for_one_from_elsewhere() {
    let mut strangers = Strangers::default();
    crowd(&mut strangers, "10.0.0.1", 1, FROM_ONE_MAX);
    for number in 0..(STRANGERS_MAX - FROM_ONE_MAX) as u64 {
        strangers.came(key(100 + number), &from(&format!("10.0.1.{number}")));
    }
    assert_eq!(strangers.count(), STRANGERS_MAX);
    assert_eq!(strangers.came(key(200), &from("10.0.2.1")), Some(key(1)));
    assert_eq!(strangers.count(), STRANGERS_MAX);
}

#[test]
fn all_addresses_of_a_network_of_the_sixth_version_are_one_source() {
    let mut strangers = Strangers::default();
    for number in 0..FROM_ONE_MAX as u64 {
        assert_eq!(strangers.came(key(number), &from(&format!("2001:db8::{number:x}"))), None);
    }
    assert_eq!(strangers.came(key(100), &from("2001:db8::ffff")), Some(key(0)));
    assert_eq!(strangers.came(key(101), &from("2001:db8:0:1::1")), None);
}
