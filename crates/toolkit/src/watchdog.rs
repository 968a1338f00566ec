//! A sign of life that means something.
//!
//! A daemon whose main thread pings the supervisor proves only that its main thread is alive. Here every loop that
//! matters holds a [`Pulse`] and beats it as it works; the daemon passes the ping on only while nobody is silent for
//! longer than he said he would be. A loop that hangs thus starves the watchdog, and the supervisor does what it was
//! told to do with a hung process.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// In place of a last beat: the loop rests, and nothing is expected of it.
const RESTING: u64 = u64::MAX;
/// In place of a last beat: the loop has given its pulse up.
const GONE: u64 = u64::MAX - 1;

/// Watches over pulses; clones share them.
#[derive(Debug, Clone)]
pub struct Watchdog {
    origin: Instant,
    beats: Arc<Mutex<Vec<Arc<Beat>>>>,
}

#[derive(Debug)]
struct Beat {
    name: String,
    within: Duration,
    /// Milliseconds since the watchdog's origin, or [`RESTING`], or [`GONE`].
    last: AtomicU64,
}

/// One loop's sign of life. Dropped, nothing is expected any more: that a loop *ended* is the daemon's business.
#[derive(Debug)]
pub struct Pulse {
    origin: Instant,
    beat: Arc<Beat>,
}

/// A loop that is silent for longer than it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Starving {
    /// Its name.
    pub name: String,
    /// Silent for so long.
    pub silent: Duration,
    /// It had said it would not be silent for longer than this.
    pub within: Duration,
}

impl Default for Watchdog {
    fn default() -> Self {
        Self::new()
    }
}

impl Watchdog {
    /// Watches over nobody yet.
    #[must_use]
    pub fn new() -> Self {
        Self { origin: Instant::now(), beats: Arc::default() }
    }

    fn beats(&self) -> MutexGuard<'_, Vec<Arc<Beat>>> {
        self.beats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A pulse for the loop `name`, which beats at least every `within`. It rests until its first beat.
    #[must_use]
    pub fn pulse(&self, name: &str, within: Duration) -> Pulse {
        let beat = Arc::new(Beat { name: name.into(), within, last: AtomicU64::new(RESTING) });
        self.beats().push(Arc::clone(&beat));
        Pulse { origin: self.origin, beat }
    }

    /// Who is silent at `now` for longer than he said. Empty: all is well.
    #[must_use]
    pub fn starving(&self, now: Instant) -> Vec<Starving> {
        let now = now.saturating_duration_since(self.origin);
        let mut starving = Vec::new();
        self.beats().retain(|beat| {
            let last = beat.last.load(Ordering::Relaxed);
            let silent = now.saturating_sub(Duration::from_millis(last));
            if last < GONE && silent > beat.within {
                starving.push(Starving { name: beat.name.clone(), silent, within: beat.within });
            }
            last != GONE
        });
        starving
    }
}

impl Pulse {
    /// I am alive.
    pub fn beat(&self) {
        let millis = u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(0);
        self.beat.last.store(millis, Ordering::Relaxed);
    }

    /// I go and wait for something that may take any time; expect nothing until I [`beat`](Self::beat) again.
    pub fn rest(&self) {
        self.beat.last.store(RESTING, Ordering::Relaxed);
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.beat.last.store(GONE, Ordering::Relaxed);
    }
}
