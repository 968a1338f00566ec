//! Which messages are kept, over all origins, in the order they came: the oldest go first.

use std::collections::VecDeque;
use std::time::Duration;

use crate::{Epoch, NodeId};

/// What one kept message costs beside its bytes: its entry here, its entry with its origin, and its frames' handles.
const COST: usize = 192;

/// The order in which messages came, and what they weigh.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    order: VecDeque<Entry>,
    bytes: usize,
}

/// A message that is kept, unless its origin has begun a new life since.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) at: Duration,
    pub(crate) origin: NodeId,
    pub(crate) epoch: Epoch,
    pub(crate) sequence: u64,
    bytes: usize,
}

impl Cache {
    pub(crate) fn push(&mut self, at: Duration, origin: NodeId, epoch: Epoch, sequence: u64, bytes: usize) {
        let bytes = bytes.saturating_add(COST);
        self.bytes = self.bytes.saturating_add(bytes);
        self.order.push_back(Entry { at, origin, epoch, sequence, bytes });
    }

    /// Takes the oldest when there is more than `bytes_max`, or it is `age_max` old.
    pub(crate) fn pop(&mut self, bytes_max: usize, age_max: Duration, now: Duration) -> Option<Entry> {
        let oldest = *self.order.front()?;
        if self.bytes <= bytes_max && now < oldest.at + age_max {
            return None;
        }
        self.order.pop_front();
        self.bytes = self.bytes.saturating_sub(oldest.bytes);
        Some(oldest)
    }

    /// When the oldest came.
    pub(crate) fn oldest(&self) -> Option<Duration> {
        self.order.front().map(|entry| entry.at)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }
}
