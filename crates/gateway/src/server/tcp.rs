//! A TCP connection that the runtime watches only once there is something to wait for.
//!
//! A client that opens a connection for one request has often sent it by the time the connection is accepted. Its request
//! is read and its answer written without telling the kernel to watch the connection and to forget it again, which is a
//! sixth of what such a request costs. Whatever lasts longer is watched: after one read, a write that did not go whole,
//! or some writes that did, so that nobody keeps the thread to himself.

use std::io::{self, IoSlice, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll};

use remuda_sys::transfer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Writes that are made at once before the runtime is asked when to make the next.
const WRITES_AT_ONCE: u8 = 8;

/// A connection.
#[derive(Debug)]
pub struct Tcp(State);

#[derive(Debug)]
enum State {
    /// Not watched yet; with whether it was read from, and how many writes are left.
    Fresh(std::net::TcpStream, bool, u8),
    /// Watched by the runtime.
    Watched(TcpStream),
    /// It could not be watched: there is nothing to be had from it.
    Lost,
}

impl From<TcpStream> for Tcp {
    fn from(stream: TcpStream) -> Self {
        Self(State::Watched(stream))
    }
}

impl Tcp {
    /// One that was just accepted, and does not block.
    pub(super) fn fresh(stream: std::net::TcpStream) -> Self {
        Self(State::Fresh(stream, false, WRITES_AT_ONCE))
    }

    /// The connection, watched by the runtime.
    ///
    /// # Errors
    /// No memory, or no room among what is watched (epoll_ctl(2)).
    pub(super) fn watched(&mut self) -> io::Result<&mut TcpStream> {
        if let State::Fresh(..) = self.0
            && let State::Fresh(stream, ..) = std::mem::replace(&mut self.0, State::Lost)
        {
            self.0 = State::Watched(TcpStream::from_std(stream)?);
        }
        match &mut self.0 {
            State::Watched(stream) => Ok(stream),
            State::Fresh(..) | State::Lost => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// As [`watched`](Self::watched), for who keeps it.
    ///
    /// # Errors
    /// As there.
    pub(super) fn into_watched(mut self) -> io::Result<TcpStream> {
        self.watched()?;
        match self.0 {
            State::Watched(stream) => Ok(stream),
            State::Fresh(..) | State::Lost => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// The first read, if it is that and something is there: into the room `buffer` has, which must be some.
    pub(super) fn read_first(&mut self, buffer: &mut Vec<u8>) -> Option<io::Result<usize>> {
        let State::Fresh(stream, was_read, _) = &mut self.0 else { return None };
        if std::mem::replace(was_read, true) {
            return None;
        }
        match transfer::receive(stream, buffer) {
            Err(error) if is_to_be_waited_for(&error) => None,
            read => Some(read),
        }
    }

    /// A write that is made at once; `None`: it is to be waited for.
    fn write_at_once(
        &mut self,
        len: usize,
        write: impl FnOnce(&mut std::net::TcpStream) -> io::Result<usize>,
    ) -> Option<io::Result<usize>> {
        let State::Fresh(stream, _, left) = &mut self.0 else { return None };
        *left = left.checked_sub(1)?;
        match write(stream) {
            Err(error) if is_to_be_waited_for(&error) => None,
            Ok(written) => {
                if written < len {
                    // The kernel has no room: the next would be told so.
                    *left = 0;
                }
                Some(Ok(written))
            }
            Err(error) => Some(Err(error)),
        }
    }
}

fn is_to_be_waited_for(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

impl AsyncRead for Tcp {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(self.watched()?).poll_read(context, buffer)
    }
}

impl AsyncWrite for Tcp {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.write_at_once(bytes.len(), |stream| stream.write(bytes)) {
            Some(written) => Poll::Ready(written),
            None => Pin::new(self.watched()?).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let len = slices.iter().map(|slice| slice.len()).sum();
        match self.write_at_once(len, |stream| stream.write_vectored(slices)) {
            Some(written) => Poll::Ready(written),
            None => Pin::new(self.watched()?).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            State::Fresh(stream, ..) => Poll::Ready(stream.shutdown(std::net::Shutdown::Write)),
            State::Watched(stream) => Pin::new(stream).poll_shutdown(context),
            State::Lost => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}
