//! Where links begin that are not made in pairs.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, listen, socket_with, sockopt,
};

use super::Link;
use crate::CallError;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 64;

/// A socket under an abstract name that links connect to. The name is nobody's again when the last descriptor of the
/// socket is closed; it has no owner or mode, so every user of the network namespace can connect: ask
/// [`Link::peer`]. Non-blocking, close-on-exec.
#[derive(Debug)]
pub struct LinkListener {
    fd: OwnedFd,
}

impl LinkListener {
    /// Listens under `name` (without the NUL that the kernel puts in front).
    ///
    /// # Errors
    /// `EADDRINUSE`: somebody has the name. `ENAMETOOLONG`: it is longer than 107 bytes.
    pub fn bind(name: &str) -> Result<Self, CallError> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let bound = || {
            let fd = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
            bind(&fd, &SocketAddrUnix::new_abstract_name(name.as_bytes())?)?;
            listen(&fd, BACKLOG)?;
            Ok(fd)
        };
        let fd = bound().map_err(|errno: Errno| CallError::new(format!("listen on @{name}"), errno))?;
        Ok(Self { fd })
    }

    /// The listener that this process was started with as descriptor `number`.
    ///
    /// # Errors
    /// Nothing was passed under that number, it was taken before, or it is no such listener.
    pub fn inherited(number: RawFd) -> Result<Self, CallError> {
        let attempt = "take over a listener of links";
        let fd = crate::socket::activation::take(number)
            .map_err(|error| CallError { attempt: format!("{attempt}: {error}"), errno: 0 })?;
        let set_up = || {
            let right =
                sockopt::socket_type(&fd)? == SocketType::SEQPACKET && sockopt::socket_acceptconn(&fd)?;
            if !right {
                return Err(Errno::PROTOTYPE);
            }
            fcntl_setfl(&fd, fcntl_getfl(&fd)? | OFlags::NONBLOCK)
        };
        set_up().map_err(|errno| CallError::new(attempt, errno))?;
        Ok(Self { fd })
    }

    /// The next link that waits to be accepted; never waits for one.
    ///
    /// # Errors
    /// No descriptor left; the link goes on waiting.
    pub fn accept(&self) -> Result<Option<Link>, CallError> {
        loop {
            match accept_with(&self.fd, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
                Ok(fd) => return Ok(Some(Link::roomy(fd))),
                Err(Errno::AGAIN) => return Ok(None),
                Err(Errno::INTR | Errno::CONNABORTED) => {}
                Err(errno) => return Err(CallError::new("accept a link", errno)),
            }
        }
    }
}

impl AsFd for LinkListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for LinkListener {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}
