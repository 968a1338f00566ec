//! Pictures of the herd as one node sees it.

use std::time::Duration;

use super::input::LinkId;
use super::link::LinkCounters;
use super::machine::Spread;
use super::member::Standing;
use super::message::LinkState;
use crate::{Epoch, NodeId};

/// Counts since this life began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages and changes this node was told and spread.
    pub published: u64,
    /// Those of other nodes that came, each once.
    pub received: u64,
    /// Messages given to local subscribers.
    pub delivered: u64,
    /// What came again.
    pub duplicates: u64,
    /// What was not sent here, as nobody here or behind wanted it.
    pub skipped: u64,
    /// What will not come any more: no peer had it when it was asked for.
    pub lost: u64,
    /// Messages that links were too far behind for, of links that are gone; see [`LinkView::counters`] for those that are up.
    pub dropped: u64,
    /// Messages that came before others that should have; they come again, in order.
    pub holes: u64,
    /// Messages of lives that are over.
    pub stale: u64,
    /// Messages of this node that were too large to spread.
    pub too_large: u64,
    /// Origins told in digests.
    pub announced: u64,
    /// How often links were made part of a tree to get what was missing.
    pub grafts: u64,
    /// How often links were made lazy.
    pub prunes: u64,
    /// How often a link took another's place in a tree as the origin is nearer that way.
    pub improvements: u64,
    /// Links that came up.
    pub links_up: u64,
    /// Links that went.
    pub links_down: u64,
    /// How often this node's own loop was late.
    pub lags: u64,
    /// Facts of nodes for which there was no room.
    pub facts_refused: u64,
    /// Messages of nodes for which there was no room.
    pub origins_refused: u64,
    /// Messages beyond the limits; their links were closed.
    pub malformed: u64,
}

/// The herd at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpreadView {
    /// This node.
    pub me: NodeId,
    /// Its life.
    pub epoch: Epoch,
    /// Whether messages go along trees.
    pub is_tree: bool,
    /// Trees there are; origins share them when they are more.
    pub trees: usize,
    /// Whether the herd is larger than what is known of it.
    pub is_partial: bool,
    /// How unwell this node is itself: 0 to 8.
    pub ailment: u32,
    /// Messages kept for repairs.
    pub cached_messages: usize,
    /// Their bytes, with what keeping them costs.
    pub cached_bytes: usize,
    /// Nodes whose messages are followed.
    pub origins: usize,
    /// Counts since this life began.
    pub counters: Counters,
    /// Links that are up, by number.
    pub links: Vec<LinkView>,
    /// Nodes that are known, this one among them, by number.
    pub members: Vec<MemberView>,
}

/// A link that is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkView {
    /// The link.
    pub link: LinkId,
    /// Who is at its other end.
    pub peer: NodeId,
    /// The life of the peer.
    pub epoch: Epoch,
    /// The version of the protocol spoken.
    pub version: u16,
    /// How it is.
    pub state: LinkState,
    /// How long it has been up.
    pub age: Duration,
    /// How long nothing has come.
    pub silence: Duration,
    /// The smoothed round trip, once measured.
    pub round_trip: Option<Duration>,
    /// Bytes given to it and not written yet.
    pub in_flight: usize,
    /// Origins that have something for it which it has no room for.
    pub waiting_origins: usize,
    /// Trees it is part of.
    pub trees: usize,
    /// What has gone over it.
    pub counters: LinkCounters,
}

/// A node that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberView {
    /// The node.
    pub node: NodeId,
    /// Its life.
    pub epoch: Epoch,
    /// Its name.
    pub name: String,
    /// Where it listens.
    pub addresses: Vec<String>,
    /// The newest version of the protocol it speaks.
    pub protocol: u16,
    /// Whether it is there.
    pub standing: Standing,
    /// For how long it has been so.
    pub lasting: Duration,
    /// Links on the shortest way to it, now or when it was last reached; 0 for this node.
    pub distance: u32,
    /// Its links, by what it says.
    pub links: Vec<(NodeId, LinkState)>,
    /// Number of the last message of it that was taken in this life.
    pub sequence: u64,
}

impl Spread {
    /// The herd as this node sees it.
    #[must_use]
    pub fn view(&self) -> SpreadView {
        SpreadView {
            me: self.me,
            epoch: self.epoch,
            is_tree: self.is_tree,
            trees: self.trees,
            is_partial: self.is_partial,
            ailment: self.ailment,
            cached_messages: self.cache.messages(),
            cached_bytes: self.cache.bytes(),
            origins: self.origins.len(),
            counters: self.counters,
            links: self.links.keys().filter_map(|link| self.link_view(*link)).collect(),
            members: self.members.keys().filter_map(|node| self.member_view(*node)).collect(),
        }
    }

    /// Counts since this life began, without the rest of the picture.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The neighbour with which the shortest way to a node begins, by what is known of links; none when no way leads there.
    #[must_use]
    pub fn next_on_way_to(&self, node: NodeId) -> Option<NodeId> {
        self.members.get(&node)?.first
    }

    /// The name of a node, if it has said it.
    #[must_use]
    pub fn name_of(&self, node: NodeId) -> Option<&str> {
        self.members.get(&node).map(|member| member.fact.name.as_str())
    }

    fn link_view(&self, id: LinkId) -> Option<LinkView> {
        let link = self.links.get(&id)?;
        Some(LinkView {
            link: id,
            peer: link.peer,
            epoch: link.epoch,
            version: link.version,
            state: link.state,
            age: self.now.saturating_sub(link.since),
            silence: self.now.saturating_sub(link.heard),
            round_trip: link.round_trip,
            in_flight: link.in_flight,
            waiting_origins: link.pending.len(),
            trees: link.eager_groups(self.trees),
            counters: link.counters,
        })
    }

    fn member_view(&self, node: NodeId) -> Option<MemberView> {
        let member = self.members.get(&node)?;
        let fact = &member.fact;
        let origin = self.origins.get(&node).filter(|origin| origin.epoch == fact.epoch);
        Some(MemberView {
            node,
            epoch: fact.epoch,
            name: fact.name.clone(),
            addresses: fact.addresses.clone(),
            protocol: fact.protocol,
            standing: member.standing,
            lasting: self.now.saturating_sub(member.since),
            distance: member.distance,
            links: fact.links.clone(),
            sequence: origin.map_or(0, |origin| origin.next.saturating_sub(1)),
        })
    }
}
