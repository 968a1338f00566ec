//! Messages on time, too late, too early, seen before, and too many.

use std::time::Duration;

use proptest::prelude::{prop, prop_assert, proptest};

use super::{Refused, ReplayWindow, ReplayWindowOptions};

const NOW: u64 = 1_000_000;

fn window() -> ReplayWindow {
    ReplayWindow::new(ReplayWindowOptions {
        nonces_max: 5,
        nonces_per_key_max: 3,
        ..ReplayWindowOptions::default()
    })
}

#[test]
fn a_message_is_taken_once() {
    let mut window = window();
    assert_eq!(window.accept(NOW, 1, NOW, [1; 16]), Ok(()));
    assert_eq!(window.accept(NOW, 1, NOW, [1; 16]), Err(Refused::Replayed));
    assert_eq!(window.accept(NOW, 1, NOW + 1, [1; 16]), Err(Refused::Replayed));
    assert_eq!(window.accept(NOW, 2, NOW, [1; 16]), Ok(()));
}

#[test]
fn the_window_is_thirty_seconds_on_both_sides_and_its_ends_belong_to_it() {
    let mut window = window();
    assert_eq!(window.accept(NOW, 1, NOW - 30_000, [1; 16]), Ok(()));
    assert_eq!(window.accept(NOW, 1, NOW + 30_000, [2; 16]), Ok(()));
    assert_eq!(window.accept(NOW, 1, NOW - 30_001, [3; 16]), Err(Refused::Late { late_ms: 1 }));
    assert_eq!(window.accept(NOW, 1, NOW + 30_001, [3; 16]), Err(Refused::Early { early_ms: 1 }));
}

#[test]
fn a_full_window_refuses_and_has_room_again_when_its_messages_are_too_old() {
    let mut window = window();
    for number in 0..3 {
        assert_eq!(window.accept(NOW, 1, NOW, [number; 16]), Ok(()));
    }
    assert_eq!(window.accept(NOW, 1, NOW, [9; 16]), Err(Refused::Full(3)));
    assert_eq!(window.accept(NOW, 2, NOW, [9; 16]), Ok(()));
    assert_eq!(window.accept(NOW, 3, NOW, [9; 16]), Ok(()));
    assert_eq!(window.accept(NOW, 4, NOW, [9; 16]), Err(Refused::Full(5)));
    assert_eq!(window.accept(NOW + 30_001, 4, NOW + 30_001, [9; 16]), Ok(()));
    assert_eq!(window.len(), 1);
}

#[test]
fn a_clock_set_forward_and_back_lets_no_old_message_in() {
    let mut window = window();
    assert_eq!(window.accept(NOW, 1, NOW, [1; 16]), Ok(()));
    assert_eq!(window.accept(NOW + 90_000, 1, NOW + 90_000, [2; 16]), Ok(()));
    assert_eq!(window.accept(NOW, 1, NOW, [1; 16]), Err(Refused::Late { late_ms: 1 }));
    assert_eq!(window.accept(NOW, 1, NOW + 1, [3; 16]), Ok(()));
}

#[test]
fn a_successor_knows_what_was_seen() {
    let mut first = window();
    assert_eq!(first.accept(NOW, 1, NOW, [1; 16]), Ok(()));
    let mut second = window();
    for (time, key, nonce) in first.remembered() {
        second.remember(time, key, nonce);
    }
    assert_eq!(second.accept(NOW + 1, 1, NOW, [1; 16]), Err(Refused::Replayed));
    assert_eq!(second.accept(NOW + 1, 2, NOW, [1; 16]), Ok(()));
}

#[test]
fn a_successor_takes_nothing_that_was_forgotten_before_it_or_by_it() {
    let mut first = window();
    assert_eq!(first.accept(NOW, 1, NOW, [1; 16]), Ok(()));
    assert_eq!(first.accept(NOW + 90_000, 1, NOW + 90_000, [2; 16]), Ok(()));
    let mut second = window();
    assert_eq!(first.forgotten_ms(), Some(NOW));
    first.forgotten_ms().into_iter().for_each(|time| second.forget_until(time));
    assert_eq!(
        second.accept(NOW, 1, NOW, [1; 16]),
        Err(Refused::Late { late_ms: 1 }),
        "the clock was set back"
    );

    let narrow = ReplayWindowOptions { nonces_per_key_max: 1, ..ReplayWindowOptions::default() };
    let mut third = ReplayWindow::new(narrow);
    third.remember(NOW, 1, [1; 16]);
    third.remember(NOW + 1, 1, [2; 16]);
    third.remember(NOW, 2, [1; 16]);
    assert_eq!(third.len(), 2, "one of each key");
    assert_eq!(third.accept(NOW + 2, 1, NOW + 1, [2; 16]), Err(Refused::Late { late_ms: 1 }));
    assert_eq!(third.accept(NOW + 2, 2, NOW + 2, [2; 16]), Err(Refused::Full(1)));
}

proptest! {
    #[test]
    fn no_message_is_taken_twice_whatever_the_clock_does_and_memory_is_bounded(
        steps in prop::collection::vec((0_u64..400, 0_u64..2, 0_u64..400, 0_u8..4), 0..200),
    ) {
        let options = ReplayWindowOptions { window: Duration::from_millis(30), nonces_max: 6, nonces_per_key_max: 4 };
        let mut window = ReplayWindow::new(options);
        let mut taken = std::collections::BTreeSet::new();
        for (now, key, timestamp, nonce) in steps {
            if window.accept(now, key, timestamp, [nonce; 16]).is_ok() {
                prop_assert!(taken.insert((key, timestamp, nonce)));
                prop_assert!(now.abs_diff(timestamp) <= 30);
            }
            prop_assert!(window.len() <= 6);
        }
    }
}
