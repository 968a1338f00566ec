//! Kinds of ZeroMQ sockets, and which of them talk to each other (RFCs 28 to 31).

use std::fmt;

/// What a socket is, as it says in its READY.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SocketType {
    /// Exactly one peer.
    Pair,
    /// Publishes to subscribers.
    Pub,
    /// Subscribes; sends no data.
    Sub,
    /// As `Pub`, and its application sees the subscriptions.
    Xpub,
    /// As `Sub`, and may send messages upstream.
    Xsub,
    /// Gives work out.
    Push,
    /// Takes work in.
    Pull,
    /// Asks, waits for the answer.
    Req,
    /// Answers.
    Rep,
    /// Asks and answers in any order.
    Dealer,
    /// As `Dealer`, and knows its peers by their identity.
    Router,
}

impl SocketType {
    /// Every one there is.
    pub const ALL: [Self; 11] = [
        Self::Pair,
        Self::Pub,
        Self::Sub,
        Self::Xpub,
        Self::Xsub,
        Self::Push,
        Self::Pull,
        Self::Req,
        Self::Rep,
        Self::Dealer,
        Self::Router,
    ];

    /// Its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pair => "PAIR",
            Self::Pub => "PUB",
            Self::Sub => "SUB",
            Self::Xpub => "XPUB",
            Self::Xsub => "XSUB",
            Self::Push => "PUSH",
            Self::Pull => "PULL",
            Self::Req => "REQ",
            Self::Rep => "REP",
            Self::Dealer => "DEALER",
            Self::Router => "ROUTER",
        }
    }

    /// The one with this name; names are case-sensitive on the wire.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name().as_bytes() == name)
    }

    /// Those it can talk to, what serves it best first.
    #[must_use]
    pub fn partners(self) -> &'static [Self] {
        match self {
            Self::Pair => &[Self::Pair],
            Self::Pub | Self::Xpub => &[Self::Sub, Self::Xsub],
            Self::Sub | Self::Xsub => &[Self::Xpub, Self::Pub],
            Self::Push => &[Self::Pull],
            Self::Pull => &[Self::Push],
            Self::Req => &[Self::Router, Self::Rep],
            Self::Rep => &[Self::Dealer, Self::Req],
            Self::Dealer => &[Self::Router, Self::Dealer, Self::Rep],
            Self::Router => &[Self::Router, Self::Dealer, Self::Req],
        }
    }

    /// Whether it subscribes to its peers.
    #[must_use]
    pub fn is_subscriber(self) -> bool {
        matches!(self, Self::Sub | Self::Xsub)
    }

    /// Whether it says its identity in its READY, as libzmq has it.
    pub(super) fn has_identity(self) -> bool {
        matches!(self, Self::Req | Self::Dealer | Self::Router)
    }

    fn bit(self) -> u16 {
        1 << (self as u16)
    }
}

impl fmt::Display for SocketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of them: what an accepting endpoint is ready to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketTypes(u16);

impl SocketTypes {
    /// These.
    #[must_use]
    pub fn of(kinds: &[SocketType]) -> Self {
        Self(kinds.iter().fold(0, |bits, kind| bits | kind.bit()))
    }

    /// What a hub can be: a partner for every kind but `PAIR`.
    #[must_use]
    pub fn hub() -> Self {
        use SocketType::{Dealer, Pull, Push, Router, Sub, Xpub};
        Self::of(&[Xpub, Sub, Pull, Push, Router, Dealer])
    }

    /// Whether `kind` is in it.
    #[must_use]
    pub fn contains(self, kind: SocketType) -> bool {
        self.0 & kind.bit() != 0
    }

    /// The one of these that serves `peer` best.
    #[must_use]
    pub fn partner_of(self, peer: SocketType) -> Option<SocketType> {
        peer.partners().iter().copied().find(|kind| self.contains(*kind))
    }
}

impl fmt::Display for SocketTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for kind in SocketType::ALL.into_iter().filter(|kind| self.contains(*kind)) {
            write!(f, "{separator}{kind}")?;
            separator = ", ";
        }
        Ok(())
    }
}
