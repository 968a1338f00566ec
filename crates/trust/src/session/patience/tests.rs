//! Attempts become rare while they do not pay, and never stop.

use super::{PASSED_MAX, Patience};

/// Numbers of the frames, of so many, that are tried while `pays` says whether that is worth it.
fn tried(patience: &mut Patience, frames: u32, pays: impl Fn(u32) -> bool) -> Vec<u32> {
    let is_tried = |frame: &u32| {
        let is_over = patience.is_over();
        if is_over {
            patience.learn(pays(*frame));
        }
        is_over
    };
    (0..frames).filter(is_tried).collect()
}

#[test]
fn what_pays_is_tried_each_time() {
    assert_eq!(tried(&mut Patience::default(), 100, |_| true).len(), 100);
}

#[test]
fn what_does_not_pay_is_tried_ever_less_and_never_given_up() {
    let mut patience = Patience::default();
    assert_eq!(tried(&mut patience, 70, |_| false), [0, 2, 5, 10, 19, 36, 69]);
    let later = tried(&mut patience, PASSED_MAX * 10, |_| false);
    assert!((9..=10).contains(&later.len()), "{} attempts", later.len());
    let paid = tried(&mut patience, PASSED_MAX * 2, |_| true);
    assert!(paid.len() > 30, "once it pays it is tried each time: {}", paid.len());
}
