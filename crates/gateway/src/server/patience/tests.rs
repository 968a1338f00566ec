//! What is too long, and who is woken for it.

use std::time::Duration;

use super::{Limits, Patience, SWEEP_EVERY, Waiting, is_too_long};

fn sweeps(time: Duration) -> u32 {
    u32::try_from(time.as_millis() / SWEEP_EVERY.as_millis()).unwrap()
}

#[test]
fn each_wait_has_the_time_its_limit_says() {
    let limits = Limits::default();
    let last = |waiting, bytes, is_draining| {
        (1..1000)
            .find(|sweeps| is_too_long(waiting, *sweeps, bytes, &limits, is_draining))
            .map(|sweeps| sweeps - 1)
    };
    assert_eq!(last(Waiting::Request, 0, false), Some(sweeps(limits.idle_within)));
    assert_eq!(last(Waiting::Request, 0, true), Some(sweeps(limits.idle_grace)));
    assert_eq!(last(Waiting::First, 0, false), Some(sweeps(limits.head_within)));
    assert_eq!(last(Waiting::First, 0, true), Some(sweeps(limits.idle_grace)));
    assert_eq!(last(Waiting::Linger, 0, true), Some(sweeps(limits.linger)));
    assert_eq!(last(Waiting::Head, 0, true), Some(sweeps(limits.head_within)));
    assert_eq!(last(Waiting::Write, 0, true), Some(sweeps(limits.write_within)));
    assert_eq!(last(Waiting::Nothing, 0, true), None);
}

#[test]
fn a_body_needs_its_rate_once_the_grace_is_over() {
    let limits = Limits::default();
    let ten = sweeps(limits.body_grace);
    assert!(!is_too_long(Waiting::Body, ten, 0, &limits, false));
    assert!(is_too_long(Waiting::Body, ten + 1, 0, &limits, false));
    assert!(!is_too_long(Waiting::Body, ten + 1, 2400, &limits, false));
    assert!(is_too_long(Waiting::Body, 10 * ten, 240 * 100 - 1, &limits, false));
    assert!(!is_too_long(Waiting::Body, 10 * ten, 240 * 100, &limits, false));
}

#[test]
fn connections_leave_without_disturbing_others() {
    let patience = Patience::default();
    let all: Vec<_> = (0..5).map(|_| patience.admit()).collect();
    patience.dismiss(&all[1]);
    patience.dismiss(&all[4]);
    patience.dismiss(&all[0]);
    all[2].begin(Waiting::Request);
    all[3].begin(Waiting::Head);
    let limits = Limits { idle_within: Duration::ZERO, ..Limits::default() };
    patience.sweep(&limits, false);
    assert!(all[2].is_overdue.get() && !all[3].is_overdue.get() && !all[0].is_overdue.get());
    patience.dismiss(&all[2]);
    patience.dismiss(&all[3]);
    assert!(patience.waiters.borrow().is_empty());
}

#[test]
fn those_that_were_idle_for_longest_are_shed() {
    let patience = Patience::default();
    let old = patience.admit();
    old.begin(Waiting::Request);
    patience.sweep(&Limits::default(), false);
    let (new, busy) = (patience.admit(), patience.admit());
    new.begin(Waiting::Request);
    busy.begin(Waiting::Body);
    assert_eq!(patience.shed(1), 1);
    assert!(old.is_overdue.get() && !new.is_overdue.get());
    assert_eq!(patience.shed(9), 1);
    assert!(new.is_overdue.get() && !busy.is_overdue.get());
}

#[test]
fn a_writer_that_gets_on_has_its_time_anew() {
    let (patience, limits) = (Patience::default(), Limits { write_within: SWEEP_EVERY, ..Limits::default() });
    let waiter = patience.admit();
    waiter.begin(Waiting::Write);
    for _ in 0..10 {
        patience.sweep(&limits, false);
        assert!(!waiter.is_overdue.get());
        waiter.progress(1);
    }
    patience.sweep(&limits, false);
    patience.sweep(&limits, false);
    assert!(waiter.is_overdue.get());
}
