//! How often somebody may try a wrong token: some times at once, then once in a while.

use std::time::{Duration, Instant};

/// Wrong tokens at once: who mistypes is not kept.
const BURST: u32 = 10;
/// After these, one in so long. 2^256 tokens are not tried in any case; this keeps those who try from costing anything.
const PAUSE: Duration = Duration::from_secs(2);

/// Wrong tokens so far. All of them together: on one machine all come from the same address.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    failed: u32,
    since: Option<Instant>,
}

impl Attempts {
    /// Whether another token may be tried.
    pub(crate) fn may_try(&mut self, now: Instant) -> bool {
        if let Some(since) = self.since {
            let over = now.saturating_duration_since(since).as_secs() / PAUSE.as_secs();
            let over = u32::try_from(over).unwrap_or(u32::MAX);
            if over > 0 {
                self.failed = self.failed.saturating_sub(over);
                self.since = (self.failed > 0).then_some(now);
            }
        }
        self.failed < BURST
    }

    /// One was wrong.
    pub(crate) fn failed(&mut self, now: Instant) {
        self.failed += 1;
        self.since.get_or_insert(now);
    }
}

#[cfg(test)]
mod tests;
