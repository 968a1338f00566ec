//! Dead peers found by the kernel, for protocols that have no heartbeats of their own.

use std::os::fd::AsFd;
use std::time::Duration;

use rustix::net::sockopt::{set_socket_keepalive, set_tcp_keepcnt, set_tcp_keepidle, set_tcp_keepintvl};

use crate::CallError;

/// Unanswered probes after which the kernel gives a connection up.
const PROBES: u32 = 3;

/// Has the kernel ask the peer of a TCP connection for a sign of life after `idle` of silence, and end the connection
/// when three such probes, a third of `idle` apart, stay unanswered. Whole seconds count, one at least.
///
/// # Errors
/// The descriptor is no TCP socket.
pub fn keep_alive(connection: impl AsFd, idle: Duration) -> Result<(), CallError> {
    let whole = |time: Duration| Duration::from_secs(time.as_secs().max(1));
    set_socket_keepalive(&connection, true)
        .and_then(|()| set_tcp_keepidle(&connection, whole(idle)))
        .and_then(|()| set_tcp_keepintvl(&connection, whole(idle / PROBES)))
        .and_then(|()| set_tcp_keepcnt(&connection, PROBES))
        .map_err(|errno| CallError::new("have the kernel look for a dead peer", errno))
}
