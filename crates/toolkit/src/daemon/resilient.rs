//! A loop that survives its errors and panics.

use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::AnyError;
use super::crew::words;
use super::error::chain;
use crate::backoff::Backoff;
use crate::quit::Quit;

/// Different in every process and loop, so that daemons do not come back in step.
pub(super) fn seed() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

/// Runs `body` every `every` until `quit` is asked.
pub(super) fn run(
    every: Duration,
    mut backoff: Backoff,
    body: &mut dyn FnMut(&Quit) -> Result<(), AnyError>,
    quit: &Quit,
) {
    let mut born = Instant::now();
    while !quit.is_asked() {
        let start = Instant::now();
        // A body that panicked is called again: what it left half done it finds half done, as it would after an error.
        let trouble = match catch_unwind(AssertUnwindSafe(|| body(quit))) {
            Ok(Ok(())) => {
                quit.wait(every.saturating_sub(start.elapsed()));
                continue;
            }
            Ok(Err(error)) => format!("failed: {}", chain(&*error)),
            Err(payload) => format!("panicked: {}", words(&*payload)),
        };
        let delay = backoff.failed(born.elapsed());
        if quit.is_asked() {
            log::warn!("{trouble}; not tried again, the daemon quits");
            return;
        }
        log::warn!("{trouble}; failure {} in a row, next try in {delay:.1?}", backoff.failures());
        quit.wait(delay);
        born = Instant::now();
    }
}
