//! What is to be written to one connection besides messages of the bus: greetings, replies, answers.
//!
//! A reply to a write under `fsync = "always"` may not leave before the disk has the write. Such replies wait here, with
//! everything after them, since a client counts its replies.
//!
//! For a member of the bus whole replies queue behind its messages. A reply of an engine passes as it comes, though, and
//! may be longer than the hub keeps: once a part of one has left by itself, the rest leaves before any message does.

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
    /// Where the reply begins, counted so too, that is not whole yet.
    open: Option<u64>,
    /// What is here follows on what left by itself: nothing may come in between.
    is_parted: bool,
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

    /// Appends what passes of replies: `whole` bytes are replies, or the ends of such, and what is behind them begins or
    /// goes on with one that has no end yet, if it `is_begun`.
    pub(crate) fn pass(&mut self, bytes: &[u8], whole: usize, is_begun: bool) {
        let start = self.mark();
        self.bytes.extend_from_slice(bytes);
        self.open = match (is_begun, whole) {
            (false, _) => None,
            (true, 0) => self.open.or(Some(start)),
            (true, whole) => Some(start + u64::try_from(whole).unwrap_or(u64::MAX)),
        };
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
        self.up_to(self.held.front().map(|(from, _)| *from))
    }

    /// Of what may be written now, what may stand between messages: none of a reply that is not whole.
    pub(crate) fn ready_between_messages(&self) -> &[u8] {
        let held = self.held.front().map(|(from, _)| *from);
        self.up_to(held.into_iter().chain(self.open).min())
    }

    fn up_to(&self, place: Option<u64>) -> &[u8] {
        let length = |place: u64| usize::try_from(place.saturating_sub(self.left)).unwrap_or(usize::MAX);
        &self.bytes[..place.map_or(usize::MAX, length).min(self.bytes.len())]
    }

    /// Whether what is here has to be written before any message.
    pub(crate) fn is_parted(&self) -> bool {
        self.is_parted
    }

    /// Has all of it written before any message.
    pub(crate) fn part(&mut self) {
        self.is_parted = self.open.is_some() || !self.bytes.is_empty();
    }

    /// `count` bytes of [`Self::ready`] were queued among messages.
    pub(crate) fn queued(&mut self, count: usize) {
        self.bytes.advance(count);
        self.left += u64::try_from(count).unwrap_or(u64::MAX);
    }

    /// `count` bytes of [`Self::ready`] were written by themselves.
    pub(crate) fn written(&mut self, count: usize) {
        self.queued(count);
        self.part();
    }
}

#[cfg(test)]
mod tests;
