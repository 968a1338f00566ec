//! Which messages are kept, over all origins, in the order they came: the oldest go first.

use std::collections::VecDeque;
use std::time::Duration;

use crate::{Epoch, NodeId};

/// What one kept entry costs beside its bytes: its entry here, its entry with its origin, and its frames' handles.
const COST: usize = 192;

/// The order in which messages came, and what they weigh.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    order: VecDeque<Entry>,
    bytes: usize,
    messages: u64,
}

/// Messages that came together and are kept, unless their origin has begun a new life since.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) at: Duration,
    pub(crate) origin: NodeId,
    pub(crate) epoch: Epoch,
    /// The number of the last.
    pub(crate) sequence: u64,
    pub(crate) messages: u64,
    pub(crate) bytes: usize,
}

impl Cache {
    pub(crate) fn push(&mut self, entry: Entry) {
        let entry = Entry { bytes: entry.bytes.saturating_add(COST), ..entry };
        self.bytes = self.bytes.saturating_add(entry.bytes);
        self.messages = self.messages.saturating_add(entry.messages);
        self.order.push_back(entry);
    }

    /// Takes the oldest when there is more than `bytes_max`, or it is `age_max` old.
    pub(crate) fn pop(&mut self, bytes_max: usize, age_max: Duration, now: Duration) -> Option<Entry> {
        let oldest = *self.order.front()?;
        if self.bytes <= bytes_max && now < oldest.at + age_max {
            return None;
        }
        self.order.pop_front();
        self.bytes = self.bytes.saturating_sub(oldest.bytes);
        self.messages = self.messages.saturating_sub(oldest.messages);
        Some(oldest)
    }

    /// When the oldest came.
    pub(crate) fn oldest(&self) -> Option<Duration> {
        self.order.front().map(|entry| entry.at)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn messages(&self) -> usize {
        usize::try_from(self.messages).unwrap_or(usize::MAX)
    }
}
