//! A bus handed over to another image: everything a successor needs to go on where this one stops.
//!
//! Bytes that wait in several queues are one piece of memory here too, as far as they came in large batches. Time and
//! patience are not handed over: a member that is behind is given its patience once more.

use bytes::Bytes;

use crate::bus::Bus;
use crate::filter::{Filter, SubscribeError};
use crate::member::{Counters, MemberId, Membership, Role};
use crate::options::BusOptions;
use crate::queue::Gone;
use crate::ring::Ring;
use crate::view::Totals;

/// A bus.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SavedBus {
    /// Number of the next message.
    pub next_sequence: u64,
    /// Its members.
    pub members: Vec<SavedMember>,
    /// Its rings.
    pub rings: Vec<SavedRing>,
    /// Work that waits for a consumer.
    pub backlog: Vec<SavedSegment>,
    /// Work that was dropped: messages and bytes.
    pub backlog_dropped: (u64, u64),
    /// Whether work waits although no consumer is there.
    pub is_backlog_kept: bool,
    /// Counts since the beginning.
    pub totals: Totals,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedMember {
    /// Its number.
    pub id: MemberId,
    /// How it takes part.
    pub membership: Membership,
    /// What it has subscribed to, and how often.
    pub subscriptions: Vec<(Filter, u64)>,
    /// What waits for it.
    pub queue: Vec<SavedSegment>,
    /// Whether part of the first segment has been written before; what is here is the rest.
    pub is_begun: bool,
    /// What it has had.
    pub counters: Counters,
}

/// Bytes of a queue that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedSegment {
    /// The bytes.
    pub bytes: Bytes,
    /// How many messages they are; 0 for what is no message of the bus.
    pub messages: u32,
}

/// A ring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedRing {
    /// Its topics.
    pub prefix: Bytes,
    /// The last number it does not have.
    pub gone: u64,
    /// What it has: number, and frames.
    pub messages: Vec<(u64, Bytes)>,
}

/// Why a member or a subscription of the bus before could not be taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The member is not on the new bus.
    #[error("cannot take over member {id} of the bus before: {1}", id = .0.0)]
    Member(MemberId, crate::JoinError),
    /// The member is there, without this subscription.
    #[error("cannot take over a subscription of member {id}: {1}", id = .0.0)]
    Subscription(MemberId, SubscribeError),
}

impl Bus {
    /// Everything a successor needs.
    #[must_use]
    pub fn save(&self) -> SavedBus {
        let saved = |segment| SavedSegment { bytes: self.pool.to_bytes(segment), messages: segment.messages };
        let members =
            self.members.iter().filter(|(_, member)| !member.is_doomed).map(|(seat, member)| SavedMember {
                id: member.id,
                membership: member.membership.clone(),
                subscriptions: self
                    .subscriptions
                    .of(seat)
                    .map(|(filter, times)| (filter.clone(), times))
                    .collect(),
                queue: member.queue.segments().map(saved).collect(),
                is_begun: member.queue.is_begun(),
                counters: member.counters,
            });
        let rings = self.rings.iter().map(|ring| SavedRing {
            prefix: ring.spec.prefix.clone(),
            gone: ring.gone(),
            messages: ring.kept().map(|kept| (kept.sequence, self.pool.to_bytes(&kept.frames))).collect(),
        });
        let dropped = self.work_dropped();
        SavedBus {
            next_sequence: self.next_sequence,
            members: members.collect(),
            rings: rings.collect(),
            backlog: self.consumers.backlog().segments().map(saved).collect(),
            backlog_dropped: (dropped.messages, dropped.bytes),
            is_backlog_kept: self.consumers.is_kept,
            totals: self.totals,
        }
    }

    /// The bus `saved` was, with these options, and what of it does not fit them. Rings are those of the options; one
    /// whose topics were kept before goes on with what was kept.
    #[must_use]
    pub fn restore(options: BusOptions, saved: SavedBus) -> (Self, Vec<RestoreError>) {
        let mut errors = Vec::new();
        let first_sequence = saved.next_sequence.max(options.first_sequence);
        let mut bus = Self::new(BusOptions { first_sequence, ..options });
        bus.totals = saved.totals;
        for ring in &mut bus.rings {
            let Some(before) = saved.rings.iter().find(|before| before.prefix == ring.spec.prefix) else {
                continue;
            };
            ring.resume(before.gone);
            for (sequence, frames) in &before.messages {
                let segment = bus.pool.copy(frames, 1);
                ring.keep(*sequence, segment, &mut bus.pool);
            }
        }
        bus.began = bus.rings.iter().map(Ring::gone).fold(bus.began, u64::min);
        bus.consumers.is_kept |= saved.is_backlog_kept;
        let (messages, bytes) = saved.backlog_dropped;
        bus.consumers.dropped = Gone { messages, bytes };
        for waiting in saved.backlog.iter().filter(|waiting| waiting.messages > 0) {
            let segment = bus.pool.copy(&waiting.bytes, waiting.messages);
            bus.pool.hold(segment.chunk, segment.len());
            bus.consumers.restore(segment);
        }
        for member in saved.members {
            bus.restore_member(member, &mut errors);
        }
        (bus, errors)
    }

    fn restore_member(&mut self, saved: SavedMember, errors: &mut Vec<RestoreError>) {
        let id = saved.id;
        let is_consumer = saved.membership.role == Role::Consumer;
        let seat = match self.join_quietly(id, saved.membership) {
            Ok(seat) => seat,
            Err(error) => return errors.push(RestoreError::Member(id, error)),
        };
        for (filter, times) in saved.subscriptions {
            if let Err(error) = self.subscriptions.add(seat, filter, times.max(1), &self.options) {
                errors.push(RestoreError::Subscription(id, error));
            }
        }
        if let Some(member) = self.members.at_mut(seat) {
            member.counters = saved.counters;
            for waiting in saved.queue.iter().filter(|waiting| !waiting.bytes.is_empty()) {
                let segment = self.pool.copy(&waiting.bytes, waiting.messages);
                self.pool.hold(segment.chunk, segment.len());
                member.queue.append(segment, 0);
            }
            if saved.is_begun {
                member.queue.begin();
            }
            if !member.queue.is_empty() {
                self.members.wake(seat);
            }
        }
        if is_consumer {
            self.consumers.enter(seat, &mut self.members);
        }
    }
}
