//! What is known of one node of the herd.

use std::sync::Arc;
use std::time::Duration;

use super::message::{Fact, Interest};
use crate::NodeId;

/// A node that has said something of itself.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) fact: Arc<Fact>,
    pub(crate) interest: Option<Arc<Interest>>,
    pub(crate) standing: Standing,
    /// Since when it stands so.
    pub(crate) since: Duration,
    /// Whether it has never been reached.
    pub(crate) is_new: bool,
    /// Links on the shortest way to it, when it was last reached.
    pub(crate) distance: u32,
    /// The neighbour that this way begins with; none when no way leads to it.
    pub(crate) first: Option<NodeId>,
    /// Whether it is known only as long as it is a neighbour: there was no room for one more.
    pub(crate) is_neighbour_only: bool,
}

/// Whether a node is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// A way leads to it.
    Here,
    /// No way has led to it for a moment.
    Suspected,
    /// No way has led to it for so long that it is taken for lost.
    Lost,
    /// It left in good order.
    Left,
}

impl Member {
    pub(crate) fn new(fact: Arc<Fact>, now: Duration, is_neighbour_only: bool) -> Self {
        // It counts as there only once a survey finds the way to it.
        Self {
            fact,
            interest: None,
            standing: Standing::Lost,
            since: now,
            is_new: true,
            distance: 0,
            first: None,
            is_neighbour_only,
        }
    }

    /// Life and version of what it says of itself.
    pub(crate) fn version(&self) -> (u64, u64) {
        (self.fact.epoch.0, self.fact.version)
    }

    /// The version of what its subscribers want; 0 when this is not known.
    pub(crate) fn interest_version(&self) -> u64 {
        self.interest.as_ref().map_or(0, |interest| interest.version)
    }
}
