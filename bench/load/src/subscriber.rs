//! One subscriber: reads what is there, walks it in steps of a message, keeps the rest for the next time.

use std::io;

use crate::connection::Connection;
use crate::dialect::{Format, Interlude};
use crate::failure::{LoadError, excerpt};
use crate::tally::Tally;

/// A subscriber's connection and what came over it.
#[derive(Debug)]
pub(crate) struct Subscriber {
    pub(crate) connection: Connection,
    pub(crate) tally: Tally,
    /// Why the server ended the connection, when it did.
    pub(crate) ended: Option<String>,
    /// The start of a message whose end has not come; shorter than one message or interlude.
    rest: Vec<u8>,
}

/// Where a walk stopped.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Walk {
    /// So many bytes were whole messages.
    To(usize),
    /// There the server asks for an answer.
    Asked(usize, &'static [u8]),
    /// There is something else.
    Foreign(usize),
}

impl Subscriber {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, tally: Tally::default(), ended: None, rest: Vec::new() }
    }

    /// Reads once, into `buffer` and at most its length; the bytes read, and every sequence number told to `seen`.
    ///
    /// An ended connection is no error: it is what some servers do to a slow subscriber, and is counted.
    pub(crate) fn read(
        &mut self,
        format: &Format,
        buffer: &mut [u8],
        mut seen: impl FnMut(u64),
    ) -> Result<usize, LoadError> {
        let kept = self.rest.len();
        buffer[..kept].copy_from_slice(&self.rest);
        let count = match self.connection.read(&mut buffer[kept..]) {
            Ok(None) => return Ok(0),
            Ok(Some(0)) => {
                self.ended = Some("closed".to_owned());
                return Ok(0);
            }
            Ok(Some(count)) => count,
            Err(error) => {
                self.ended = Some(error.to_string());
                return Ok(0);
            }
        };
        let bytes = &buffer[..kept + count];
        let mut at = 0;
        loop {
            match walk(&bytes[at..], format, &mut self.tally, &mut seen) {
                Walk::To(length) => {
                    at += length;
                    break;
                }
                Walk::Asked(length, answer) => {
                    at += length;
                    self.answer(answer);
                }
                // Servers tell a subscriber why they end its connection in words that are no message.
                Walk::Foreign(length) if bytes[at + length..].starts_with(b"-ERR") => {
                    self.ended = Some(excerpt(&bytes[at + length..]));
                    return Ok(count);
                }
                Walk::Foreign(length) => {
                    return Err(LoadError::Foreign { said: excerpt(&bytes[at + length..]) });
                }
            }
        }
        self.rest.clear();
        self.rest.extend_from_slice(&bytes[at..]);
        Ok(count)
    }

    fn answer(&mut self, answer: &[u8]) {
        // A subscriber has nothing else to write, so a few bytes always fit; a broken socket is seen by the next read.
        let _: io::Result<Option<usize>> = self.connection.write(answer);
    }
}

/// Counts whole messages from the start of `bytes`.
#[inline]
pub(crate) fn walk(bytes: &[u8], format: &Format, tally: &mut Tally, seen: &mut impl FnMut(u64)) -> Walk {
    let size = format.delivered.bytes.len();
    let (head, _) = format.delivered.bytes.split_at(format.delivered.sequence_at);
    let mut at = 0;
    while let Some(message) = bytes[at..].get(..size) {
        let Some((sequence, _)) = message.strip_prefix(head).and_then(<[u8]>::split_first_chunk) else {
            break;
        };
        let sequence = u64::from_le_bytes(*sequence);
        tally.count(sequence);
        seen(sequence);
        at += size;
    }
    let left = &bytes[at..];
    if left.is_empty() || head.starts_with(&left[..left.len().min(head.len())]) {
        return Walk::To(at);
    }
    match format.interlude(left) {
        Interlude::Unfinished => Walk::To(at),
        Interlude::Skip { bytes, answer } => Walk::Asked(at + bytes, answer),
        Interlude::Foreign => Walk::Foreign(at),
    }
}
