//! What happened: who heard what, in which order, and what was carried for it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::spread::Event;
use crate::{Epoch, NodeId};

/// What was seen in a world.
#[derive(Debug, Default)]
pub struct Record {
    /// For each node, in its last life, by origin: what it was given, in order.
    pub heard: Vec<BTreeMap<NodeId, Vec<Heard>>>,
    /// For each node, in its last life: how many changes of the store it was given.
    pub changes: Vec<u64>,
    /// Messages that came to a node together with one that it wants, while it did not want them.
    pub unwanted: u64,
    /// Messages of origins that arrived at machines, whether new or not.
    pub updates: u64,
    /// All other messages that arrived.
    pub others: u64,
    /// Weight of all messages that arrived, in bytes.
    pub bytes: u64,
    /// What nodes told, each with the node and the time; the first 100,000.
    pub events: Vec<(Duration, usize, Event)>,
    /// Orders to close a link as its peer sent what is beyond the limits: none in a sound world.
    pub malformed: u64,
}

/// A message as a node was given it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// The life of its origin.
    pub epoch: Epoch,
    /// Its number with its origin.
    pub sequence: u64,
    /// Links it came over.
    pub hops: u16,
    /// When it was there.
    pub at: Duration,
}

impl Record {
    /// Events kept at most.
    pub(crate) const EVENTS_MAX: usize = 100_000;

    /// The first breach of order: what was given twice, or after a later one of the same life. None in a sound world.
    #[must_use]
    pub fn disorder(&self) -> Option<(usize, NodeId, Heard)> {
        for (node, by_origin) in self.heard.iter().enumerate() {
            for (origin, heard) in by_origin {
                let breach = heard
                    .windows(2)
                    .find(|two| (two[1].epoch, two[1].sequence) <= (two[0].epoch, two[0].sequence));
                if let Some(two) = breach {
                    return Some((node, *origin, two[1]));
                }
            }
        }
        None
    }
}
