//! Who sent a command: a number the hub chose, never used twice in its life.

/// A connection, as the store knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u64);
