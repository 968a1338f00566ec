//! What the machine wants to be woken for: each wait once, in the order they end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::input::LinkId;
use crate::NodeId;

/// A wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// Lazy links are told what is new.
    Announce,
    /// What was announced of this origin and has not come is asked for.
    Missing(NodeId),
    /// A link is listened to.
    Pulse(LinkId),
    /// The graph is surveyed anew after changes.
    Survey,
    /// What this node says of itself is told again.
    Fact,
    /// A node nobody reaches is lost, or forgotten.
    Absence(NodeId),
    /// Neighbours tell each other of others, and links are made.
    Shuffle,
    /// What is kept for repairs grows too old.
    Sweep,
}

/// All waits.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    due: BTreeSet<(Duration, Timer)>,
    at: BTreeMap<Timer, Duration>,
}

impl Timers {
    /// Waits until `at`, whatever it waited for before.
    pub(crate) fn set(&mut self, timer: Timer, at: Duration) {
        if let Some(before) = self.at.insert(timer, at) {
            self.due.remove(&(before, timer));
        }
        self.due.insert((at, timer));
    }

    /// Waits until `at`, unless it waits already.
    pub(crate) fn start(&mut self, timer: Timer, at: Duration) {
        if !self.at.contains_key(&timer) {
            self.set(timer, at);
        }
    }

    pub(crate) fn cancel(&mut self, timer: Timer) {
        if let Some(before) = self.at.remove(&timer) {
            self.due.remove(&(before, timer));
        }
    }

    pub(crate) fn next(&self) -> Option<Duration> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes the first wait that has ended by `now`.
    pub(crate) fn pop(&mut self, now: Duration) -> Option<Timer> {
        let (at, timer) = *self.due.first()?;
        if at > now {
            return None;
        }
        self.due.pop_first();
        self.at.remove(&timer);
        Some(timer)
    }
}
