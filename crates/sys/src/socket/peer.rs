//! Who is at the other end of a Unix connection.

use std::os::fd::AsFd;

use rustix::net::sockopt::socket_peercred;

/// The user that connected; `None` when the kernel does not tell.
#[must_use]
pub fn peer_user(connection: impl AsFd) -> Option<u32> {
    socket_peercred(connection).ok().map(|credentials| credentials.uid.as_raw())
}

/// Process and user at the other end of a Unix socket, as they were when it connected; the process is 0 if it is in a pid
/// namespace that we do not see. `None`: it is no Unix socket.
#[must_use]
pub fn peer_process(connection: impl AsFd) -> Option<(u32, u32)> {
    let credentials = socket_peercred(connection).ok()?;
    let pid = u32::try_from(credentials.pid.as_raw_nonzero().get()).unwrap_or(0);
    Some((pid, credentials.uid.as_raw()))
}
