//! Taking a connection from a listener, and what went wrong when one was to be taken.
//!
//! Linux hands on what happened to a connection while it was queued as an error of `accept`, and takes it off the queue:
//! the next one may be well. Everything else stays as it is until something is done about it, above all a want of
//! descriptors.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};

use rustix::io::Errno;
use rustix::net::SocketFlags;

/// The next connection, which does not block, and who it is from: one call of the kernel.
///
/// # Errors
/// `EAGAIN` when there is none on a listener that does not block; others of accept4(2), see [`is_of_one_connection`].
pub fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (descriptor, address) =
        rustix::net::acceptfrom_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)?;
    // A connection that was cut off meanwhile may have no address left.
    let address = address.ok_or(Errno::CONNABORTED)?;
    Ok((descriptor.into(), SocketAddr::try_from(address)?))
}

/// As [`accept`], of a Unix socket.
///
/// # Errors
/// As there; `EAGAIN` for ever when the listener was shut down.
pub fn accept_unix(listener: &UnixListener) -> io::Result<UnixStream> {
    Ok(rustix::net::accept_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)?.into())
}

/// Has what is written to connections of `listener` sent at once (`TCP_NODELAY`), to those that are accepted from now on:
/// they take it from their listener.
///
/// # Errors
/// Those of setsockopt(2).
pub fn send_at_once(listener: &TcpListener) -> io::Result<()> {
    Ok(rustix::net::sockopt::set_tcp_nodelay(listener, true)?)
}

/// Whether an error of `accept` says something about one connection, which is gone with it. The list is that of accept(2),
/// `EPERM` of a firewall included.
#[must_use]
pub fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(
            libc::ECONNABORTED
                | libc::EHOSTDOWN
                | libc::EHOSTUNREACH
                | libc::ENETDOWN
                | libc::ENETUNREACH
                | libc::ENONET
                | libc::ENOPROTOOPT
                | libc::EOPNOTSUPP
                | libc::EPERM
                | libc::EPROTO
        )
    )
}

#[cfg(test)]
mod tests;
