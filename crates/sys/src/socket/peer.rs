//! Who is at the other end of a Unix connection.

use std::os::fd::AsFd;

use rustix::net::sockopt::socket_peercred;

/// The user that connected; `None` when the kernel does not tell.
#[must_use]
pub fn peer_user(connection: impl AsFd) -> Option<u32> {
    socket_peercred(connection).ok().map(|credentials| credentials.uid.as_raw())
}
