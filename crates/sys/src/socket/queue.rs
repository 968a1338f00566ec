//! How many connections wait to be accepted.

use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;

use remuda_model::SocketKind;

use super::listener::{Family, Listener};
use super::unix_diag::{self, Attribute};
use crate::CallError;
use crate::failure::checked;

/// An accept queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queue {
    /// Connections that wait.
    pub depth: u32,
    /// Most that may: the smaller of the backlog and `net.core.somaxconn`.
    pub limit: u32,
}

/// The accept queue of a stream listener; `None` for sockets that have none.
///
/// # Errors
/// The kernel does not tell; for Unix sockets when it has no `unix_diag`.
pub fn queue(listener: &Listener) -> Result<Option<Queue>, CallError> {
    match (listener.kind, listener.family) {
        _ if !listener.listening => Ok(None),
        (SocketKind::Stream, Family::Inet | Family::Inet6) => internet(listener).map(Some),
        (_, Family::Unix) => unix(listener),
        _ => Ok(None),
    }
}

/// Whether something waits in the queue of a listener, of datagrams too. Handshakes that are not complete are not seen.
///
/// # Errors
/// The kernel does not tell.
pub fn waits(listener: &Listener) -> Result<bool, CallError> {
    if listener.kind == SocketKind::Datagram {
        let bytes = rustix::io::ioctl_fionread(&listener.fd);
        let attempt = || format!("ask for the datagrams of {}", listener.address);
        return bytes.map(|bytes| bytes > 0).map_err(|errno| CallError::new(attempt(), errno));
    }
    Ok(queue(listener)?.is_some_and(|queue| queue.depth > 0))
}

/// For a listener tcp_info has the queue in two fields that mean other things for a connection.
fn internet(listener: &Listener) -> Result<Queue, CallError> {
    let mut info = MaybeUninit::<libc::tcp_info>::zeroed();
    let mut size = libc::socklen_t::try_from(size_of::<libc::tcp_info>()).expect("a small structure");
    let (level, option) = (libc::IPPROTO_TCP, libc::TCP_INFO);
    let fd = listener.fd.as_raw_fd();
    // SAFETY: the pointer leads to `size` bytes of room.
    checked(unsafe { libc::getsockopt(fd, level, option, info.as_mut_ptr().cast(), &raw mut size) })
        .map_err(|error| CallError::new(format!("ask for the queue of {}", listener.address), error))?;
    // SAFETY: zeroed is a valid tcp_info, and so is whatever part of it the kernel wrote.
    let info = unsafe { info.assume_init() };
    Ok(Queue { depth: info.tcpi_unacked, limit: info.tcpi_sacked })
}

/// The length of the queue, then its limit.
fn unix(listener: &Listener) -> Result<Option<Queue>, CallError> {
    let words = unix_diag::ask(&listener.fd, Attribute::QueueLength)?;
    Ok(words.map(|[depth, limit]| Queue { depth, limit }))
}
