//! A consumer group: how far it has read, who reads, and what each was given and has not acknowledged.
//!
//! A pending entry stands twice: in the group's list, with its owner, and in the owner's. Both are ordered by id, as the
//! commands list them. An owner's name is shared, not copied.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::id::StreamId;
use crate::value::ALLOCATION_BYTES;

/// What a pending entry takes: its places in two trees.
const PENDING_BYTES: usize = size_of::<Pending>() + 2 * size_of::<StreamId>() + 2 * ALLOCATION_BYTES;
/// What a consumer takes beside its name.
const CONSUMER_BYTES: usize = size_of::<Consumer>() + 3 * ALLOCATION_BYTES;

/// A group of consumers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Group {
    /// The last entry given to any consumer.
    pub(crate) last_delivered: StreamId,
    /// How many entries of the stream's life are up to there, if that is known.
    pub(crate) entries_read: Option<u64>,
    pending: BTreeMap<StreamId, Pending>,
    consumers: BTreeMap<Arc<[u8]>, Consumer>,
    name_bytes: usize,
}

/// An entry that was given to a consumer and not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pending {
    /// Who has it.
    pub(crate) consumer: Arc<[u8]>,
    /// When it was given last, in milliseconds since 1970.
    pub(crate) delivered_wall_ms: u64,
    /// How often it was given.
    pub(crate) deliveries: u64,
}

/// One of a group.
#[derive(Debug, Clone, Default)]
pub(crate) struct Consumer {
    /// When it last tried to read or claim, in milliseconds since 1970.
    pub(crate) seen_wall_ms: u64,
    /// When it last was given something, if ever, in milliseconds since 1970.
    pub(crate) active_wall_ms: Option<u64>,
    pending: BTreeSet<StreamId>,
}

impl Group {
    /// A group that has read up to `last_delivered`.
    pub(crate) fn new(last_delivered: StreamId, entries_read: Option<u64>) -> Self {
        Self { last_delivered, entries_read, ..Self::default() }
    }

    /// All pending entries.
    pub(crate) fn pending(&self) -> &BTreeMap<StreamId, Pending> {
        &self.pending
    }

    /// All consumers.
    pub(crate) fn consumers(&self) -> &BTreeMap<Arc<[u8]>, Consumer> {
        &self.consumers
    }

    /// The consumer of this name.
    pub(crate) fn consumer(&self, name: &[u8]) -> Option<&Consumer> {
        self.consumers.get(name)
    }

    /// The consumer of this name, to note when it was seen.
    pub(crate) fn consumer_mut(&mut self, name: &[u8]) -> Option<&mut Consumer> {
        self.consumers.get_mut(name)
    }

    /// Makes a consumer; whether there was none of this name.
    pub(crate) fn create_consumer(&mut self, name: &[u8], wall_ms: u64) -> bool {
        if self.consumers.contains_key(name) {
            return false;
        }
        let consumer = Consumer { seen_wall_ms: wall_ms, ..Consumer::default() };
        self.consumers.insert(name.into(), consumer);
        self.name_bytes += name.len();
        true
    }

    /// Removes a consumer and what it has pending; how many entries that were.
    pub(crate) fn remove_consumer(&mut self, name: &[u8]) -> Option<usize> {
        let consumer = self.consumers.remove(name)?;
        self.name_bytes -= name.len();
        for id in &consumer.pending {
            self.pending.remove(id);
        }
        Some(consumer.pending.len())
    }

    /// Makes `id` pending with the consumer of this name, which must exist, whoever had it before.
    pub(crate) fn assign(&mut self, id: StreamId, name: &[u8], delivered_wall_ms: u64, deliveries: u64) {
        let Some((name, consumer)) = self.consumers.get_key_value(name) else {
            debug_assert!(false, "entries are given to consumers that exist");
            return;
        };
        let is_owner = consumer.pending.contains(&id);
        let pending = Pending { consumer: Arc::clone(name), delivered_wall_ms, deliveries };
        let name = Arc::clone(name);
        let old = self.pending.insert(id, pending);
        if is_owner {
            return;
        }
        if let Some(owner) = old.and_then(|old| self.consumers.get_mut(&old.consumer)) {
            owner.pending.remove(&id);
        }
        if let Some(consumer) = self.consumers.get_mut(&name) {
            consumer.pending.insert(id);
        }
    }

    /// Notes that a pending entry was given to its owner once more.
    pub(crate) fn redeliver(&mut self, id: StreamId, wall_ms: u64) {
        if let Some(pending) = self.pending.get_mut(&id) {
            pending.delivered_wall_ms = wall_ms;
            pending.deliveries = pending.deliveries.saturating_add(1);
        }
    }

    /// Ends the wait for `id`; whether it was pending.
    pub(crate) fn acknowledge(&mut self, id: StreamId) -> bool {
        let Some(pending) = self.pending.remove(&id) else {
            return false;
        };
        if let Some(owner) = self.consumers.get_mut(&pending.consumer) {
            owner.pending.remove(&id);
        }
        true
    }

    /// Bytes on the heap, estimated.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.pending.len() * PENDING_BYTES + self.consumers.len() * CONSUMER_BYTES + self.name_bytes
    }
}

impl Consumer {
    /// The ids it was given and has not acknowledged.
    pub(crate) fn pending(&self) -> &BTreeSet<StreamId> {
        &self.pending
    }
}
