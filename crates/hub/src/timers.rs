//! What is to happen when, by the monotonic clock.

use std::collections::{BTreeMap, BTreeSet};

use remuda_model::Tick;

use crate::table::Key;

/// What a connection has to have done by then, or is told then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// To have said who it is.
    Greeting,
    /// To be told that no call came.
    Call,
    /// To be told that nobody subscribed.
    Sync,
    /// To be asked whether it still lives, or found dead.
    Heartbeat,
}

/// At most one of each sort for a connection.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    at: BTreeSet<(Tick, Key, Due)>,
    of: BTreeMap<(Key, Due), Tick>,
}

impl Timers {
    pub(crate) fn set(&mut self, key: Key, due: Due, at: Tick) {
        self.clear(key, due);
        self.at.insert((at, key, due));
        self.of.insert((key, due), at);
    }

    pub(crate) fn clear(&mut self, key: Key, due: Due) {
        if let Some(at) = self.of.remove(&(key, due)) {
            self.at.remove(&(at, key, due));
        }
    }

    pub(crate) fn forget(&mut self, key: Key) {
        for due in [Due::Greeting, Due::Call, Due::Sync, Due::Heartbeat] {
            self.clear(key, due);
        }
    }

    /// When something is due for a connection.
    pub(crate) fn at(&self, key: Key, due: Due) -> Option<Tick> {
        self.of.get(&(key, due)).copied()
    }

    pub(crate) fn next(&self) -> Option<Tick> {
        self.at.first().map(|(at, _, _)| *at)
    }

    /// The first that is over by `now`.
    pub(crate) fn pop(&mut self, now: Tick) -> Option<(Key, Due)> {
        let (at, key, due) = *self.at.first().filter(|(at, _, _)| *at <= now)?;
        self.at.remove(&(at, key, due));
        self.of.remove(&(key, due));
        Some((key, due))
    }
}
