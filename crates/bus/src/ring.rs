//! The last messages of some topics, kept for those who come late or come back.

use std::borrow::Cow;
use std::collections::VecDeque;

use crate::frames::{Content, Payload};
use crate::options::RingSpec;
use crate::pool::{Pool, Segment};
use crate::reserved::Reserved;

/// One message out of a ring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed<'a> {
    /// Its number.
    pub sequence: u64,
    /// Its topic.
    pub topic: &'a [u8],
    /// Its payload.
    pub payload: Cow<'a, [u8]>,
}

/// What is kept of what came after a message.
#[derive(Debug)]
pub struct Replay<'a> {
    pool: &'a Pool,
    prefix: &'a [u8],
    kept: std::collections::vec_deque::Iter<'a, Kept>,
    after: u64,
    /// Where not all is kept: how many messages are lost at most. The bus knows which numbers are gone, not which of them
    /// had such a topic; with one ring for all topics the count is exact. 0 where the number asked for has not been
    /// given yet, so that nothing can be said.
    pub lost: Option<u64>,
}

/// A ring.
#[derive(Debug)]
pub(crate) struct Ring {
    pub(crate) spec: RingSpec,
    kept: VecDeque<Kept>,
    bytes: usize,
    /// The number of the last message that is not kept any more; all below it are not kept either.
    gone: u64,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept {
    pub(crate) sequence: u64,
    pub(crate) frames: Segment,
}

impl Ring {
    /// An empty ring that knows nothing of messages up to number `gone`.
    pub(crate) fn new(spec: RingSpec, gone: u64) -> Self {
        Self { spec, kept: VecDeque::new(), bytes: 0, gone }
    }

    /// Keeps a message; lets old ones go for it.
    pub(crate) fn keep(&mut self, sequence: u64, frames: Segment, pool: &mut Pool) {
        pool.hold(frames.chunk, frames.len());
        self.bytes += frames.len() + RingSpec::MESSAGE_COST;
        self.kept.push_back(Kept { sequence, frames });
        while self.kept.len() > self.spec.messages_max || self.bytes > self.spec.bytes_max {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.bytes -= oldest.frames.len() + RingSpec::MESSAGE_COST;
            self.gone = oldest.sequence;
            pool.release(oldest.frames.chunk, oldest.frames.len());
        }
    }

    /// What it has after number `after` with a topic of `prefix`; `last` is the last number given.
    pub(crate) fn replay<'a>(
        &'a self,
        prefix: &'a [u8],
        after: u64,
        last: u64,
        pool: &'a Pool,
    ) -> Replay<'a> {
        let first = self.kept.partition_point(|kept| kept.sequence <= after);
        let lost = match after {
            after if after > last => Some(0),
            after if after < self.gone => Some(self.gone - after),
            _ => None,
        };
        Replay { pool, prefix, kept: self.kept.range(first..), after, lost }
    }

    /// Whether it keeps all that begins with `prefix`.
    pub(crate) fn covers(&self, prefix: &[u8]) -> bool {
        prefix.starts_with(&self.spec.prefix)
    }

    /// The last number it does not have.
    pub(crate) fn gone(&self) -> u64 {
        self.gone
    }

    /// Goes on with what was kept elsewhere, where all up to `gone` is missing.
    pub(crate) fn resume(&mut self, gone: u64) {
        self.gone = gone;
    }

    /// Messages it has.
    pub(crate) fn kept(&self) -> impl Iterator<Item = &Kept> {
        self.kept.iter()
    }

    /// Bytes it has, the cost of each message included.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Copies what lies in sparse chunks out of them.
    pub(crate) fn compact(&mut self, pool: &mut Pool) {
        for kept in &mut self.kept {
            if pool.is_sparse(kept.frames.chunk) {
                pool.relocate(&mut kept.frames);
            }
        }
    }
}

impl<'a> Replay<'a> {
    /// Nothing is kept of these topics; `last` is the last number given.
    pub(crate) fn nothing(after: u64, last: u64, pool: &'a Pool) -> Self {
        let lost = if after == last { None } else { Some(last.saturating_sub(after)) };
        Self { pool, prefix: &[], kept: Default::default(), after, lost }
    }
}

impl<'a> Iterator for Replay<'a> {
    type Item = Replayed<'a>;

    fn next(&mut self) -> Option<Replayed<'a>> {
        loop {
            let kept = self.kept.next()?;
            let content = Content::of_frames(self.pool.bytes(&kept.frames));
            let is_wanted = kept.sequence > self.after && content.topic.starts_with(self.prefix);
            // As for who listens: what tells of the store is for those who ask for it by name.
            if !is_wanted || (Reserved::of(self.prefix).is_none() && Reserved::of(content.topic).is_some()) {
                continue;
            }
            let payload = match content.payload {
                Payload::Whole(bytes) => Cow::Borrowed(bytes),
                Payload::Frames(_) => {
                    let mut together = Vec::with_capacity(content.payload.len());
                    content.payload.append_to(&mut together);
                    Cow::Owned(together)
                }
            };
            return Some(Replayed { sequence: kept.sequence, topic: content.topic, payload });
        }
    }
}
