//! Room for what is made of a script's values outside of Lua's memory.
//!
//! Lua's allocator has a limit, but a table of a few bytes that stands in another a thousand times is written a thousand
//! times: one line of a script describes more than any machine has. So whoever writes values pays for each, and for its
//! bytes, before it does.

use super::failure::Failure;

/// Bytes of one result: as long as the longest value of the store.
const BYTES_MAX: usize = 64 << 20;
/// Values in one result: about a second's work, which the limit of time does not see. Half as many are more than most
/// clients take in one reply.
const VALUES_MAX: usize = 2 << 20;

/// What is left for one result.
#[derive(Debug)]
pub(super) struct Room {
    values: usize,
    bytes: usize,
}

/// Nothing is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the result is too long")]
pub(super) struct TooLong;

impl Room {
    /// All of it.
    pub(super) fn new() -> Self {
        Self { values: VALUES_MAX, bytes: BYTES_MAX }
    }

    /// Takes room for a value that has so many bytes.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), TooLong> {
        self.values = self.values.checked_sub(1).ok_or(TooLong)?;
        self.take_more(bytes)
    }

    /// Takes room for more bytes of the same value.
    pub(super) fn take_more(&mut self, bytes: usize) -> Result<(), TooLong> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or(TooLong)?;
        Ok(())
    }
}

impl From<TooLong> for Failure {
    fn from(too_long: TooLong) -> Self {
        Self::Text(format!("Cannot serialise, {too_long}"))
    }
}

#[cfg(test)]
mod tests;
