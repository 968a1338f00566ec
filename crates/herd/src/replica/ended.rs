//! What was deleted, until it may be forgotten.
//!
//! A deletion is remembered for the grace time, so that an older write that comes late does not bring the key back. Of
//! what is forgotten the newest stamp stays, the *horizon*: where a server has a write older than that, and another one
//! knows that write and has no such key, the key was deleted.

use std::collections::VecDeque;

use crate::replica::mark::{Mark, Stamp};
use crate::replica::meta::Part;
use crate::replica::table::Address;

/// One deletion.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) address: Address,
    pub(crate) part: Option<Part>,
    pub(crate) mark: Mark,
    until_tick_ms: u64,
}

/// Deletions in the order they came.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    queue: VecDeque<End>,
    pub(crate) horizon: Stamp,
}

impl Ended {
    pub(crate) fn push(&mut self, address: &[u8], part: Option<Part>, mark: Mark, until_tick_ms: u64) {
        self.queue.push_back(End { address: address.into(), part, mark, until_tick_ms });
    }

    /// The next one that is to be forgotten, and whether that is before its time.
    pub(crate) fn pop(&mut self, tick_ms: u64, max: usize) -> Option<(End, bool)> {
        let first = self.queue.front()?;
        let is_over = first.until_tick_ms <= tick_ms;
        if !is_over && self.queue.len() <= max {
            return None;
        }
        Some((self.queue.pop_front()?, !is_over))
    }

    pub(crate) fn next_tick_ms(&self) -> Option<u64> {
        self.queue.front().map(|end| end.until_tick_ms)
    }
}
