//! What the machine wants done, and what it has to tell.

use std::sync::Arc;

use bytes::Bytes;
use remuda_model::message::Batch;

use super::input::LinkId;
use super::message::Message;
use crate::{Epoch, NodeId};

/// Something to do.
#[derive(Debug, Clone)]
pub enum Order {
    /// Send this over a link, behind what was sent before; [`Input::Sent`](super::Input::Sent) tells when it is written.
    Send {
        /// The link.
        link: LinkId,
        /// The message.
        message: Message,
    },
    /// Give this to the subscribers of this node.
    Deliver(Delivery),
    /// Give this to the store's replica: a change another node told.
    Apply {
        /// The node whose change it is.
        origin: NodeId,
        /// The change.
        change: Bytes,
    },
    /// Make a link to a node, if it can be reached; one attempt, its failure told by
    /// [`Input::Unreachable`](super::Input::Unreachable).
    Connect {
        /// The node.
        node: NodeId,
        /// Where it listens.
        addresses: Vec<String>,
    },
    /// Close a link, after what was ordered before has been written. The machine has dropped it already.
    Disconnect {
        /// The link.
        link: LinkId,
        /// Why.
        reason: Disconnected,
    },
    /// Tell whoever listens.
    Tell(Event),
}

/// Messages of another node for the subscribers of this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The node they were published on.
    pub origin: NodeId,
    /// The life of that node.
    pub epoch: Epoch,
    /// The number of the first among what that node has spread in this life, from 1; the others follow it. Messages nobody
    /// here wants have numbers too.
    pub sequence: u64,
    /// Links they came over.
    pub hops: u16,
    /// What they say; some subscriber of this node may want one of them.
    pub batch: Arc<Batch>,
}

/// Why a link is to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disconnected {
    /// Nothing came for too long.
    Silent,
    /// Nothing could be written for too long.
    Stalled,
    /// Another link to the same peer is kept.
    Doubled,
    /// This node has more links than it wants; the peer will find others.
    Full,
    /// The peer is no member any more.
    Removed,
    /// The peer sent what is beyond the limits.
    Malformed,
    /// This node leaves.
    Leaving,
}

/// Something that happened to the herd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A node is there that was not known.
    Joined(NodeId),
    /// A node that was known has begun a new life.
    Restarted {
        /// The node.
        node: NodeId,
        /// Its new life.
        epoch: Epoch,
    },
    /// No way leads to a node any more; it may be lost.
    Suspected(NodeId),
    /// A node that was suspected was there after all.
    Refuted(NodeId),
    /// A node has not been reached for so long that it counts as lost.
    Lost(NodeId),
    /// A node that was lost is there again.
    Healed(NodeId),
    /// A node has left in good order.
    Left(NodeId),
    /// A node is a member no more.
    Removed(NodeId),
    /// Messages of a node will not come any more: no peer has them.
    Gap {
        /// The node.
        origin: NodeId,
        /// The number of the first that is missed.
        first: u64,
        /// How many.
        count: u64,
    },
    /// The herd knows of a later life of this very node: its state is older than what it had said, or somebody else uses
    /// its number. It has to begin a new life above this one before it is heard again.
    Superseded(Epoch),
    /// A message is larger than what may be spread, and stays on this node.
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
    },
    /// From now on messages go along a tree (or, if not, over all links).
    Mode {
        /// Whether along a tree.
        is_tree: bool,
    },
}
