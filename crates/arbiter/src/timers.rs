//! What the machine waits for: at most one moment for each key.

use std::collections::{BTreeMap, BTreeSet};

use remuda_model::{ServiceName, Tick, WorkerId};
use serde::{Deserialize, Serialize};

/// What a moment is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Key {
    /// Something about a worker.
    Worker(WorkerId, Alarm),
    /// A slot is tried again.
    Retry(ServiceName, u32),
    /// An on-demand service is looked at: is anybody connected?
    Idle(ServiceName),
    /// A service that scales is measured.
    Measure(ServiceName),
    /// A held service starts again.
    Held(ServiceName),
    /// A stop of everything has taken too long.
    Shutdown,
}

/// What about a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Alarm {
    /// It should be ready by now.
    Ready,
    /// What waited for it should be served by now.
    Drained,
    /// It should be gone by now.
    Grace,
    /// It should have pinged by now.
    Watchdog,
    /// It has been ready long enough to count as booted.
    Proven,
    /// It has been ready long enough to end a row of failures.
    Healthy,
    /// It has stayed alive long enough to replace its predecessor.
    Baked,
    /// It is old.
    Age,
}

const ALARMS: [Alarm; 8] = [
    Alarm::Ready,
    Alarm::Drained,
    Alarm::Grace,
    Alarm::Watchdog,
    Alarm::Proven,
    Alarm::Healthy,
    Alarm::Baked,
    Alarm::Age,
];

#[derive(Debug, Default)]
pub(crate) struct Timers {
    by_key: BTreeMap<Key, Tick>,
    by_time: BTreeSet<(Tick, Key)>,
}

impl Timers {
    /// Sets the moment of `key`, in place of the one before.
    pub(crate) fn set(&mut self, key: Key, at: Tick) {
        if let Some(before) = self.by_key.insert(key.clone(), at) {
            self.by_time.remove(&(before, key.clone()));
        }
        self.by_time.insert((at, key));
    }

    pub(crate) fn clear(&mut self, key: Key) {
        if let Some(at) = self.by_key.remove(&key) {
            self.by_time.remove(&(at, key));
        }
    }

    pub(crate) fn clear_worker(&mut self, worker: WorkerId) {
        for alarm in ALARMS {
            self.clear(Key::Worker(worker, alarm));
        }
    }

    pub(crate) fn at(&self, key: &Key) -> Option<Tick> {
        self.by_key.get(key).copied()
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.by_key.keys()
    }

    /// All keys with their moments.
    pub(crate) fn moments(&self) -> impl Iterator<Item = (Key, Tick)> {
        self.by_key.iter().map(|(key, at)| (key.clone(), *at))
    }

    /// The next moment.
    pub(crate) fn next(&self) -> Option<Tick> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes out one key whose moment has come, the earliest first.
    pub(crate) fn pop_due(&mut self, now: Tick) -> Option<Key> {
        if self.next()? > now {
            return None;
        }
        let (_, key) = self.by_time.pop_first()?;
        self.by_key.remove(&key);
        Some(key)
    }
}
