//! What one subscriber saw: every message once, in order, or else exactly how not.

/// Sequence number of a message that only finds out whether a subscription works.
pub(crate) const PROBE: u64 = u64::MAX;
/// Sequence number of the message after the last probe.
pub(crate) const MARK: u64 = u64::MAX - 1;

/// What one subscriber saw.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// The number after the highest seen: how far this subscriber is.
    pub(crate) next: u64,
    /// Messages that came in order.
    pub(crate) received: u64,
    /// Numbers that were passed over.
    pub(crate) lost: u64,
    /// Messages behind the highest number: repeated, or late after they were counted as lost.
    pub(crate) misordered: u64,
    /// Whether a probe came.
    pub(crate) probed: bool,
    /// Whether the end of the probes came.
    pub(crate) marked: bool,
}

impl Tally {
    /// Counts a message by its sequence number.
    #[inline]
    pub(crate) fn count(&mut self, sequence: u64) {
        if sequence == self.next {
            self.next += 1;
            self.received += 1;
        } else {
            self.count_unexpected(sequence);
        }
    }

    fn count_unexpected(&mut self, sequence: u64) {
        match sequence {
            PROBE => self.probed = true,
            MARK => self.marked = true,
            ahead if ahead > self.next => {
                self.lost += ahead - self.next;
                self.received += 1;
                self.next = ahead + 1;
            }
            _ => self.misordered += 1,
        }
    }

    /// Everything that was published and did not come: gaps, and what is missing at the end.
    pub(crate) fn missing(&self, published: u64) -> u64 {
        self.lost + published.saturating_sub(self.next)
    }
}

#[cfg(test)]
mod tests;
