//! Which server, and which of its lives.
//!
//! A server keeps its number in its state folder for good, and counts its lives there before it speaks to anybody: what it
//! sends is numbered anew in each life, and a peer tells the new numbers from the old ones by the life they belong to.

use std::fmt;

/// A server of the herd: 64 random bits, drawn once when it is first made a member.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeId(pub u64);

/// Which life of a server, from 1: higher by one with each start.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Epoch(pub u64);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
