//! The pure machine of the herd: servers that tell each other what each was told.
//!
//! Inputs go in with the time they came at, orders come out; there is no clock, no socket, and no chance but from a seed.
//!
//! | module | what it holds |
//! |---|---|
//! | `node` | which server, and which of its lives |
//! | [`spread`] | what goes from server to server, and who is there |
//! | [`replica`] | stores that become equal |
//! | [`sim`] | herds of thousands, in time that does not pass by itself |

mod node;
pub mod replica;
pub mod sim;
pub mod spread;

pub use node::{Epoch, NodeId};
