//! Messages of the bus as they travel: a stretch of bytes, and where in it each message lies.
//!
//! A message is one or more ZMTP data frames, whatever protocol it came by: a frame on its way in has the same bytes as
//! on its way out, so that a batch of messages is passed on without a copy. The topic of a message is its first frame;
//! where that is the only one, `topic payload` in one frame is understood too.

use std::ops::Range;

use bytes::Bytes;

/// Where one message lies in the bytes of its [`Batch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Where its first frame's header begins.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
    /// Where the body of its first frame begins.
    pub body: u32,
    /// Length of the first frame's body in bytes.
    pub body_len: u32,
    /// Whether it has one frame only.
    pub single: bool,
}

/// Whole messages of one sender, in the order they were sent: ZMTP data frames, header and body, and nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Their bytes; the spans follow each other without gaps, from 0 to the end. Less than 4 GiB.
    pub bytes: Bytes,
    /// One for each message.
    pub messages: Vec<Span>,
}

impl Batch {
    /// What `span` is matched with: the whole first frame's body.
    #[must_use]
    pub fn matched(&self, span: &Span) -> &[u8] {
        &self.bytes[range(span.body, span.body_len)]
    }

    /// The frames of `span`, header and body.
    #[must_use]
    pub fn frames(&self, span: &Span) -> Bytes {
        self.bytes.slice(span.start as usize..span.end as usize)
    }

    /// Some of its messages as a batch of its own, which shares its bytes.
    ///
    /// # Panics
    /// When there are fewer messages.
    #[must_use]
    pub fn stretch(&self, messages: Range<usize>) -> Self {
        let spans = &self.messages[messages];
        let (Some(first), Some(last)) = (spans.first(), spans.last()) else { return Self::default() };
        let start = first.start;
        let moved = |span: &Span| Span {
            start: span.start - start,
            end: span.end - start,
            body: span.body - start,
            ..*span
        };
        Self {
            bytes: self.bytes.slice(start as usize..last.end as usize),
            messages: spans.iter().map(moved).collect(),
        }
    }
}

fn range(start: u32, len: u32) -> Range<usize> {
    start as usize..start as usize + len as usize
}
