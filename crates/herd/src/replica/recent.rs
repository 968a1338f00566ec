//! The last changes that came in, in their order: what a server that was away has missed, without a comparison.
//!
//! An entry is a mark and the short hash of a key. Entries have positions that count on for the life of the process, so that
//! a fetch that was cut off goes on where it was, and a peer that comes back to the same process asks for what came
//! since. The number remembered follows the number of keys: who missed more than a quarter of all is better served by a
//! comparison of all.

use std::collections::{BTreeMap, VecDeque};

use crate::NodeId;
use crate::replica::mark::{Mark, Stamp};

/// One change that came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) mark: Mark,
    pub(crate) hash: u64,
}

/// The last changes.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    arrivals: VecDeque<Arrival>,
    /// Position of the first one.
    first: u64,
    /// The highest stamp of each server that was forgotten.
    forgotten: BTreeMap<NodeId, Stamp>,
}

impl Recent {
    pub(crate) fn push(&mut self, arrival: Arrival, max: usize) {
        self.arrivals.push_back(arrival);
        while self.arrivals.len() > max {
            let Some(old) = self.arrivals.pop_front() else { break };
            self.first += 1;
            self.forget(old.mark);
        }
    }

    /// Notes a change that is there and stands in no order: it was read from the disk.
    pub(crate) fn forget(&mut self, mark: Mark) {
        let highest = self.forgotten.entry(mark.node).or_default();
        *highest = mark.stamp.max(*highest);
    }

    /// Where the next one will stand.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.arrivals.len() as u64
    }

    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    pub(crate) fn forgotten(&self) -> &BTreeMap<NodeId, Stamp> {
        &self.forgotten
    }

    /// The change at a position; none when it was forgotten, or is not there yet.
    pub(crate) fn at(&self, position: u64) -> Option<Arrival> {
        let index = usize::try_from(position.checked_sub(self.first)?).ok()?;
        self.arrivals.get(index).copied()
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.arrivals.capacity() * size_of::<Arrival>()
    }
}
