//! Pulses that beat, rest and stop.

use std::time::{Duration, Instant};

use super::Watchdog;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_loop_that_stops_beating_starves_the_watchdog_and_is_named() {
    let watchdog = Watchdog::new();
    let serve = watchdog.pulse("serve", SECOND);
    let flush = watchdog.pulse("flush", 60 * SECOND);
    serve.beat();
    flush.beat();
    assert_eq!(watchdog.starving(Instant::now()), []);
    let later = watchdog.starving(Instant::now() + 5 * SECOND);
    assert_eq!(later.len(), 1);
    assert!(later[0].name == "serve" && later[0].silent > 4 * SECOND && later[0].within == SECOND);
}

#[test]
fn nothing_is_expected_of_who_rests_has_not_begun_or_is_gone() {
    let watchdog = Watchdog::new();
    let serve = watchdog.pulse("serve", SECOND);
    let later = Instant::now() + 60 * SECOND;
    assert_eq!(watchdog.starving(later), []);
    serve.beat();
    assert_eq!(watchdog.starving(later).len(), 1);
    serve.rest();
    assert_eq!(watchdog.starving(later), []);
    serve.beat();
    drop(serve);
    assert_eq!(watchdog.starving(later), []);
    assert_eq!(watchdog.beats().len(), 0, "who is gone is forgotten");
}
