//! A herd in one thread, in time that does not pass by itself: what cannot be tried with real servers is tried here.
//!
//! [`World`] holds machines and the wires between them, and moves from one happening to the next. Wires have a delay and
//! keep order; they break, swallow what is sent without a word, and are made again; nodes crash, come back, and their
//! clocks begin anywhere and run at their own speed. All chance is from one seed, so a run that went wrong goes wrong
//! again. [`Trial`] is one measurement in the terms of Plumtree's paper.
//!
//! It is part of the crate, and not of its tests, so that the tests and `cargo xtask sim` try the same world. Nothing that
//! is shipped calls it.

mod batch;
mod happening;
mod node;
mod record;
mod topology;
mod trial;
mod wire;
mod world;

pub use batch::messages_of;
pub use node::ClockSkew;
pub use record::{Heard, Record};
pub use topology::Topology;
pub use trial::{Aftermath, Broadcast, Report, Senders, Trial};
pub use wire::WireState;
pub use world::{Weather, World};
