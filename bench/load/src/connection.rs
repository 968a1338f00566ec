//! A stream socket of either family: blocking with a time limit while it is greeted, never blocking afterwards.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Longest wait for one answer of a greeting. A server that opens 2,000 connections at once answers in milliseconds.
const GREETING_LIMIT: Duration = Duration::from_secs(5);

/// One connection to a server.
#[derive(Debug)]
pub(crate) enum Connection {
    /// TCP, with Nagle's algorithm off.
    Tcp(TcpStream),
    /// A Unix stream socket.
    Unix(UnixStream),
}

impl Connection {
    /// Connects to `HOST:PORT`, or to the path of a Unix socket: anything with a slash in it.
    pub(crate) fn open(address: &str) -> io::Result<Self> {
        if address.contains('/') {
            let stream = UnixStream::connect(address)?;
            stream.set_read_timeout(Some(GREETING_LIMIT))?;
            stream.set_write_timeout(Some(GREETING_LIMIT))?;
            return Ok(Self::Unix(stream));
        }
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(GREETING_LIMIT))?;
        stream.set_write_timeout(Some(GREETING_LIMIT))?;
        Ok(Self::Tcp(stream))
    }

    /// From now on nothing waits.
    pub(crate) fn stop_blocking(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_nonblocking(true),
            Self::Unix(stream) => stream.set_nonblocking(true),
        }
    }

    /// Reads at most as much as fits; `Ok(None)` when nothing is there, `Ok(Some(0))` at the end.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> io::Result<Option<usize>> {
        none_if_waiting(match self {
            Self::Tcp(stream) => stream.read(into),
            Self::Unix(stream) => stream.read(into),
        })
    }

    /// Writes as much as there is room for; `Ok(None)` when there is none.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<Option<usize>> {
        none_if_waiting(match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
        })
    }

    /// Writes all of a greeting.
    pub(crate) fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.write_all(bytes),
            Self::Unix(stream) => stream.write_all(bytes),
        }
    }

    /// Reads exactly as much of an answer.
    pub(crate) fn hear(&mut self, into: &mut [u8]) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.read_exact(into),
            Self::Unix(stream) => stream.read_exact(into),
        }
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        }
    }
}

fn none_if_waiting(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Ok(count) => Ok(Some(count)),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
