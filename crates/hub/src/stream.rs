//! One connection's bytes: TCP or Unix, never blocking.

use std::fmt;
use std::io::{self, IoSlice, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use bytes::BytesMut;
use remuda_sys::socket::{keep_alive, peer_process};

/// Silence after which the kernel asks a TCP peer for a sign of life. It finds those whose protocol has no heartbeats: Redis
/// clients, of whom Redis' own `tcp-keepalive` asks after 300 s, and peers that speak ZMTP 3.0.
const KEEP_ALIVE_AFTER: Duration = Duration::from_secs(60);

/// Who is at the other end, as far as the kernel knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Remote {
    /// A process of this machine, through a Unix socket.
    Local {
        /// Process id; 0 where it is in a pid namespace that we do not see.
        pid: u32,
        /// User id.
        uid: u32,
    },
    /// An internet address.
    Internet(SocketAddr),
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local { pid, uid } => write!(f, "process {pid} of user {uid}"),
            Self::Internet(address) => address.fmt(f),
        }
    }
}

/// A connected socket.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    /// Takes over an accepted TCP connection: no Nagle, since what we write is merged already.
    pub(crate) fn tcp(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        // A connection without it works as well, only that a machine that vanished is noticed later.
        let _ = keep_alive(&stream, KEEP_ALIVE_AFTER);
        Ok(Self::Tcp(stream))
    }

    /// Takes over an accepted Unix connection.
    pub(crate) fn unix(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self::Unix(stream))
    }

    /// A connection that came as a descriptor from another process.
    pub(crate) fn adopt(fd: OwnedFd) -> io::Result<Self> {
        let stream = UnixStream::from(fd);
        // Which of the two it is is asked of the kernel: only one has an internet address.
        if stream.peer_addr().is_ok() {
            return Self::unix(stream);
        }
        Self::tcp(TcpStream::from(OwnedFd::from(stream)))
    }

    /// Who connected.
    pub(crate) fn remote(&self) -> io::Result<Remote> {
        match self {
            Self::Tcp(stream) => Ok(Remote::Internet(stream.peer_addr()?)),
            Self::Unix(stream) => {
                let (pid, uid) = peer_process(stream).unwrap_or((0, u32::MAX));
                Ok(Remote::Local { pid, uid })
            }
        }
    }

    /// What went wrong with it unseen: how a connection that was begun ended, if it failed.
    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        match self {
            Self::Tcp(stream) => stream.take_error(),
            Self::Unix(stream) => stream.take_error(),
        }
    }

    /// Reads into the spare room of `buffer`, which must have some; 0 is the end.
    pub(crate) fn read_into(&mut self, buffer: &mut BytesMut, scratch: &mut [u8]) -> io::Result<usize> {
        let count = match self {
            Self::Tcp(stream) => stream.read(scratch)?,
            Self::Unix(stream) => stream.read(scratch)?,
        };
        buffer.extend_from_slice(&scratch[..count]);
        Ok(count)
    }

    /// Writes as much as the kernel takes at once.
    pub(crate) fn write_slices(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        // One slice is the rule where clients ask and wait, and costs the kernel less this way.
        if let [slice] = slices {
            return match self {
                Self::Tcp(stream) => stream.write(slice),
                Self::Unix(stream) => stream.write(slice),
            };
        }
        match self {
            Self::Tcp(stream) => stream.write_vectored(slices),
            Self::Unix(stream) => stream.write_vectored(slices),
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        }
    }
}

impl From<Stream> for OwnedFd {
    fn from(stream: Stream) -> Self {
        match stream {
            Stream::Tcp(stream) => stream.into(),
            Stream::Unix(stream) => stream.into(),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
        }
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.write_slices(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
