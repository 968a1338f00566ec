//! When scheduled services are due, across changes of the clocks.
//!
//! Berlin 2026: 29 March 02:00 becomes 03:00 (01:00 UTC); 25 October 03:00 becomes 02:00 (01:00 UTC).

use jiff::Timestamp;
use remuda_config::schedule::{check, next};
use remuda_model::{Overlap, Schedule};

fn schedule(cron: &str, zone: &str) -> Schedule {
    Schedule { cron: cron.into(), timezone: Some(zone.into()), overlap: Overlap::Skip }
}

/// The next runs after a time, in UTC.
fn runs(cron: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let schedule = schedule(cron, zone);
    check(&schedule).expect("a valid schedule");
    let mut now: Timestamp = after.parse().expect("a time");
    let mut found = Vec::new();
    while found.len() < count {
        now = next(&schedule, now).expect("another run");
        found.push(now.to_string());
    }
    found
}

#[test]
fn a_daily_run_follows_the_wall_clock() {
    let found = runs("0 3 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z", 3);
    assert_eq!(found, ["2026-03-28T02:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T01:00:00Z"]);
}

#[test]
fn a_skipped_time_runs_at_the_end_of_the_gap_once() {
    let found = runs("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2);
    assert_eq!(found, ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]);
    let found = runs("*/20 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2);
    assert_eq!(found, ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"]);
}

#[test]
fn a_repeated_time_runs_once() {
    let found = runs("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2);
    assert_eq!(found, ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
}

#[test]
fn a_repeated_time_does_not_run_again_when_asked_in_between() {
    let found = runs("30 2 * * *", "Europe/Berlin", "2026-10-25T00:45:00Z", 1);
    assert_eq!(found, ["2026-10-26T01:30:00Z"]);
}

#[test]
fn what_runs_every_hour_keeps_its_pace() {
    let found = runs("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:10:00Z", 5);
    let expected = [
        "2026-10-25T00:30:00Z",
        "2026-10-25T01:00:00Z",
        "2026-10-25T01:30:00Z",
        "2026-10-25T02:00:00Z",
        "2026-10-25T02:30:00Z",
    ];
    assert_eq!(found, expected);
    let found = runs("30 * * * *", "Europe/Berlin", "2026-03-29T00:10:00Z", 2);
    assert_eq!(found, ["2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"]);
}

#[test]
fn seconds_nicknames_and_leap_days_are_known() {
    assert_eq!(runs("*/10 * * * * *", "UTC", "2026-01-01T00:00:05Z", 1), ["2026-01-01T00:00:10Z"]);
    assert_eq!(runs("@monthly", "UTC", "2026-01-01T00:00:00Z", 1), ["2026-02-01T00:00:00Z"]);
    assert_eq!(runs("0 0 29 2 *", "Europe/Berlin", "2026-01-01T00:00:00Z", 1), ["2028-02-28T23:00:00Z"]);
    assert_eq!(runs("0 * 29 2 *", "Europe/Berlin", "2026-01-01T00:00:00Z", 1), ["2028-02-28T23:00:00Z"]);
}

#[test]
fn a_day_that_never_comes_has_no_run() {
    let after = Timestamp::UNIX_EPOCH;
    assert_eq!(next(&schedule("0 0 31 2 *", "UTC"), after), None);
}

#[test]
fn bad_expressions_and_zones_are_refused() {
    for cron in ["", "* * * *", "61 * * * *", "a b c d e", "* * * * * * *", "@often"] {
        assert!(check(&schedule(cron, "UTC")).is_err(), "{cron}");
    }
    assert!(check(&schedule("@daily", "Mars/Olympus")).is_err());
}
