//! What is to be written to one connection besides messages of the bus: greetings, replies, answers.
//!
//! A reply to a write under `fsync = "always"` may not leave before the disk has the write. Such replies wait here, with
//! everything after them, since a client counts its replies.

use std::collections::VecDeque;

use bytes::{Buf, BytesMut};

/// Bytes in the order they are written.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    bytes: BytesMut,
    /// How many bytes have left so far.
    left: u64,
    /// From which byte on (counted since the connection began) what has to wait for which position of the journal.
    held: VecDeque<(u64, u64)>,
}

impl Outbox {
    /// Where replies are appended.
    pub(crate) fn bytes(&mut self) -> &mut BytesMut {
        &mut self.bytes
    }

    /// Bytes that wait, held ones included.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Where the next byte will stand, for [`Self::hold`].
    pub(crate) fn mark(&self) -> u64 {
        self.left + u64::try_from(self.bytes.len()).unwrap_or(u64::MAX)
    }

    /// What was appended since `mark` waits until the journal has `position` on disk.
    pub(crate) fn hold(&mut self, mark: u64, position: u64) {
        match self.held.back_mut() {
            Some((_, last)) if *last == position => {}
            _ => self.held.push_back((mark, position)),
        }
    }

    /// The journal has everything up to `position` on disk.
    pub(crate) fn release(&mut self, position: u64) {
        while self.held.front().is_some_and(|(_, held)| *held <= position) {
            self.held.pop_front();
        }
    }

    /// Whether something waits for the disk.
    pub(crate) fn is_held(&self) -> bool {
        !self.held.is_empty()
    }

    /// What may be written now.
    pub(crate) fn ready(&self) -> &[u8] {
        let end = self.held.front().map_or(self.bytes.len(), |(from, _)| {
            usize::try_from(from.saturating_sub(self.left)).unwrap_or(usize::MAX).min(self.bytes.len())
        });
        &self.bytes[..end]
    }

    /// `count` bytes of [`Self::ready`] were written.
    pub(crate) fn written(&mut self, count: usize) {
        self.bytes.advance(count);
        self.left += u64::try_from(count).unwrap_or(u64::MAX);
    }
}

#[cfg(test)]
mod tests;
