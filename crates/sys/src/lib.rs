//! The kernel's edge.
//!
//! Everything the arbiter wants from Linux stands here behind safe functions, and nothing here decides: sockets
//! are bound ([`socket`]), programs started ([`spawn`]) and ended ([`process`], [`cgroup`]), datagrams of workers
//! received ([`notify`]), and one thread waits for all of it ([`event`]). No module logs, starts a thread or keeps
//! a runtime; every descriptor opened here is close-on-exec.
//!
//! This is the one crate in which `unsafe` is allowed: one operation per block, each with its reason.

#![allow(
    unsafe_code,
    reason = "system calls without a safe wrapper elsewhere are wrapped here, and only here"
)]

pub mod cgroup;
pub mod clock;
pub mod errno;
pub mod event;
pub mod eventfd;
mod failure;
pub mod files;
pub mod image;
pub mod limits;
pub mod lock;
pub mod machine;
pub mod memfd;
pub mod namespace;
pub mod notify;
pub mod pipe;
pub mod process;
pub mod random;
pub mod socket;
pub mod spawn;
pub mod terminal;
pub mod transfer;
pub mod users;

pub use failure::CallError;
