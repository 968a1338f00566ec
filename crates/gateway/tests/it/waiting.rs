//! Waiting for what nothing tells of: it is looked at again and again, and not for ever.

use std::time::{Duration, Instant};

use crate::support::PATIENCE;

/// Between two looks: short beside what a test takes, long beside a look.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Looks until it is so; fails with `what` was waited for.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(LOOK_EVERY);
    }
}
