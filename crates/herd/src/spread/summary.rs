//! What a node's subscribers want, told short.
//!
//! A set of prefixes of topics, none of which begins with another, in order: whether a topic is wanted is one binary
//! search. A summary that would be too long becomes "everything", so it may promise too much and never too little.

use bytes::Bytes;
use remuda_model::message::Batch;

/// What topics are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Summary {
    /// All.
    Everything,
    /// Those that begin with one of these.
    Prefixes(Prefixes),
}

/// Prefixes, sorted, none of which begins with another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prefixes(Vec<Bytes>);

impl Summary {
    /// Prefixes of one node; more become [`Summary::Everything`].
    pub const PREFIXES_MAX: usize = 1_024;
    /// Their bytes; more become [`Summary::Everything`].
    pub const BYTES_MAX: usize = 32 << 10;

    /// What all of these `prefixes` together want.
    #[must_use]
    pub fn of(prefixes: impl IntoIterator<Item = Bytes>) -> Self {
        let prefixes = Prefixes::of(prefixes);
        let bytes: usize = prefixes.0.iter().map(Bytes::len).sum();
        if prefixes.0.len() > Self::PREFIXES_MAX || bytes > Self::BYTES_MAX || prefixes.has_all() {
            return Self::Everything;
        }
        Self::Prefixes(prefixes)
    }

    /// What wants nothing.
    #[must_use]
    pub fn nothing() -> Self {
        Self::Prefixes(Prefixes::default())
    }

    /// Whether `topic` is wanted.
    #[must_use]
    pub fn wants(&self, topic: &[u8]) -> bool {
        match self {
            Self::Everything => true,
            Self::Prefixes(prefixes) => prefixes.wants(topic),
        }
    }

    /// Whether one of these messages is wanted.
    pub(crate) fn wants_one_of(&self, batch: &Batch) -> bool {
        match self {
            Self::Everything => true,
            Self::Prefixes(prefixes) => prefixes.want_one_of(batch),
        }
    }

    /// The prefixes in order; none when everything is wanted.
    #[must_use]
    pub fn prefixes(&self) -> &[Bytes] {
        match self {
            Self::Everything => &[],
            Self::Prefixes(prefixes) => &prefixes.0,
        }
    }
}

impl Prefixes {
    pub(crate) fn of(prefixes: impl IntoIterator<Item = Bytes>) -> Self {
        let mut all: Vec<Bytes> = prefixes.into_iter().collect();
        all.sort_unstable();
        // In this order whatever begins with a kept prefix follows it directly.
        all.dedup_by(|next, kept| next.starts_with(kept));
        Self(all)
    }

    pub(crate) fn wants(&self, topic: &[u8]) -> bool {
        let after = self.0.partition_point(|prefix| prefix.as_ref() <= topic);
        after.checked_sub(1).is_some_and(|at| topic.starts_with(&self.0[at]))
    }

    pub(crate) fn want_one_of(&self, batch: &Batch) -> bool {
        // What came together is mostly wanted by the same: the first message tells.
        batch.messages.iter().any(|span| self.wants(batch.matched(span)))
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Bytes> {
        self.0.iter()
    }

    fn has_all(&self) -> bool {
        self.0.first().is_some_and(Bytes::is_empty)
    }
}
