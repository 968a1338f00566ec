//! Lines about peers, kept from becoming a flood: whoever connects with nonsense in a loop must not fill the log.

use remuda_model::Tick;

/// Lines in one span of time; the next says how many were left out.
const LINES_MAX: u64 = 20;
/// That span, in milliseconds.
const SPAN_MS: u64 = 1_000;

/// What was said lately.
#[derive(Debug, Default)]
pub(crate) struct Chatter {
    since: Option<Tick>,
    said: u64,
    left_out: u64,
}

impl Chatter {
    /// Whether another line may be said at `now`; with how many were left out before it.
    pub(crate) fn admit(&mut self, now: Tick) -> Option<u64> {
        let is_over = self.since.is_none_or(|since| now.since(since).as_millis() >= u128::from(SPAN_MS));
        if is_over {
            (self.since, self.said) = (Some(now), 0);
        }
        if self.said >= LINES_MAX {
            self.left_out += 1;
            return None;
        }
        self.said += 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

#[cfg(test)]
mod tests;
