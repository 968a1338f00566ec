//! Messages made here and published in one go: changes of the store, of which each write makes several.
//!
//! One by one each of them would be routed, encoded and queued for itself. Together, those that go the same way cost one
//! encoding and one place in each queue.

use remuda_model::message::Span;

use crate::frames::append_message;
use crate::pool::CHUNK_BYTES;

/// With so many bytes a bundle is full: as many as one encoding of it may have.
const FULL_BYTES: usize = CHUNK_BYTES / 2;

/// Messages in the order in which they are published.
#[derive(Debug, Default)]
pub struct Bundle {
    pub(crate) bytes: Vec<u8>,
    pub(crate) spans: Vec<Span>,
}

impl Bundle {
    /// Whether it is to be published before more is added.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= FULL_BYTES
    }

    /// Adds the message of two frames. The caller keeps its length within the bus's limit, and the bundle from growing
    /// when it is full, so that places fit in 32 bits.
    pub(crate) fn add(&mut self, topic: &[u8], payload: &[u8]) {
        let span = append_message(topic, payload, &mut self.bytes);
        self.spans.push(span);
    }

    /// Empties it; a large message does not leave its memory behind.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(CHUNK_BYTES);
        self.spans.clear();
    }
}
