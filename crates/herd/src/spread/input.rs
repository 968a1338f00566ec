//! What the machine is told.

use std::time::Duration;

use bytes::Bytes;
use remuda_model::message::Batch;

use super::message::Message;
use super::summary::Summary;
use crate::{Epoch, NodeId};

/// A link to a peer, numbered by the shell; a number is never used again in one life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// A fact the shell has to tell.
#[derive(Debug, Clone)]
pub enum Input {
    /// A link is up: both sides have shaken hands, and know each other for who they are.
    Up(Up),
    /// A link is gone; what was on its way may be lost.
    Down {
        /// Which.
        link: LinkId,
    },
    /// A message came over a link, in the order the peer sent it.
    Received {
        /// The link it came over.
        link: LinkId,
        /// The message, within the limits its type names.
        message: Message,
    },
    /// Messages that were ordered to be sent have been written to the link.
    Sent {
        /// The link.
        link: LinkId,
        /// The sum of their [`Message::weight`]s.
        weight: usize,
    },
    /// A client of this node publishes messages; local subscribers have them already. They are spread together as far as
    /// the same nodes may want them and they are within [`Payload`](super::Payload)'s limits.
    Publish(Batch),
    /// The store of this node has changed: to be carried to every node, opaque.
    Change(Bytes),
    /// What the subscribers of this node want, all of it; [`Summary::Everything`] until this is said.
    Interest(Summary),
    /// A node that [`Order::Connect`](super::Order::Connect) named could not be reached.
    Unreachable(NodeId),
    /// A node to whom the shell will find the way: what discovery starts from.
    Introduce {
        /// The node, when it is known.
        node: NodeId,
        /// Where it listens.
        addresses: Vec<String>,
    },
    /// A node is no member any more, by the word of who may say so: nothing of it is believed from now on.
    Remove(NodeId),
    /// The shell's own loop came late by this much: silence of that time was ours.
    Lagged(Duration),
    /// This node leaves in good order: it says so, and no more.
    Leave,
    /// The [`deadline`](super::Spread::deadline) has come.
    Tick,
}

/// A link that is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Up {
    /// The link.
    pub link: LinkId,
    /// Who is at its other end.
    pub peer: NodeId,
    /// Its life.
    pub epoch: Epoch,
    /// The version of the protocol the two agreed on.
    pub version: u16,
    /// Whether this side made the connection: of two links between the same two nodes, the one that the node with the
    /// lower number made is kept.
    pub is_dialled: bool,
}
