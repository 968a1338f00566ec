//! Network namespaces: several networks on one machine.
//!
//! A socket belongs for good to the namespace of the thread that made it, whoever uses it later. So one thread can have
//! sockets of several: it enters one, makes a socket, and enters the next.

use std::fs::File;
use std::os::fd::AsFd as _;
use std::path::Path;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::CallError;

/// Moves this thread into the network namespace that `path` leads to (`/run/netns/NAME`, `/proc/PID/ns/net`).
///
/// # Errors
/// The file cannot be opened, is no network namespace, or this process may not (it takes `CAP_SYS_ADMIN`); the thread
/// stays where it is.
pub fn enter_network(path: &Path) -> Result<(), CallError> {
    let attempt = || format!("enter the network namespace {}", path.display());
    let file = File::open(path).map_err(|error| CallError::new(attempt(), error))?;
    move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
        .map_err(|errno| CallError::new(attempt(), errno))
}
