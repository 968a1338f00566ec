//! Randomness from a seed, for jitter.

use std::time::Duration;

use remuda_model::split_mix;
use serde::{Deserialize, Serialize};

/// A sequence of numbers that its seed decides.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        split_mix(&mut self.0)
    }

    /// A number in `0..=most`.
    pub(crate) fn up_to(&mut self, most: u64) -> u64 {
        match most.checked_add(1) {
            Some(span) => self.next() % span,
            None => self.next(),
        }
    }

    /// Between half of `duration` and all of it: enough spread to part a crowd, and the order of delays stays.
    pub(crate) fn equal_jitter(&mut self, duration: Duration) -> Duration {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let half = millis / 2;
        Duration::from_millis(half + self.up_to(millis - half))
    }
}
