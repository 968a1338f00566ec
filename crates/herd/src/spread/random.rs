//! Randomness from a seed: jitter, and which stranger to get to know.

use std::time::Duration;

use remuda_model::split_mix;

/// A sequence of numbers that its seed decides.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        split_mix(&mut self.0)
    }

    /// A number in `0..span`; 0 when there is none.
    pub(crate) fn below(&mut self, span: usize) -> usize {
        let span = u64::try_from(span).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % span).unwrap_or(0)
    }

    /// Between half of `duration` and all of it.
    pub(crate) fn jitter(&mut self, duration: Duration) -> Duration {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let half = micros / 2;
        Duration::from_micros(half + self.next() % (micros - half).max(1))
    }

    /// Takes up to `count` of `from`, in random order.
    pub(crate) fn take<T>(&mut self, mut from: Vec<T>, count: usize) -> Vec<T> {
        let mut taken = Vec::with_capacity(count.min(from.len()));
        while taken.len() < count && !from.is_empty() {
            taken.push(from.swap_remove(self.below(from.len())));
        }
        taken
    }
}
