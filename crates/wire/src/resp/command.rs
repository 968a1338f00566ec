//! Commands as a server reads them: arrays of bulk strings, and lines.
//!
//! Arguments are places in the caller's buffer. Of a command that is not whole the parser remembers how far it read,
//! and the caller keeps the places found so far, so that nothing is read twice, whatever the pieces it comes in.

use std::ops::Range;

use super::limits::{UNAUTHENTICATED_ARGS_MAX, UNAUTHENTICATED_BULK_MAX};
use super::line::{self, Line};
use super::{Limits, RespError, inline};

/// Reads the commands of one client.
#[derive(Debug)]
pub struct CommandParser {
    limits: Limits,
    is_authenticated: bool,
    /// What is known of the command at the front.
    progress: Progress,
}

#[derive(Debug, Clone, Copy)]
enum Progress {
    /// Nothing.
    Nothing,
    /// A line: it does not end in so many bytes.
    Line { searched: usize },
    /// An array: arguments still to come, and where the next of them begins.
    Array { remaining: usize, position: usize },
}

impl CommandParser {
    /// For a client that has not authenticated: 10 arguments of 16 KiB are what it may send.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, is_authenticated: false, progress: Progress::Nothing }
    }

    /// Whether the client may send what the limits allow. A server without a password says so at once.
    pub fn set_authenticated(&mut self, is_authenticated: bool) {
        self.is_authenticated = is_authenticated;
    }

    /// Reads the command at the front of `input` into `arguments`, as places in `input`.
    ///
    /// `Some`: it is whole, and this many bytes are to be taken off the front before the next call. Without arguments
    /// it is to be passed over: an empty line or array. `None`: it is not whole; more bytes are to be added at the end
    /// of `input`, while `arguments` stays as it is. Words in quotes are resolved in their place, which is why
    /// `input` is mutable.
    ///
    /// # Errors
    /// A [`RespError`], after which nothing more can be read from this client.
    pub fn parse(
        &mut self,
        input: &mut [u8],
        arguments: &mut Vec<Range<usize>>,
    ) -> Result<Option<usize>, RespError> {
        let (remaining, position) = match self.progress {
            Progress::Array { remaining, position } => (remaining, position),
            Progress::Line { searched } => return self.line(input, searched, arguments),
            Progress::Nothing => {
                arguments.clear();
                match input.first() {
                    None => return Ok(None),
                    Some(b'*') => {}
                    Some(_) => return self.line(input, 0, arguments),
                }
                match self.count(&input[1..])? {
                    None => return Ok(None),
                    Some((0, len)) => return Ok(Some(1 + len)),
                    Some((count, len)) => (count, 1 + len),
                }
            }
        };
        self.bulks(input, remaining, position, arguments)
    }

    /// How many arguments are announced, and the bytes of the line that says so.
    #[inline]
    fn count(&self, bytes: &[u8]) -> Result<Option<(usize, usize)>, RespError> {
        let (count, len) = match line::number(bytes) {
            Line::Number(count, len) => (count, len),
            Line::Incomplete => return Ok(None),
            Line::TooLong => return Err(RespError::MultibulkLine),
            Line::Malformed => return Err(RespError::MultibulkLength),
        };
        // As in Redis a negative array is an empty one.
        let count = usize::try_from(count.max(0)).ok().filter(|count| *count <= self.limits.args_max);
        let count = count.ok_or(RespError::MultibulkLength)?;
        if count > UNAUTHENTICATED_ARGS_MAX && !self.is_authenticated {
            return Err(RespError::UnauthenticatedMultibulkLength);
        }
        Ok(Some((count, len)))
    }

    fn bulks(
        &mut self,
        input: &[u8],
        mut remaining: usize,
        mut position: usize,
        arguments: &mut Vec<Range<usize>>,
    ) -> Result<Option<usize>, RespError> {
        while remaining > 0 {
            let Some((start, end)) = self.bulk(input, position)? else {
                if input.len() > self.limits.query_max {
                    return Err(RespError::QueryTooBig);
                }
                self.progress = Progress::Array { remaining, position };
                return Ok(None);
            };
            arguments.push(start..end);
            position = end + 2;
            remaining -= 1;
        }
        self.progress = Progress::Nothing;
        Ok(Some(position))
    }

    /// Where the argument at `position` begins and ends; `None`: it is not whole.
    #[inline]
    fn bulk(&self, input: &[u8], position: usize) -> Result<Option<(usize, usize)>, RespError> {
        let Some((&first, line)) = input[position..].split_first() else { return Ok(None) };
        if first != b'$' {
            let found = if (b' '..=b'~').contains(&first) { first } else { b'?' };
            return Err(RespError::NotBulk { found });
        }
        let (length, len) = match line::number(line) {
            Line::Number(length, len) => (length, len),
            Line::Incomplete => return Ok(None),
            Line::TooLong => return Err(RespError::BulkLine),
            Line::Malformed => return Err(RespError::BulkLength),
        };
        let length = usize::try_from(length).ok().filter(|length| *length <= self.limits.bulk_max);
        let length = length.ok_or(RespError::BulkLength)?;
        if length > UNAUTHENTICATED_BULK_MAX && !self.is_authenticated {
            return Err(RespError::UnauthenticatedBulkLength);
        }
        let start = position + 1 + len;
        // Lengths are at most `bulk_max`, which a caller may have set to anything.
        let Some(end) = start.checked_add(length).filter(|end| end.checked_add(2).is_some()) else {
            return Err(RespError::BulkLength);
        };
        if end + 2 > self.limits.query_max {
            return Err(RespError::QueryTooBig);
        }
        match input.get(end..end + 2) {
            None => Ok(None),
            Some(b"\r\n") => Ok(Some((start, end))),
            Some(_) => Err(RespError::BulkEnd),
        }
    }

    fn line(
        &mut self,
        input: &mut [u8],
        searched: usize,
        arguments: &mut Vec<Range<usize>>,
    ) -> Result<Option<usize>, RespError> {
        let Some(found) = memchr::memchr(b'\n', &input[searched..]) else {
            if input.len() > self.limits.inline_max {
                return Err(RespError::InlineTooBig);
            }
            self.progress = Progress::Line { searched: input.len() };
            return Ok(None);
        };
        let end = searched + found;
        if end > self.limits.inline_max {
            return Err(RespError::InlineTooBig);
        }
        self.progress = Progress::Nothing;
        let line = &mut input[..end];
        let len = line.strip_suffix(b"\r").map_or(end, <[u8]>::len);
        inline::split(&mut line[..len], arguments)?;
        Ok(Some(end + 1))
    }
}
