//! Processes: their ends, their children, their cost.
//!
//! A pid is a number the kernel gives away again; a pidfd is the process. What this module does to a process it
//! does through its pidfd; pids serve to look at `/proc`, where a stale number shows somebody else and harms nobody.

mod exit;
mod pidfd;
mod server;
mod sockets;
mod stat;
mod strangers;
mod tree;

pub use exit::{Exit, foreign_exit, peek_exit, reap};
pub use pidfd::{pidfd_open, send_signal, signal_group, take_descriptor};
pub use server::{Server, server_of};
pub use sockets::{OwnedSocket, owned_sockets};
pub use stat::{Usage, command_line, start_time, usage};
pub use strangers::{reap_strangers, set_subreaper};
pub use tree::tree;

pub(crate) use stat::{Stat, stat};
pub(crate) use tree::{all, by_parents};
