//! What a member asks for, and why it may be refused.

use bytes::Bytes;

use crate::member::MemberId;

/// Which messages a member asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Filter {
    /// Messages whose first frame begins with these bytes; for ZMTP members. Counted: as many cancels as subscribes end
    /// it. A member gets a message once, however many of its prefixes fit.
    Prefix(Bytes),
    /// Messages with exactly this topic; for Redis members, as `SUBSCRIBE`.
    Channel(Bytes),
    /// Messages whose topic this glob stands for ([`glob_matches`](remuda_model::glob_matches)); for Redis members, as
    /// `PSUBSCRIBE`.
    Pattern(Bytes),
    /// What is published to exactly this shard channel; for Redis members, as `SSUBSCRIBE`. Its names have nothing to do
    /// with topics.
    Shard(Bytes),
    /// Messages whose topic begins with these bytes, each with its sequence number; for Redis members, our own addition.
    /// A member gets a message once, however many of its prefixes fit.
    Sequenced(Bytes),
}

/// The kind of a [`Filter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FilterKind {
    /// [`Filter::Prefix`].
    Prefix,
    /// [`Filter::Channel`].
    Channel,
    /// [`Filter::Pattern`].
    Pattern,
    /// [`Filter::Shard`].
    Shard,
    /// [`Filter::Sequenced`].
    Sequenced,
}

/// What a change of a member's subscriptions led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscribed {
    /// Subscriptions the member has now: for channels and patterns both together, else of that kind, as Redis counts in
    /// its acknowledgements.
    pub count: usize,
    /// Whether the filter began or ended to apply; false for a second subscribe, a cancel that leaves others, and a
    /// cancel of what was not subscribed.
    pub is_changed: bool,
}

/// Why a subscription was refused; the member's others stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubscribeError {
    /// Nobody of that id is here.
    #[error("cannot subscribe: member {} is not on the bus", .0.0)]
    Unknown(MemberId),
    /// ZMTP members have prefixes, Redis members everything else, consumers nothing.
    #[error("cannot subscribe: a filter of kind {0:?} does not fit what the member speaks")]
    Unfit(FilterKind),
    /// The filter is longer than [`BusOptions::subscription_bytes_max`](crate::BusOptions).
    #[error("cannot subscribe: {bytes} bytes are more than a subscription may have ({bytes_max})")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The member has [`BusOptions::subscriptions_per_member_max`](crate::BusOptions).
    #[error("cannot subscribe: the member has {0} subscriptions, as many as it may")]
    TooMany(usize),
    /// All together have [`BusOptions::subscriptions_max`](crate::BusOptions).
    #[error("cannot subscribe: there are {0} subscriptions, as many as the bus takes")]
    Full(usize),
}

impl Filter {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> FilterKind {
        match self {
            Self::Prefix(_) => FilterKind::Prefix,
            Self::Channel(_) => FilterKind::Channel,
            Self::Pattern(_) => FilterKind::Pattern,
            Self::Shard(_) => FilterKind::Shard,
            Self::Sequenced(_) => FilterKind::Sequenced,
        }
    }

    /// The prefix, name or glob.
    #[must_use]
    pub fn text(&self) -> &Bytes {
        match self {
            Self::Prefix(text)
            | Self::Channel(text)
            | Self::Pattern(text)
            | Self::Shard(text)
            | Self::Sequenced(text) => text,
        }
    }

    /// The same in memory of its own: a slice of a connection's buffer would keep all of that.
    pub(crate) fn compact(self) -> Self {
        let own = |text: Bytes| Bytes::copy_from_slice(&text);
        match self {
            Self::Prefix(text) => Self::Prefix(own(text)),
            Self::Channel(text) => Self::Channel(own(text)),
            Self::Pattern(text) => Self::Pattern(own(text)),
            Self::Shard(text) => Self::Shard(own(text)),
            Self::Sequenced(text) => Self::Sequenced(own(text)),
        }
    }
}
