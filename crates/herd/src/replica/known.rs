//! What a server knows: of each server, which stretches of its changes it has taken in.
//!
//! Each change says which one its server made before it, so that a stretch grows only where nothing is missing. After a
//! restart a server begins a new stretch: was it put back to an old copy of its files, then others have changes of its
//! own that it lacks, and it must not claim them. To claim too little costs bytes; to claim too much would lose keys:
//! what a server knows and does not have, it has seen deleted.

use std::collections::BTreeMap;

use crate::NodeId;
use crate::replica::mark::{Mark, Stamp};

/// Stretches remembered of one server: one for each of its restarts, more for a while after lost messages. Beyond, the
/// oldest is forgotten.
const STRETCHES_MAX: usize = 64;
/// Stretches in a message: what is left out is fetched though it is there.
pub const KNOWN_MAX: usize = 16_384;

/// Servers that are known of; of more not even one stretch each could be told.
const NODES_MAX: usize = KNOWN_MAX;

/// All changes of `node` after `after` up to and with `upto`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// Whose changes.
    pub node: NodeId,
    /// The last one before.
    pub after: Stamp,
    /// The last one of them.
    pub upto: Stamp,
}

/// What a server knows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Known {
    /// Of each server, disjoint and in order.
    stretches: BTreeMap<NodeId, Vec<(Stamp, Stamp)>>,
}

impl Known {
    /// From stretches in any order.
    pub fn from_stretches(stretches: impl IntoIterator<Item = Stretch>) -> Self {
        let mut known = Self::default();
        for stretch in stretches {
            known.add(stretch);
        }
        known
    }

    /// Its stretches, at most [`KNOWN_MAX`].
    pub fn stretches(&self) -> impl Iterator<Item = Stretch> {
        let all = self.stretches.iter().flat_map(|(&node, stretches)| {
            stretches.iter().map(move |&(after, upto)| Stretch { node, after, upto })
        });
        all.take(KNOWN_MAX)
    }

    /// Whether a change was taken in.
    #[must_use]
    pub fn covers(&self, mark: Mark) -> bool {
        let Some(stretches) = self.stretches.get(&mark.node) else { return false };
        let at = stretches.partition_point(|&(_, upto)| upto < mark.stamp);
        stretches.get(at).is_some_and(|&(after, _)| after < mark.stamp)
    }

    /// Whether it has every change that `other` has up to the stamp that `limits` names for each server.
    pub(crate) fn covers_all(&self, other: &Self, limits: &BTreeMap<NodeId, Stamp>) -> bool {
        limits.iter().all(|(node, &limit)| {
            let theirs = other.stretches.get(node).map_or(&[][..], Vec::as_slice);
            let own = self.stretches.get(node).map_or(&[][..], Vec::as_slice);
            theirs
                .iter()
                .filter(|(after, _)| *after < limit)
                .all(|&(after, upto)| own.iter().any(|&(from, to)| from <= after && upto.min(limit) <= to))
        })
    }

    /// Adds a stretch.
    pub fn add(&mut self, stretch: Stretch) {
        let Stretch { node, mut after, mut upto } = stretch;
        let has_room = self.stretches.len() < NODES_MAX || self.stretches.contains_key(&node);
        if after >= upto || !has_room {
            return;
        }
        let all = self.stretches.entry(node).or_default();
        let first = all.partition_point(|&(_, end)| end < after);
        let last = all.partition_point(|&(start, _)| start <= upto);
        if let Some(&(start, _)) = all.get(first).filter(|_| first < last) {
            after = after.min(start);
            upto = upto.max(all[last - 1].1);
        }
        all.splice(first..last, [(after, upto)]);
        if all.len() > STRETCHES_MAX {
            all.remove(0);
        }
    }

    /// Adds all that `other` knows.
    pub fn merge(&mut self, other: &Self) {
        for stretch in other.stretches() {
            self.add(stretch);
        }
    }
}
