//! The publisher: one batch of messages, encoded once, numbered anew for every turn.

use crate::connection::Connection;
use crate::dialect::{FILLER, Format};
use crate::failure::{LoadError, excerpt};

/// Bytes handed to the kernel at once, about what a socket takes; a larger message makes a batch alone.
const BATCH_MAX_BYTES: usize = 128 * 1024;

/// The publisher's connection and its batch.
#[derive(Debug)]
pub(crate) struct Publisher {
    pub(crate) connection: Connection,
    /// Messages numbered so far, so the number of the next one.
    pub(crate) published: u64,
    batch: Vec<u8>,
    /// The part of the batch that is numbered and not yet written.
    unwritten: std::ops::Range<usize>,
    size: usize,
    sequence_at: usize,
}

impl Publisher {
    pub(crate) fn new(connection: Connection, format: &Format) -> Self {
        let size = format.published.bytes.len();
        let mut random = 1;
        let mut batch = format.published.bytes.repeat((BATCH_MAX_BYTES / size).max(1));
        for message in batch.chunks_exact_mut(size) {
            fill(&mut message[format.published.sequence_at + 8..], &mut random);
        }
        Self {
            connection,
            published: 0,
            batch,
            unwritten: 0..0,
            size,
            sequence_at: format.published.sequence_at,
        }
    }

    /// Whether the kernel has taken everything so far.
    pub(crate) fn is_idle(&self) -> bool {
        self.unwritten.is_empty()
    }

    /// Numbers and sends up to `count` messages, at most one batch, after [all before](Self::is_idle) was taken.
    pub(crate) fn publish(&mut self, count: u64) -> Result<(), LoadError> {
        let room = self.batch.len() / self.size;
        let count = usize::try_from(count).map_or(room, |count| count.min(room));
        for message in self.batch.chunks_exact_mut(self.size).take(count) {
            message[self.sequence_at..self.sequence_at + 8].copy_from_slice(&self.published.to_le_bytes());
            self.published += 1;
        }
        self.unwritten = 0..count * self.size;
        self.write()
    }

    /// Sends one message that does not count, with a number of its own.
    pub(crate) fn publish_aside(&mut self, number: u64) -> Result<(), LoadError> {
        self.batch[self.sequence_at..self.sequence_at + 8].copy_from_slice(&number.to_le_bytes());
        self.unwritten = 0..self.size;
        self.write()
    }

    /// Hands over what the kernel has room for.
    pub(crate) fn write(&mut self) -> Result<(), LoadError> {
        while !self.unwritten.is_empty() {
            match self.connection.write(&self.batch[self.unwritten.clone()]) {
                Ok(Some(count)) => self.unwritten.start += count,
                Ok(None) => return Ok(()),
                Err(error) => return Err(self.lost(error.to_string())),
            }
        }
        Ok(())
    }

    /// Reads away what the server answers.
    pub(crate) fn read(&mut self, format: &Format, buffer: &mut [u8]) -> Result<(), LoadError> {
        match self.connection.read(buffer) {
            Ok(None) => Ok(()),
            Ok(Some(0)) => Err(self.lost("closed".to_owned())),
            Ok(Some(count)) if format.refuses(&buffer[..count]) => Err(self.lost(excerpt(&buffer[..count]))),
            Ok(Some(count)) => self.answer(format.publisher_answer(&buffer[..count])),
            Err(error) => Err(self.lost(error.to_string())),
        }
    }

    /// Only between two messages; a server that asks in the middle of a batch asks again.
    fn answer(&mut self, answer: &[u8]) -> Result<(), LoadError> {
        if answer.is_empty() || !self.is_idle() {
            return Ok(());
        }
        self.connection.write(answer).map(|_written| ()).map_err(|error| self.lost(error.to_string()))
    }

    fn lost(&self, reason: String) -> LoadError {
        LoadError::PublisherLost { published: self.published, reason }
    }
}

/// Puts bytes by chance in the place of those that fill a payload: servers that compress what they say to each other find
/// nothing to spare, as with much of what is sent for real.
fn fill(payload: &mut [u8], random: &mut u64) {
    for byte in payload.iter_mut().take_while(|byte| **byte == FILLER) {
        // Xorshift (Marsaglia 2003).
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        *byte = random.to_le_bytes()[4];
    }
}
