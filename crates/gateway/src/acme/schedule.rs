//! When a certificate is ordered.
//!
//! After two thirds of a certificate's life, or when the authority says so (ARI, RFC 9773): a fixed number of days before
//! its end would be too late for certificates of six days and too early for no reason for others. What failed is tried again
//! after a time that doubles, and a little more, so that not all who failed together come again together.

use std::time::Duration;

use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// How fast things are tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// From one look whether something is to be done to the next, and at the lock. Default 10 s.
    pub look: Duration,
    /// After the first failure; doubled for each further one. Default 5 min: authorities take five failures an hour.
    pub retry: Duration,
    /// The longest time between two attempts. Default 24 h.
    pub retry_max: Duration,
    /// After the authority said that it is too much. Default 1 h.
    pub limited: Duration,
    /// How long one order may take. Default 5 min.
    pub order: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            look: Duration::from_secs(10),
            retry: Duration::from_secs(5 * 60),
            retry_max: Duration::from_secs(24 * 60 * 60),
            limited: Duration::from_secs(60 * 60),
            order: Duration::from_secs(5 * 60),
        }
    }
}

/// What came of attempts for one host; times are Unix seconds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Attempts {
    /// Failures in a row.
    pub(super) failures: u32,
    /// Nothing is tried before.
    pub(super) not_before: i64,
    /// Why the last failed.
    pub(super) problem: Option<String>,
    /// When the authority wants the certificate renewed.
    pub(super) renew_at: Option<i64>,
    /// When it is to be asked again.
    pub(super) ask_at: i64,
}

impl Attempts {
    /// When the next order is due, with a certificate that holds `from` .. `until`, or none.
    pub(super) fn due(&self, certificate: Option<(i64, i64)>) -> i64 {
        let Some((from, until)) = certificate else { return self.not_before };
        let two_thirds = from.saturating_add(until.saturating_sub(from) / 3 * 2);
        // The authority may want it earlier or later, but not after its end.
        let wanted = self.renew_at.unwrap_or(two_thirds).min(until);
        wanted.max(self.not_before)
    }

    /// It failed at `now`; `chance` is one of 0..1000.
    pub(super) fn failed(&mut self, now: i64, is_limited: bool, problem: String, pace: &Pace, chance: u32) {
        let doubled = pace.retry.saturating_mul(1_u32.checked_shl(self.failures.min(30)).unwrap_or(u32::MAX));
        let mut wait = doubled.min(pace.retry_max);
        if is_limited {
            wait = wait.max(pace.limited);
        }
        // A tenth more at most.
        wait = wait.saturating_add(wait / 10 * chance.min(1000) / 1000);
        self.failures = self.failures.saturating_add(1);
        self.not_before = now.saturating_add(i64::try_from(wait.as_secs()).unwrap_or(i64::MAX));
        self.problem = Some(problem);
    }

    /// Which of `many` ways is to be tried: another one after each failure.
    pub(super) fn way(&self, many: usize) -> usize {
        usize::try_from(self.failures).unwrap_or(0) % many.max(1)
    }

    /// It was issued.
    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }
}
