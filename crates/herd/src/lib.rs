//! The pure machine of the herd: servers that tell each other what each was told.
//!
//! Inputs go in with the time they came at, orders come out; there is no clock, no socket, and no chance but from a seed.

mod node;
pub mod replica;
pub mod spread;

pub use node::{Epoch, NodeId};
