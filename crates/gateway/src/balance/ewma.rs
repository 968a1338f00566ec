//! What a member's answers took of late, at their worst.
//!
//! A mean hides that a member has just become slow. So a slower answer counts at once and as a whole, and what was slow
//! is forgotten with time (Finagle's peak EWMA).

use std::time::Duration;

use super::Moment;

/// In this time two thirds of what was are forgotten.
const TAU: Duration = Duration::from_secs(10);

/// What a member without any answer yet is taken to need, in seconds: that of a good one, so that it is tried.
const UNKNOWN: f64 = 0.000_1;

/// Peak-sensitive, exponentially weighted moving average of durations.
#[derive(Debug, Clone, Copy, Default)]
pub struct PeakEwma {
    seconds: f64,
    at: Moment,
}

impl PeakEwma {
    /// Takes the duration of an answer in.
    pub fn record(&mut self, now: Moment, took: Duration) {
        let took = took.as_secs_f64();
        let old = self.decay(now);
        self.seconds = if took >= self.seconds { took } else { self.seconds * old + took * (1.0 - old) };
        self.at = self.at.max(now);
    }

    /// Seconds an answer is to be expected to take. A member nobody asks becomes better with time, and is tried again.
    #[must_use]
    pub fn seconds(&self, now: Moment) -> f64 {
        (self.seconds * self.decay(now)).max(UNKNOWN)
    }

    fn decay(&self, now: Moment) -> f64 {
        (-now.since(self.at).as_secs_f64() / TAU.as_secs_f64()).exp()
    }
}
