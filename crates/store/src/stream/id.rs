//! The name of an entry: the millisecond it was added in, and its number within that millisecond.

use std::fmt;

use crate::failure::Failure;

/// Longest text of an id: two 64-bit numbers and a hyphen.
const TEXT_MAX_LEN: usize = 41;

/// An entry's id; ids only grow within a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct StreamId {
    /// Milliseconds since 1970, unless the client says otherwise.
    pub(crate) ms: u64,
    /// The number within the millisecond.
    pub(crate) number: u64,
}

/// The text of an id, without an allocation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IdText {
    bytes: [u8; TEXT_MAX_LEN],
    len: usize,
}

impl StreamId {
    /// Before all entries; no entry has it.
    pub(crate) const MIN: Self = Self { ms: 0, number: 0 };
    /// The last id there is.
    pub(crate) const MAX: Self = Self { ms: u64::MAX, number: u64::MAX };

    /// The id that follows; none after the last.
    pub(crate) fn next(self) -> Option<Self> {
        match self.number.checked_add(1) {
            Some(number) => Some(Self { ms: self.ms, number }),
            None => Some(Self { ms: self.ms.checked_add(1)?, number: 0 }),
        }
    }

    /// The id before; none before the first.
    pub(crate) fn previous(self) -> Option<Self> {
        match self.number.checked_sub(1) {
            Some(number) => Some(Self { ms: self.ms, number }),
            None => Some(Self { ms: self.ms.checked_sub(1)?, number: u64::MAX }),
        }
    }

    /// Reads `ms-number`, or `ms` alone with the number that is missing.
    pub(crate) fn parse(text: &[u8], missing: u64) -> Result<Self, Failure> {
        let id = match text.iter().position(|&byte| byte == b'-') {
            Some(at) => part(&text[..at]).zip(part(&text[at + 1..])),
            None => part(text).map(|ms| (ms, missing)),
        };
        id.map(|(ms, number)| Self { ms, number })
            .ok_or(Failure::text("ERR Invalid stream ID specified as stream command argument"))
    }

    /// Its text.
    pub(crate) fn text(self) -> IdText {
        let (mut ms, mut number) = (itoa::Buffer::new(), itoa::Buffer::new());
        let (ms, number) = (ms.format(self.ms).as_bytes(), number.format(self.number).as_bytes());
        let len = ms.len() + 1 + number.len();
        let mut bytes = [b'-'; TEXT_MAX_LEN];
        bytes[..ms.len()].copy_from_slice(ms);
        bytes[ms.len() + 1..len].copy_from_slice(number);
        IdText { bytes, len }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.number)
    }
}

impl IdText {
    /// The text's bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// One of the two numbers: digits only.
pub(crate) fn part(text: &[u8]) -> Option<u64> {
    let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if is_number { std::str::from_utf8(text).ok()?.parse().ok() } else { None }
}
