//! One member of the bus: what it speaks, its queue, and how it stands.
//!
//! A queue that is half full holds up the publishers, so that a reader that is merely slower than a burst loses nothing;
//! but only as long as the member has patience left. Time counts against it from the moment its queue is half full until
//! it is below a quarter, and each quarter of the bound it takes in that time buys it the same time again: so a fast
//! reader never runs out, and one that is stuck, or takes a byte now and then, holds up the others once and no longer. After that
//! the overflow policy applies to it alone, until its queue has been below a quarter.

use remuda_model::Tick;
use remuda_model::message::Span;

use crate::options::{Overflow, QueueLimits};
use crate::pool::{Pool, Segment};
use crate::queue::{Gone, Queue, SEGMENT_COST};

/// A queue is behind when more than one part in this many of its bound is taken.
const BEHIND_PARTS: usize = 2;
/// A queue has caught up when less than one part in this many of its bound is taken.
const CAUGHT_UP_PARTS: usize = 4;
/// Messages behind each other in memory become one segment of a queue up to one part in this many of its bound, so that
/// dropping the oldest drops no more than that at once.
const JOINED_PARTS: usize = 4;

/// A member; the shell gives the numbers, and gives none twice while its member is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub u64);

/// Where messages come from: the worker, or the herd's link, a member belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(pub u64);

/// What a member speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// ZMTP data frames, as the publisher sent them.
    Zmtp,
    /// Redis' messages as arrays.
    Resp2,
    /// Redis' messages as pushes.
    Resp3,
}

/// How messages come to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It gets what it subscribes to.
    Subscriber,
    /// It gets a share: each message goes to one consumer, as ZeroMQ's PULL sockets have it. Always ZMTP frames; events of
    /// the store are news and no work, and go to no consumer.
    Consumer,
}

/// How somebody takes part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// What it speaks.
    pub encoding: Encoding,
    /// Where its own messages come from.
    pub origin: Origin,
    /// Whether it gets messages of its own origin. For subscribers.
    pub hears_itself: bool,
    /// Whether it gets messages whose topic begins with `store.`. For subscribers.
    pub sees_store_events: bool,
    /// How messages come to it.
    pub role: Role,
    /// Bounds of its queue.
    pub queue: QueueLimits,
}

/// What a member has had so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages written to the end, counted where all that was queued with them is written.
    pub sent_messages: u64,
    /// Bytes written.
    pub sent_bytes: u64,
    /// Messages that were for it and were dropped.
    pub dropped_messages: u64,
    /// Their bytes.
    pub dropped_bytes: u64,
}

/// Where the messages of a segment end in its chunk.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ends<'a> {
    /// As these say.
    Listed(&'a [usize]),
    /// Where these lie, in bytes whose place `from` has become `to`.
    Moved {
        /// The messages in the bytes they came from.
        spans: &'a [Span],
        /// Where the first of them began there.
        from: usize,
        /// Where it begins in the chunk.
        to: usize,
    },
}

/// A member at its seat.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) id: MemberId,
    /// The origin it does not hear.
    pub(crate) muted: Option<Origin>,
    pub(crate) is_doomed: bool,
    /// Whether the shell has been, or is about to be, told that something waits.
    pub(crate) is_awake: bool,
    pub(crate) queue: Queue,
    behind_at: usize,
    joined_max: usize,
    strain: Option<Strain>,
    pub(crate) counters: Counters,
    pub(crate) membership: Membership,
}

/// A time in which the queue has not caught up.
#[derive(Debug, Clone, Copy)]
struct Strain {
    since: Tick,
    written: usize,
    /// Whether publishers are held for it.
    is_patient: bool,
}

/// What an offer led to, beside being queued or dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Offered {
    /// Messages that were queued.
    pub(crate) messages: u64,
    /// The queue has fallen behind, and publishers are to be held.
    pub(crate) is_strained: bool,
    /// The member has to go.
    pub(crate) is_doomed: bool,
}

impl Ends<'_> {
    /// How many messages behind the first `skipped` end at or before `limit`, one at least, and where the last of them
    /// ends.
    fn part(&self, skipped: usize, limit: usize) -> (usize, usize) {
        match self {
            Self::Listed(ends) => {
                let ends = &ends[skipped..];
                let count = ends.partition_point(|end| *end <= limit).max(1);
                (count, ends[count - 1])
            }
            Self::Moved { spans, from, to } => {
                let spans = &spans[skipped..];
                let end = |span: &Span| span.end as usize - from + to;
                let count = spans.partition_point(|span| end(span) <= limit).max(1);
                (count, end(&spans[count - 1]))
            }
        }
    }
}

impl Member {
    pub(crate) fn new(id: MemberId, membership: Membership) -> Self {
        let bytes_max = membership.queue.bytes_max;
        Self {
            id,
            muted: (!membership.hears_itself).then_some(membership.origin),
            is_doomed: false,
            is_awake: false,
            queue: Queue::default(),
            behind_at: bytes_max / BEHIND_PARTS,
            joined_max: bytes_max / JOINED_PARTS,
            strain: None,
            counters: Counters::default(),
            membership,
        }
    }

    /// Takes part in another way.
    pub(crate) fn change(&mut self, membership: Membership) {
        let bytes_max = membership.queue.bytes_max;
        self.muted = (!membership.hears_itself).then_some(membership.origin);
        (self.behind_at, self.joined_max) = (bytes_max / BEHIND_PARTS, bytes_max / JOINED_PARTS);
        self.membership = membership;
    }

