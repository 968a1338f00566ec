//! When compressing is tried again after it has not paid.
//!
//! What cannot be made smaller costs as much to try as to encrypt. Neighbouring frames are mostly alike: after a frame that
//! did not become smaller some are sent as they are, twice as many each time, until one pays again.

/// Frames that go untried between two attempts, at most; 32. What becomes compressible is noticed after 2 MiB of messages.
const PASSED_MAX: u32 = 32;

/// How attempts went.
#[derive(Debug, Default)]
pub(super) struct Patience {
    /// Frames that are passed over before the next attempt.
    left: u32,
    /// How many were to be when the last attempt failed.
    passed: u32,
}

impl Patience {
    /// Whether the next frame is to be tried.
    pub(super) fn is_over(&mut self) -> bool {
        let is_over = self.left == 0;
        self.left = self.left.saturating_sub(1);
        is_over
    }

    /// An attempt has paid, or not.
    pub(super) fn learn(&mut self, has_paid: bool) {
        self.passed = if has_paid { 0 } else { (self.passed * 2).clamp(1, PASSED_MAX) };
        self.left = self.passed;
    }
}

#[cfg(test)]
mod tests;
