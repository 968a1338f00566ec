//! The herd's machine beside another implementation of the protocols it comes from, in one simulated world.
//!
//! iroh-gossip's `proto` module has HyParView and Plumtree as a state machine without I/O. It and [`Spread`] are given the
//! same nodes, the same links with the same delays, the same messages and the same deaths; what each does is counted in the
//! same way. Over links that are given, whom a message reaches is no matter of taste: those whom a way leads to, which a
//! third, simple computation says too. How often it is sent, and how fast it comes, is put side by side.
//!
//! | module | what it holds |
//! |---|---|
//! | [`node`] | what the world asks of a protocol |
//! | [`ours`], [`theirs`] | the two |
//! | [`world`] | nodes, links and time |
//! | [`trial`] | one scenario, and what came of it |
//!
//! [`Spread`]: remuda_herd::spread::Spread

pub mod node;
pub mod ours;
pub mod theirs;
pub mod trial;
pub mod world;
