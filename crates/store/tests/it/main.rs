//! The store without a server: scripts with Redis' answers, properties, replays.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its supports too")]

mod bench;
mod bits;
mod collections;
mod crowd;
mod keys;
mod locks;
mod properties;
mod remote;
mod shared_locks;
mod sorted_sets;
mod streams;
mod strings;
mod waiting;
