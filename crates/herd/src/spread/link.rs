//! A link that is up: what waits for it, and what it has shown of itself.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::time::Duration;

use super::message::LinkState;
use crate::{Epoch, NodeId};

/// Groups of origins, by the last byte of their number, in a herd of up to [`OWN_TREES_UP_TO`] nodes: most origins have a
/// tree of their own then.
pub(crate) const GROUPS: usize = 256;

/// Groups in a larger herd, by the last four bits. The first message in a group goes everywhere; of nodes that seldom speak
/// there may be many, and so they share trees. Which origins share is each node's own choice: messages name origins.
pub(crate) const SHARED_GROUPS: usize = 16;

/// Nodes up to which there are as many trees as [`GROUPS`]; 64.
pub(crate) const OWN_TREES_UP_TO: usize = 64;

/// A link that is up.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) peer: NodeId,
    pub(crate) epoch: Epoch,
    pub(crate) version: u16,
    pub(crate) is_dialled: bool,
    pub(crate) state: LinkState,
    pub(crate) since: Duration,
    /// When anything last came.
    pub(crate) heard: Duration,
    /// When anything was last written, or nothing waited.
    pub(crate) moved: Duration,
    /// The ping that is out: its number, and when it went.
    pub(crate) ping: Option<(u64, Duration)>,
    pub(crate) pings: u64,
    /// Smoothed as in RFC 6298.
    pub(crate) round_trip: Option<Duration>,
    /// Bytes given to the link and not written yet.
    pub(crate) in_flight: usize,
    /// Groups of origins that this link hears digests of only.
    lazy: [u64; GROUPS / 64],
    /// Origins that have something for this link.
    pub(crate) pending: BTreeSet<NodeId>,
    turn: NodeId,
    /// Origins of which this lazy link has not been told yet.
    pub(crate) announce: BTreeSet<NodeId>,
    /// Nodes whose facts the peer is to be told.
    pub(crate) facts_due: BTreeSet<NodeId>,
    /// Nodes whose interests the peer is to be told.
    pub(crate) interests_due: BTreeSet<NodeId>,
    /// Whether the peer has said what it knows of nodes.
    pub(crate) is_acquainted: bool,
    pub(crate) counters: LinkCounters,
}

/// What has gone over a link since it came up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LinkCounters {
    /// Messages of origins sent.
    pub updates_sent: u64,
    /// Messages of origins that came.
    pub updates_received: u64,
    /// Those that had come already.
    pub duplicates: u64,
    /// Weight of everything sent, in bytes.
    pub bytes_sent: u64,
    /// Weight of everything that came, in bytes.
    pub bytes_received: u64,
    /// Messages that the link was too far behind for: no longer kept when it was their turn.
    pub dropped: u64,
}

impl Link {
    pub(crate) fn new(peer: NodeId, epoch: Epoch, version: u16, is_dialled: bool, now: Duration) -> Self {
        Self {
            peer,
            epoch,
            version,
            is_dialled,
            state: LinkState::Up,
            since: now,
            heard: now,
            moved: now,
            ping: None,
            pings: 0,
            round_trip: None,
            in_flight: 0,
            lazy: [0; GROUPS / 64],
            pending: BTreeSet::new(),
            turn: NodeId(0),
            announce: BTreeSet::new(),
            facts_due: BTreeSet::new(),
            interests_due: BTreeSet::new(),
            is_acquainted: false,
            counters: LinkCounters::default(),
        }
    }

    /// Whether this link hears only digests of a group of origins.
    pub(crate) fn is_lazy(&self, group: usize) -> bool {
        self.lazy[group / 64] & (1 << (group % 64)) != 0
    }

    pub(crate) fn set_lazy(&mut self, group: usize, is_lazy: bool) {
        let bit = 1 << (group % 64);
        if is_lazy {
            self.lazy[group / 64] |= bit;
        } else {
            self.lazy[group / 64] &= !bit;
        }
    }

    /// How many of so many groups of origins it is part of the tree for.
    pub(crate) fn eager_groups(&self, groups: usize) -> usize {
        (0..groups).filter(|group| !self.is_lazy(*group)).count()
    }

    /// The origin whose turn it is among those that have something for this link.
    pub(crate) fn next_pending(&mut self) -> Option<NodeId> {
        let after = self.pending.range((Bound::Excluded(self.turn), Bound::Unbounded)).next();
        let origin = *after.or_else(|| self.pending.first())?;
        self.turn = origin;
        Some(origin)
    }

    pub(crate) fn measured(&mut self, round_trip: Duration) {
        self.round_trip = Some(match self.round_trip {
            None => round_trip,
            Some(before) => (before * 7 + round_trip) / 8,
        });
    }
}

/// Which of so many groups an origin is in.
pub(crate) fn group(origin: NodeId, groups: usize) -> usize {
    usize::from(origin.0.to_le_bytes()[0]) % groups
}
