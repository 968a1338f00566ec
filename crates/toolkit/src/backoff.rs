//! How long to wait before what failed is tried again.
//!
//! The wait doubles with every failure in a row, up to a cap, and is spread over its upper half ("equal jitter"): a
//! hundred daemons that lost the same server do not come back in the same millisecond, and yet a later try never
//! waits less than half of what the doubling says. A healthy life ends the row of failures. The machine is pure: it
//! is told how long a life was and answers how long to wait; clock, sleep and seed are the caller's.

use std::time::Duration;

use remuda_model::split_mix;

#[cfg(test)]
mod tests;

/// Doublings after which any base has reached any cap a program means (100 ms become 13 years).
const DOUBLINGS_LIMIT: u32 = 32;

/// The delay between tries: equal jitter, 100 ms doubling to 60 s, reset by a life of 10 s, unless told otherwise.
#[derive(Debug, Clone)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
    healthy_after: Duration,
    failures: u32,
    random: u64,
}

impl Backoff {
    /// The defaults, with jitter from `seed`. Processes that should not move in step need different seeds; a test
    /// wants the same one.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            base: Duration::from_millis(100),
            cap: Duration::from_secs(60),
            healthy_after: Duration::from_secs(10),
            failures: 0,
            random: seed,
        }
    }

    /// The delay the doubling begins with. Default 100 ms; zero makes every delay zero.
    #[must_use]
    pub fn base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// The longest delay. Default 60 s. Less than the base wins over the base.
    #[must_use]
    pub fn cap(mut self, cap: Duration) -> Self {
        self.cap = cap;
        self
    }

    /// A life at least this long ends the row of failures. Default 10 s.
    #[must_use]
    pub fn healthy_after(mut self, healthy_after: Duration) -> Self {
        self.healthy_after = healthy_after;
        self
    }

    /// It failed after it had lived for `lived` since it was last (re)started: so long to wait before the next try.
    pub fn failed(&mut self, lived: Duration) -> Duration {
        if lived >= self.healthy_after {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        let doublings = (self.failures - 1).min(DOUBLINGS_LIMIT);
        let factor = 1_u64.checked_shl(doublings).unwrap_or(u64::MAX);
        let nanos = self.base.as_nanos().saturating_mul(u128::from(factor)).min(self.cap.as_nanos());
        let nanos = u64::try_from(nanos).unwrap_or(u64::MAX);
        let half = nanos / 2;
        Duration::from_nanos(half + self.up_to(nanos - half))
    }

    /// Failures in the present row.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Ends the row of failures: the next delay is the first one again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// A number in `0..=most`.
    fn up_to(&mut self, most: u64) -> u64 {
        let mixed = split_mix(&mut self.random);
        most.checked_add(1).map_or(mixed, |span| mixed % span)
    }
}
