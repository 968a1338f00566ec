//! When something was changed, and by whom: the order in which the last writer wins.
//!
//! A stamp is a time that never runs backwards and is never given out twice by one server; two servers may give out the
//! same one, so a mark adds the server. Marks are ordered by stamp, then by server, and no two changes have the same.

use crate::NodeId;

/// Bits of a stamp that count changes within one millisecond: a million of them, and a carry beyond is harmless.
const COUNTER_BITS: u32 = 20;

/// Milliseconds since 1970 in the upper 44 bits, which last until the year 2527, and a counter in the lower 20.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Stamp(pub u64);

/// The name of one change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Mark {
    /// When.
    pub stamp: Stamp,
    /// On which server.
    pub node: NodeId,
}

impl Stamp {
    /// Before every change.
    pub const ZERO: Self = Self(0);

    /// The first stamp of a millisecond; times beyond the last one that fits count as that.
    #[must_use]
    pub fn at_ms(ms: u64) -> Self {
        Self(ms.min(u64::MAX >> COUNTER_BITS) << COUNTER_BITS)
    }

    /// Its milliseconds since 1970.
    #[must_use]
    pub fn ms(self) -> u64 {
        self.0 >> COUNTER_BITS
    }

    /// The next one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl Mark {
    /// Before every change.
    pub const ZERO: Self = Self { stamp: Stamp::ZERO, node: NodeId(0) };
}

impl Default for Mark {
    fn default() -> Self {
        Self::ZERO
    }
}
