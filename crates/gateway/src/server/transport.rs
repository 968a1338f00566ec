//! What carries bytes: a TCP or a Unix connection, or a session of TLS on one.
//!
//! Everything is asked by polling with a shared reference: one task reads and writes at once, and whoever takes a
//! connection over does the same. Reads are given a buffer that has room; that a read came back short is remembered by
//! the runtime, so that the next one waits instead of asking the kernel in vain.

use std::cell::RefCell;
use std::fmt;
use std::fs::File;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, OwnedFd};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::BufMut as _;
use remuda_sys::transfer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::client;
use tokio_rustls::server::TlsStream;

use super::http2::Tunnel;
use super::tcp::Tcp;

/// What is read and written, whatever it is.
pub trait Duplex: AsyncRead + AsyncWrite + fmt::Debug + Unpin {}
impl<T: AsyncRead + AsyncWrite + fmt::Debug + Unpin> Duplex for T {}

/// A connection's bytes.
#[derive(Debug)]
pub enum Transport {
    /// TCP without TLS.
    Tcp(RefCell<Tcp>),
    /// A Unix stream socket.
    Unix(RefCell<UnixStream>),
    /// TLS on TCP.
    Tls(RefCell<Box<TlsStream<TcpStream>>>),
    /// TLS on a Unix stream socket.
    UnixTls(RefCell<Box<TlsStream<UnixStream>>>),
    /// TLS towards a server behind us.
    Behind(RefCell<Box<client::TlsStream<Box<dyn Duplex>>>>),
    /// A stream of HTTP/2 that carries something else.
    Tunnel(RefCell<Box<Tunnel>>),
}

/// Does the same on whatever stream it is.
macro_rules! on_stream {
    ($self:expr, $stream:ident => $what:expr) => {
        on_stream!($self, Tcp | Unix | Tls | UnixTls | Behind | Tunnel, $stream => $what)
    };
    ($self:expr, $($kind:ident)|+, $stream:ident => $what:expr) => {
        match $self {
            $(Transport::$kind(cell) => {
                let $stream = &mut *cell.borrow_mut();
                $what
            })+
        }
    };
}

/// Does the same on whatever stream is the kernel's own, or else something else.
macro_rules! on_socket {
    ($self:expr, $stream:ident => $what:expr, else $other:expr) => {
        match $self {
            Transport::Tcp(cell) => {
                let stream = &mut *cell.borrow_mut();
                let $stream = stream.watched()?;
                $what
            }
            Transport::Unix(cell) => {
                let $stream = &mut *cell.borrow_mut();
                $what
            }
            _ => $other,
        }
    };
}

impl From<TcpStream> for Transport {
    fn from(stream: TcpStream) -> Self {
        Self::Tcp(RefCell::new(stream.into()))
    }
}

impl From<Tcp> for Transport {
    fn from(stream: Tcp) -> Self {
        Self::Tcp(RefCell::new(stream))
    }
}

impl From<UnixStream> for Transport {
    fn from(stream: UnixStream) -> Self {
        Self::Unix(RefCell::new(stream))
    }
}

