//! What the world asks of a protocol: one node of it, without I/O.

use std::time::Duration;

/// A node, by its place in the world.
pub type Place = usize;

/// Something a node is told.
#[derive(Debug)]
pub enum Told<M> {
    /// A link is there. `is_ours`: this node made it.
    Linked {
        /// Who is at its other end.
        peer: Place,
        /// Whether this node made it.
        is_ours: bool,
    },
    /// A link is gone, or the node it should lead to is.
    Parted(Place),
    /// A node that [`Deed::Link`] named is not there.
    Unreachable(Place),
    /// A message came over a link.
    Heard(Place, M),
    /// A node that is there, to begin with.
    Introduced(Place),
    /// To be said to everybody: a number, and no more.
    Say(u64),
    /// The deadline has come.
    Woken,
}

/// Something a node does.
#[derive(Debug)]
pub enum Deed<M> {
    /// Sends a message.
    Send(Place, M),
    /// Makes a link.
    Link(Place),
    /// Ends a link.
    Part(Place),
    /// Gives what was said, and came from this peer, to whoever listens here.
    Deliver {
        /// What was said.
        number: u64,
        /// Who it came from.
        from: Place,
    },
}

/// One node of a protocol.
pub trait Node {
    /// What nodes send each other.
    type Message;

    /// Whether sending is all it takes to have a link.
    const LINKS_BY_SENDING: bool;

    /// A node among others; `has_links`: its links are given, and it is to look for no others.
    fn new(place: Place, seed: u64, has_links: bool) -> Self;

    /// Takes in one fact, and appends what it does.
    fn step(&mut self, now: Duration, told: Told<Self::Message>, deeds: &mut Vec<Deed<Self::Message>>);

    /// When it wants to be woken.
    fn deadline(&self) -> Option<Duration>;

    /// Whether a message carries what was said.
    fn is_payload(message: &Self::Message) -> bool;

    /// The peers it counts as its own.
    fn peers(&self) -> Vec<Place>;
}
