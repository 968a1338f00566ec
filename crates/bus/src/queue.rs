//! What waits to be written to one member: places in the pool, in order.
//!
//! The queue knows how many bytes of its front have gone out. A segment whose writing has begun stays whatever policy
//! applies: a message cut in the middle would end the connection.

use std::collections::VecDeque;

use crate::pool::{Pool, Segment};

/// What a segment costs in memory beside its bytes; it is part of what a queue's bound counts, so that a queue of tiny
/// messages is bounded as well.
pub(crate) const SEGMENT_COST: usize = size_of::<Segment>();

/// Segments in order.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    segments: VecDeque<Segment>,
    /// Bytes not yet written.
    bytes: usize,
    /// Messages in segments that are not yet written to the end.
    messages: u64,
    /// Whether some of the front segment has been written.
    is_begun: bool,
}

/// Messages and bytes that left a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Gone {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

impl Queue {
    /// Bytes waiting, and the memory the segments take.
    pub(crate) fn charged(&self) -> usize {
        self.bytes + self.segments.len() * SEGMENT_COST
    }

    /// The same without the segment that is being written, or that is first in line and larger than the whole bound: it
    /// was let in alone, and those behind it have the room they would have without it.
    pub(crate) fn waiting(&self, bytes_max: usize) -> usize {
        match self.segments.front() {
            Some(front) if self.is_begun || front.len() > bytes_max => {
                self.charged() - front.len() - SEGMENT_COST
            }
            _ => self.charged(),
        }
    }

    /// Bytes waiting.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Messages waiting.
    pub(crate) fn messages(&self) -> u64 {
        self.messages
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Whether the front segment is partly written.
    pub(crate) fn is_begun(&self) -> bool {
        self.is_begun
    }

    /// The segments, what is written of the first taken off.
    pub(crate) fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter()
    }

    /// Adds what the caller holds already; joined with the last segment where that has up to `joined_max` bytes then.
    pub(crate) fn append(&mut self, segment: Segment, joined_max: usize) {
        self.bytes += segment.len();
        self.messages += u64::from(segment.messages);
        if let Some(last) = self.segments.back_mut()
            && last.chunk == segment.chunk
            && last.end == segment.start
            && (last.messages == 0) == (segment.messages == 0)
            && segment.end - last.start <= joined_max
        {
            last.end = segment.end;
            last.messages += segment.messages;
            return;
        }
        self.segments.push_back(segment);
    }

    /// Drops the oldest segment that may be dropped.
    pub(crate) fn drop_oldest(&mut self, pool: &mut Pool) -> Option<Gone> {
        let skipped = usize::from(self.is_begun);
        let place = self.segments.iter().skip(skipped).position(|segment| segment.messages > 0)?;
        let dropped = self.segments.remove(skipped + place)?;
        Some(self.let_go(dropped, pool))
    }

    /// Drops the newest segment, unless it is being written.
    pub(crate) fn drop_newest(&mut self, pool: &mut Pool) -> Option<Gone> {
        if self.segments.len() == 1 && self.is_begun {
            return None;
        }
        let dropped = self.segments.pop_back()?;
        Some(self.let_go(dropped, pool))
    }

    /// Length of the first segment.
    pub(crate) fn first_len(&self) -> Option<usize> {
        self.segments().next().map(Segment::len)
    }

    /// Takes the first segment out; the caller has its bytes to release.
    pub(crate) fn take_first(&mut self) -> Option<Segment> {
        let first = self.segments.pop_front()?;
        self.is_begun = false;
        self.bytes -= first.len();
        self.messages -= u64::from(first.messages);
        Some(first)
    }

    /// Puts a segment, held already, before all others.
    pub(crate) fn put_first(&mut self, segment: Segment, is_begun: bool) {
        self.bytes += segment.len();
        self.messages += u64::from(segment.messages);
        self.segments.push_front(segment);
        self.is_begun = is_begun;
    }

    /// Says that part of the first segment has been written elsewhere.
    pub(crate) fn begin(&mut self) {
        self.is_begun = !self.segments.is_empty();
    }

    /// Takes off `written` bytes; says how many messages are complete with them.
    pub(crate) fn advance(&mut self, mut written: usize, pool: &mut Pool) -> Gone {
        let mut gone = Gone::default();
        while written > 0 {
            let Some(front) = self.segments.front_mut() else { break };
            let taken = written.min(front.len());
            written -= taken;
            if taken == front.len() {
                let front = self.segments.pop_front().expect("it has a front");
                self.is_begun = false;
                let whole = self.let_go(front, pool);
                gone.messages += whole.messages;
                gone.bytes += whole.bytes;
            } else {
                front.start += taken;
                self.is_begun = true;
                self.bytes -= taken;
                gone.bytes += taken as u64;
                pool.release(front.chunk, taken);
            }
        }
        gone
    }

    /// Drops everything, the begun segment too.
    pub(crate) fn clear(&mut self, pool: &mut Pool) -> Gone {
        let mut gone = Gone::default();
        while let Some(segment) = self.segments.pop_front() {
            let whole = self.let_go(segment, pool);
            gone.messages += whole.messages;
            gone.bytes += whole.bytes;
        }
        *self = Self::default();
        gone
    }

    /// Copies what lies in sparse chunks out of them.
    pub(crate) fn compact(&mut self, pool: &mut Pool) {
        for segment in &mut self.segments {
            if pool.is_sparse(segment.chunk) {
                pool.relocate(segment);
            }
        }
    }

    fn let_go(&mut self, segment: Segment, pool: &mut Pool) -> Gone {
        self.bytes -= segment.len();
        self.messages -= u64::from(segment.messages);
        pool.release(segment.chunk, segment.len());
        Gone { messages: u64::from(segment.messages), bytes: segment.len() as u64 }
    }
}
