//! Connections that are begun and not waited for.

use std::net::{SocketAddr, TcpStream};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, ipproto, socket_with};

use crate::CallError;

/// Begins a TCP connection to `address`; non-blocking and close-on-exec. It is there, or has failed, when the socket can
/// be written to: [`TcpStream::take_error`] says which.
///
/// # Errors
/// No descriptor is left, or the kernel knows at once that there is no way.
pub fn begin_connect(address: SocketAddr) -> Result<TcpStream, CallError> {
    let family = if address.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP))
        .map_err(|errno| CallError::new("create a TCP socket", errno))?;
    match connect(&socket, &address) {
        Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => Ok(TcpStream::from(socket)),
        Err(errno) => Err(CallError::new("connect a TCP socket", errno)),
    }
}

#[cfg(test)]
mod tests;
