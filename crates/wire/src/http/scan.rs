//! Finding the end of a head, in whatever pieces it comes.
//!
//! Each line break is looked at once, on the way: that no LF stands without its CR, and that nothing grows over its
//! limit while it is still coming.

use super::limits::EMPTY_LINES_MAX;
use super::{HeadFault, HeadLimits};

/// How far a head has been searched.
#[derive(Debug, Default, Clone)]
pub(super) struct Scan {
    /// Bytes that were looked at.
    searched: usize,
    /// Where the line begins that does not end yet.
    line: usize,
    /// Where the first line with something in it begins.
    start: usize,
    /// Whether that line is whole.
    has_line: bool,
}

/// Where a whole head is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// Behind the empty lines at the front.
    pub(super) start: usize,
    /// Behind its own empty line.
    pub(super) end: usize,
}

impl Found {
    /// The head itself.
    pub(super) fn slice(self, input: &[u8]) -> &[u8] {
        &input[self.start..self.end]
    }
}

impl Scan {
    /// Looks at what is new in `input`, whose front must be the same as at the last call.
    ///
    /// What is looked at comes in the order of the bytes, so that a head fares the same in whatever pieces it comes.
    pub(super) fn find(&mut self, input: &[u8], limits: &HeadLimits) -> Result<Option<Found>, HeadFault> {
        self.check_front(input)?;
        for place in memchr::memchr_iter(b'\n', &input[self.searched..]) {
            let feed = self.searched + place;
            self.check_length(feed + 1, limits)?;
            if feed == self.line || input[feed - 1] != b'\r' {
                return Err(HeadFault::BareLineFeed);
            }
            let is_empty = feed - 1 == self.line;
            self.line = feed + 1;
            if is_empty && self.has_line {
                let found = Found { start: self.start, end: feed + 1 };
                *self = Self::default();
                return Ok(Some(found));
            }
            if is_empty {
                self.start = self.line;
                if self.start > 2 * EMPTY_LINES_MAX {
                    return Err(HeadFault::Malformed("it begins with empty lines"));
                }
                self.check_front(input)?;
            } else {
                self.has_line = true;
            }
        }
        self.searched = input.len();
        self.check_length(input.len(), limits)?;
        Ok(None)
    }

    /// Whether there may be bytes up to `end` in the line, or in the head.
    fn check_length(&self, end: usize, limits: &HeadLimits) -> Result<(), HeadFault> {
        let len = end - self.start;
        if !self.has_line && len > limits.line_max {
            return Err(HeadFault::LineTooLong);
        }
        if len > limits.head_max { Err(HeadFault::HeadTooLarge) } else { Ok(()) }
    }

    /// A peer that does not speak HTTP at all, TLS for one, is told at its first byte, not when it has waited for an
    /// answer until we tire of waiting for a line.
    fn check_front(&self, input: &[u8]) -> Result<(), HeadFault> {
        match input.get(self.start) {
            None | Some(b'\r' | b'\n') => Ok(()),
            Some(byte) if super::fields::is_token_byte(*byte) => Ok(()),
            Some(_) => Err(HeadFault::Malformed("it does not begin with a method or a version")),
        }
    }
}
