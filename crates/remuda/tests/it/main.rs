//! The program against real peers, with real processes on a real kernel.
//!
//! Every test has an instance of its own in a folder of its own; see [`harness`].

#![allow(clippy::unwrap_used, clippy::panic, reason = "what a test cannot go on without fails it")]

mod descriptors;
mod harness;
mod peers;
mod sockets;
mod surroundings;