    /// Whether so many bytes fit.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        let bytes_max = self.membership.queue.bytes_max;
        let waiting = self.queue.waiting(bytes_max);
        !self.is_doomed && (waiting == 0 || waiting + bytes + SEGMENT_COST <= bytes_max)
    }

    /// Queues a segment as far as it fits; `ends` says where its messages end, and its bytes are held already.
    pub(crate) fn offer(&mut self, segment: Segment, ends: Ends<'_>, pool: &mut Pool, now: Tick) -> Offered {
        let size = segment.len();
        let mut offered = Offered::default();
        if size <= self.joined_max && self.has_room(size) {
            self.queue.append(segment, self.joined_max);
            offered.messages = u64::from(segment.messages);
        } else {
            offered.messages = self.offer_in_parts(segment, ends, pool);
            offered.is_doomed = self.is_doomed;
        }
        if self.queue.charged() > self.behind_at && self.strain.is_none() && !self.is_doomed {
            let is_patient = !self.membership.queue.patience.is_zero();
            self.strain = Some(Strain { since: now, written: 0, is_patient });
            offered.is_strained = is_patient;
        }
        offered
    }

    /// Takes a message for itself alone, never joined with another; the caller has asked whether it fits.
    pub(crate) fn take(&mut self, segment: Segment) {
        self.queue.append(segment, 0);
    }

    /// Takes off what has been written; says whether publishers were held for it and need not be any more.
    pub(crate) fn written(&mut self, bytes: usize, pool: &mut Pool) -> bool {
        let gone = self.queue.advance(bytes, pool);
        self.counters.sent_messages += gone.messages;
        self.counters.sent_bytes += gone.bytes;
        let Some(strain) = &mut self.strain else { return false };
        strain.written += bytes;
        if self.queue.charged() >= self.membership.queue.bytes_max.div_ceil(CAUGHT_UP_PARTS) {
            return false;
        }
        self.strain.take().is_some_and(|strain| strain.is_patient)
    }

    /// When its patience ends, while publishers are held for it.
    pub(crate) fn patience_ends(&self) -> Option<Tick> {
        let strain = self.strain.filter(|strain| strain.is_patient)?;
        let quarter = self.membership.queue.bytes_max.div_ceil(CAUGHT_UP_PARTS).max(1);
        let patience = self.membership.queue.patience;
        let bought = patience.as_millis().saturating_mul(strain.written as u128) / quarter as u128;
        let bought = std::time::Duration::from_millis(u64::try_from(bought).unwrap_or(u64::MAX));
        Some(strain.since + patience.saturating_add(bought))
    }

    /// Holds the publishers for it no more.
    pub(crate) fn lose_patience(&mut self) {
        if let Some(strain) = &mut self.strain {
            strain.is_patient = false;
        }
    }

    /// Whether its queue has been more than half full and not below a quarter since.
    pub(crate) fn is_behind(&self) -> bool {
        self.strain.is_some()
    }

    /// Counts messages as dropped.
    pub(crate) fn count_dropped(&mut self, gone: Gone) {
        self.counters.dropped_messages += gone.messages;
        self.counters.dropped_bytes += gone.bytes;
    }

    /// Drops all that waits and takes nothing from now on.
    pub(crate) fn doom(&mut self, pool: &mut Pool) {
        self.is_doomed = true;
        let gone = self.queue.clear(pool);
        self.count_dropped(gone);
    }

    #[cold]
    fn offer_in_parts(&mut self, segment: Segment, ends: Ends<'_>, pool: &mut Pool) -> u64 {
        let mut queued = 0;
        let mut rest = segment;
        let mut done = 0;
        while rest.messages > 0 {
            let (count, end) = ends.part(done, rest.start.saturating_add(self.joined_max));
            let messages = u32::try_from(count).expect("a part has no more messages than the whole");
            let part = Segment { messages, end, ..rest };
            rest = Segment { start: end, messages: rest.messages - messages, ..rest };
            done += count;
            if self.make_room(part.len(), pool) {
                self.queue.append(part, self.joined_max);
                queued += u64::from(messages);
            } else {
                self.count_dropped(Gone { messages: u64::from(messages), bytes: part.len() as u64 });
                pool.release(part.chunk, part.len());
            }
        }
        queued
    }

    /// Takes bytes that are no messages, which the caller holds; false when there is no room for them and the member is
    /// doomed therefore.
    pub(crate) fn take_answer(&mut self, answer: Segment, pool: &mut Pool) -> bool {
        while !self.has_room(answer.len()) && self.membership.queue.overflow != Overflow::Disconnect {
            let Some(gone) = self.queue.drop_oldest(pool) else { break };
            self.count_dropped(gone);
        }
        if self.has_room(answer.len()) {
            self.queue.append(answer, self.joined_max);
            return true;
        }
        pool.release(answer.chunk, answer.len());
        false
    }

    /// Applies the overflow policy until so many bytes fit; false when they do not.
    fn make_room(&mut self, bytes: usize, pool: &mut Pool) -> bool {
        while !self.has_room(bytes) {
            let overflow = self.membership.queue.overflow;
            if self.is_doomed || overflow == Overflow::DropNewest {
                return false;
            }
            if overflow == Overflow::Disconnect {
                self.doom(pool);
                return false;
            }
            let Some(gone) = self.queue.drop_oldest(pool) else { return false };
            self.count_dropped(gone);
        }
        true
    }
}
