//! When certificates are ordered, and how often it is tried.

use proptest::prelude::*;

use super::*;

const DAY: i64 = 24 * 60 * 60;

#[test]
fn a_certificate_is_renewed_after_two_thirds_of_its_life_however_long_that_is() {
    let attempts = Attempts::default();
    assert_eq!(attempts.due(Some((0, 90 * DAY))), 60 * DAY);
    assert_eq!(attempts.due(Some((0, 6 * DAY))), 4 * DAY);
    assert_eq!(attempts.due(None), 0);
}

#[test]
fn the_authority_may_want_it_earlier_or_later_but_not_after_the_end() {
    let asked = |at| Attempts { renew_at: Some(at), ..Attempts::default() };
    assert_eq!(asked(DAY).due(Some((0, 90 * DAY))), DAY);
    assert_eq!(asked(80 * DAY).due(Some((0, 90 * DAY))), 80 * DAY);
    assert_eq!(asked(99 * DAY).due(Some((0, 90 * DAY))), 90 * DAY);
}

#[test]
fn what_fails_is_tried_in_another_way_and_after_a_longer_time() {
    let (mut attempts, pace) = (Attempts::default(), Pace::default());
    let mut waits = Vec::new();
    let mut ways = Vec::new();
    for _ in 0..12 {
        ways.push(attempts.way(2));
        attempts.failed(1000, false, "no".into(), &pace, 0);
        waits.push(attempts.not_before - 1000);
    }
    assert_eq!(waits[..4], [300, 600, 1200, 2400]);
    assert_eq!(waits[11], DAY);
    assert_eq!(ways[..4], [0, 1, 0, 1]);
    // A certificate that still works does not make it any faster.
    assert_eq!(attempts.due(Some((0, 1))), attempts.not_before);
    attempts.succeeded();
    assert_eq!(attempts, Attempts::default());
}

#[test]
fn who_asked_too_much_waits_for_an_hour_at_least() {
    let mut attempts = Attempts::default();
    attempts.failed(0, true, "rate limited".into(), &Pace::default(), 0);
    assert_eq!(attempts.not_before, 3600);
}

proptest! {
    #[test]
    fn no_wait_is_longer_than_the_longest_and_a_tenth(failures in 0..100_u32, chance in 0..2000_u32) {
        let mut attempts = Attempts { failures, ..Attempts::default() };
        attempts.failed(0, false, String::new(), &Pace::default(), chance);
        prop_assert!((300..=DAY + DAY / 10).contains(&attempts.not_before));
    }
}