impl Transport {
    /// Reads what is there into the room `buffer` has, which must be some; 0: the peer has ended its side.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn poll_read(&self, context: &mut Context<'_>, buffer: &mut Vec<u8>) -> Poll<io::Result<usize>> {
        self.poll_read_most(context, buffer, usize::MAX)
    }

    /// As [`poll_read`](Self::poll_read), and not more than `most` bytes, even if there is room.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn poll_read_most(
        &self,
        context: &mut Context<'_>,
        buffer: &mut Vec<u8>,
        most: usize,
    ) -> Poll<io::Result<usize>> {
        self.push_on(context);
        if let Self::Tcp(cell) = self
            && most >= buffer.capacity() - buffer.len()
            && let Some(read) = cell.borrow_mut().read_first(buffer)
        {
            return Poll::Ready(read);
        }
        on_stream!(self, stream => {
            let room = (buffer.capacity() - buffer.len()).min(most);
            let mut limited = buffer.limit(room);
            let read = AsyncReadExt::read_buf(stream, &mut limited);
            pin!(read).poll(context)
        })
    }

    /// Reads what is there into `buffer`; nothing: the peer has ended its side.
    pub(super) fn poll_read_into(
        &self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.push_on(context);
        on_stream!(self, stream => Pin::new(stream).poll_read(context, buffer))
    }

    /// What a session of TLS towards a server holds back is handed on by whoever waits for the answer, so that nobody who
    /// writes to a server has to know what it is reached by. That it failed is found by reading.
    fn push_on(&self, context: &mut Context<'_>) {
        if let Self::Behind(cell) = self {
            let _pending = Pin::new(&mut *cell.borrow_mut()).poll_flush(context);
        }
    }

    /// The stream alone, for those who read and write as streams are.
    pub(crate) fn into_stream(self) -> Box<dyn Duplex> {
        match self {
            Self::Tcp(cell) => Box::new(cell.into_inner()),
            Self::Unix(cell) => Box::new(cell.into_inner()),
            Self::Tls(cell) => cell.into_inner(),
            Self::UnixTls(cell) => cell.into_inner(),
            Self::Behind(cell) => cell.into_inner(),
            Self::Tunnel(cell) => cell.into_inner(),
        }
    }

    /// Writes some of `bytes`.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        on_stream!(self, stream => Pin::new(stream).poll_write(context, bytes))
    }

    /// Writes some of `slices`.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn poll_write_vectored(
        &self,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        on_stream!(self, stream => Pin::new(stream).poll_write_vectored(context, slices))
    }

    /// Hands to the kernel what a layer in between holds back; plain connections hold nothing.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_stream!(self, stream => Pin::new(stream).poll_flush(context))
    }

    /// Ends our side.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn poll_shutdown(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_stream!(self, stream => Pin::new(stream).poll_shutdown(context))
    }

    /// Whether the kernel can send files on it by itself.
    #[must_use]
    pub fn sends_files(&self) -> bool {
        matches!(self, Self::Tcp(_) | Self::Unix(_))
    }

    /// Has the kernel send up to `count` bytes of `file` from `offset` on, which moves with them. 0: the file has ended.
    ///
    /// # Errors
    /// The connection is broken, or this is none on which files can be sent.
    pub fn poll_send_file(
        &self,
        context: &mut Context<'_>,
        file: &File,
        offset: &mut u64,
        count: usize,
    ) -> Poll<io::Result<usize>> {
        on_socket!(self, stream => loop {
            ready!(stream.poll_write_ready(context))?;
            let mut sent = 0;
            let tried = stream.try_io(Interest::WRITABLE, || {
                sent = transfer::send_file(stream.as_fd(), file, offset, count)?;
                if sent < count && has_more(file, *offset) {
                    // The socket is full: the next call would only be told so.
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                Ok(())
            });
            match tried {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && sent == 0 => {}
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Poll::Ready(Err(error)),
                _ => return Poll::Ready(Ok(sent)),
            }
        }, else Poll::Ready(Err(io::ErrorKind::Unsupported.into())))
    }

    /// As [`poll_write`](Self::poll_write), for bytes that more follow at once: they may share a packet.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn poll_write_more(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        on_socket!(self, stream => loop {
            ready!(stream.poll_write_ready(context))?;
            match stream.try_io(Interest::WRITABLE, || transfer::send_with_more(stream.as_fd(), bytes)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                sent => return Poll::Ready(sent),
            }
        }, else self.poll_write(context, bytes))
    }

    /// Another descriptor of the same connection, to be passed on to another process. Only where bytes are not changed on
    /// their way: with TLS the session would be missing.
    ///
    /// # Errors
    /// No descriptor left, or this is a session of TLS (`Unsupported`).
    pub fn duplicate(&self) -> io::Result<OwnedFd> {
        on_socket!(self, stream => stream.as_fd().try_clone_to_owned(), else Err(io::ErrorKind::Unsupported.into()))
    }
}

/// Whether there is anything in `file` behind `offset`.
fn has_more(file: &File, offset: u64) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.len() > offset)
}
