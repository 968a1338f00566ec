//! Randomness from a seed (SplitMix64, Steele, Lea and Flood 2014): jitter, and which stranger to get to know.

use std::time::Duration;

/// A sequence of numbers that its seed decides.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
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
