//! What nodes say to each other over a link, once they have shaken hands.
//!
//! Plain values: the bytes they become are the wire's business. All numbers are unsigned; every list has a written bound,
//! which [`Message::is_within_limits`] holds a message to.

mod limits;

use std::sync::Arc;

use bytes::Bytes;
use remuda_model::message::Batch;

use super::summary::Summary;
use crate::{Epoch, NodeId};

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// What the sender knows of nodes, in short: first thing on a link, so that only what differs is told.
    Known(Known),
    /// What a node says of itself.
    Fact(Arc<Fact>),
    /// What the subscribers of a node want.
    Interest(Arc<Interest>),
    /// How far the sender is with origins: all of them when a link comes up, then what is new to lazy links.
    Have(Have),
    /// Messages of an origin.
    Update(Update),
    /// Nothing that the receiver wants came up to a number.
    Skip(Skip),
    /// Send me this origin's messages from a number on, and keep sending.
    Graft(Graft),
    /// I have this origin's messages from elsewhere: tell me of them, but do not send them.
    Prune(NodeId),
    /// A sign of life is asked for.
    Ping(u64),
    /// It is given, with the number of the ping.
    Pong(u64),
    /// Some nodes the sender knows of, when discovering.
    Sample(Sample),
    /// The sender closes the link on purpose.
    Bye(Farewell),
}

/// Which versions of facts the sender has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The nodes; at most [`Known::ENTRIES_MAX`] in one message.
    pub entries: Vec<KnownNode>,
    /// Whether this ends the list; nodes named in none of its messages are unknown to the sender.
    pub is_last: bool,
}

/// Which versions of one node's facts somebody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownNode {
    /// The node.
    pub node: NodeId,
    /// Its life.
    pub epoch: Epoch,
    /// The version of its [`Fact`] in this life.
    pub fact: u64,
    /// The version of its [`Interest`] in this life; 0 for none.
    pub interest: u64,
}

/// What a node says of itself; a later version replaces an earlier one, a later life all versions of earlier ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The node.
    pub node: NodeId,
    /// Its life.
    pub epoch: Epoch,
    /// Counts what it said in this life, from a number that chance decides, 1 to 2³².
    pub version: u64,
    /// Its name; [`Fact::NAME_MAX`] bytes.
    pub name: String,
    /// Where it listens; [`Fact::ADDRESSES_MAX`], each of [`Fact::ADDRESS_MAX`] bytes.
    pub addresses: Vec<String>,
    /// The newest version of the protocol it speaks.
    pub protocol: u16,
    /// Its links, by peer; [`Fact::LINKS_MAX`].
    pub links: Vec<(NodeId, LinkState)>,
    /// Whether it has left in good order.
    pub is_leaving: bool,
}

/// A link as one of its ends sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkState {
    /// Signs of life come.
    Up,
    /// None has come for a while.
    Suspect,
    /// It is gone, and may come back.
    Down,
}

/// What the subscribers of a node want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interest {
    /// The node.
    pub node: NodeId,
    /// Its life.
    pub epoch: Epoch,
    /// Counts what it said in this life, from 1.
    pub version: u64,
    /// What is wanted.
    pub summary: Summary,
}

/// How far the sender is with origins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Have {
    /// The origins; at most [`Have::ENTRIES_MAX`] in one message.
    pub entries: Vec<HaveOrigin>,
    /// Whether this is where the sender really stands (when a link comes up) rather than what it has news of.
    pub is_standing: bool,
}

/// How far the sender is with one origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HaveOrigin {
    /// The origin.
    pub origin: NodeId,
    /// Its life.
    pub epoch: Epoch,
    /// The number after the last that it has, or knows to be skipped or lost.
    pub next: u64,
    /// Links the newest came over until it was there.
    pub hops: u16,
    /// Milliseconds since the origin spread its first message in this life.
    pub age_ms: u64,
}

/// What an origin spreads at once: messages that follow each other, or a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The node it was told.
    pub origin: NodeId,
    /// The life of that node.
    pub epoch: Epoch,
    /// The number of the first among all it has spread in this life, from 1.
    pub sequence: u64,
    /// How many numbers just before it were not sent over this link, as nobody behind it wants them.
    pub skipped: u64,
    /// How many numbers before those the sender has lost.
    pub lost: u64,
    /// Links it came over until it was at the sender: 0 from the origin itself.
    pub hops: u16,
    /// What is to be spread.
    pub payload: Payload,
}

/// What is spread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// Messages for subscribers, of one publisher and one after the other: at least one, [`Payload::MESSAGES_MAX`] at most.
    /// Each has a number of its own, the first the [`Update`]'s; they stay together wherever they go.
    Messages(Arc<Batch>),
    /// A change of the store, opaque: every node wants it.
    Change(Bytes),
}

/// Nothing that the receiver wants came up to a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skip {
    /// The origin.
    pub origin: NodeId,
    /// Its life.
    pub epoch: Epoch,
    /// The number after the last that is skipped.
    pub next: u64,
    /// How many of the numbers before it the sender has lost.
    pub lost: u64,
}

/// Send me this origin's messages from a number on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Graft {
    /// The origin.
    pub origin: NodeId,
    /// Its life.
    pub epoch: Epoch,
    /// The first number wanted.
    pub next: u64,
}

/// Some nodes the sender knows of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The nodes; [`Sample::CONTACTS_MAX`].
    pub contacts: Vec<Contact>,
    /// Whether the sender wants a sample back.
    pub is_question: bool,
}

/// A node and where it listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The node.
    pub node: NodeId,
    /// Where it listens; bounded as [`Fact::addresses`].
    pub addresses: Vec<String>,
}

/// Why the sender closes the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farewell {
    /// It leaves the herd for now.
    Leaving,
    /// It has more links than it wants.
    Full,
    /// It keeps another link to the same node.
    Doubled,
    /// The receiver is no member any more.
    Removed,
}
