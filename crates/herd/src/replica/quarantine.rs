//! Changes from the future, which wait until it has come.
//!
//! A server whose clock is wrong by an hour must not win against everybody for an hour, nor carry their clocks away. Its
//! changes wait here, up to a limit; those beyond are refused, and are fetched when their time has come.

use std::collections::BTreeMap;

use crate::replica::mark::Mark;
use crate::replica::state::Change;

/// Changes that wait, by their marks.
#[derive(Debug, Default)]
pub(crate) struct Quarantine {
    changes: BTreeMap<Mark, (Change, usize)>,
    bytes: usize,
    /// When the first of them may be taken in.
    due_tick_ms: Option<u64>,
}

impl Quarantine {
    /// Has a change wait. False when there is no room for it.
    pub(crate) fn push(
        &mut self,
        change: Change,
        bytes: usize,
        due_tick_ms: u64,
        max: usize,
        max_bytes: usize,
    ) -> bool {
        if self.changes.contains_key(&change.mark) {
            return true;
        }
        if self.changes.len() >= max || self.bytes + bytes > max_bytes {
            return false;
        }
        self.bytes += bytes;
        self.changes.insert(change.mark, (change, bytes));
        self.due_tick_ms = Some(self.due_tick_ms.map_or(due_tick_ms, |due| due.min(due_tick_ms)));
        true
    }

    /// Takes the change with the lowest mark.
    pub(crate) fn pop(&mut self) -> Option<Change> {
        let (_, (change, bytes)) = self.changes.pop_first()?;
        self.bytes -= bytes;
        Some(change)
    }

    pub(crate) fn first(&self) -> Option<Mark> {
        self.changes.keys().next().copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.changes.len()
    }

    pub(crate) fn due_tick_ms(&self) -> Option<u64> {
        self.due_tick_ms.filter(|_| !self.changes.is_empty())
    }

    pub(crate) fn set_due(&mut self, due_tick_ms: Option<u64>) {
        self.due_tick_ms = due_tick_ms;
    }
}
