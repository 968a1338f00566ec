//! The arbiter without a world: scripts, a simulated world, and its tables.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its supports too")]

mod crowd;
mod hub;
mod picture;
mod plan;
mod script;
mod specs;
mod table;
mod world;
