//! A request as a handler gets it.

use std::fmt;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use remuda_wire::http::{BodyFault, Fields, Head};

use super::http1;
use crate::tls::Session;

/// Who sent it, and on what.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The client's address; `None` on a Unix socket.
    pub address: Option<SocketAddr>,
    /// The address it connected to; `None` on a Unix socket.
    pub local: Option<SocketAddr>,
    /// The user at the other end of a Unix socket, where the kernel tells.
    pub user: Option<u32>,
    /// Name of the listener.
    pub listener: Rc<str>,
    /// Whether the connection is encrypted.
    pub is_secure: bool,
    /// What its handshake came to, where there was one.
    pub tls: Option<Rc<Session>>,
}

/// One request in a log, and on an error's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(pub u64);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A request.
#[derive(Debug)]
pub struct Request {
    /// The head.
    pub head: Head,
    /// The body; whoever answers with a stream that needs it takes it out ([`RequestBody::take`]).
    pub body: RequestBody,
    /// Who sent it.
    pub peer: Rc<Peer>,
    /// When its head was whole.
    pub arrived: Instant,
    /// Its number.
    pub id: RequestId,
    /// Which route it is counted under, as [`Figures`](super::Figures) know them. Default 0: none.
    pub route: usize,
}

/// Why a body cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is, or would be, longer than its limit.
    #[error("the body of the request is longer than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// It comes too slowly, or not at all.
    #[error("the body of the request did not come in time")]
    TooSlow,
    /// It breaks the rules of its framing.
    #[error("the body of the request is not well-formed: {0}")]
    Malformed(#[from] BodyFault),
    /// The client is gone.
    #[error("the client ended the connection in the middle of the request")]
    Gone,
}

impl BodyError {
    /// The status that says so. For a client that is gone it is for logs alone.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::TooLarge { .. } => 413,
            Self::TooSlow => 408,
            Self::Malformed(_) | Self::Gone => 400,
        }
    }
}

/// What a version of HTTP gives as the body of a request.
pub trait BodyReader: fmt::Debug {
    /// Adds some of the body to `out`, at most about 64 KiB; 0: it is whole.
    ///
    /// # Errors
    /// [`BodyError`]; nothing more can be read.
    fn poll_read(&mut self, context: &mut Context<'_>, out: &mut Vec<u8>) -> Poll<Result<usize, BodyError>>;

    /// Trailers, when the body is whole.
    fn take_trailers(&mut self) -> Option<Box<Fields>>;
}

/// The body of a request, read when it is wanted: a client that waits for 100 is told to go on by the first read.
#[derive(Debug)]
pub struct RequestBody {
    reader: Reader,
    /// What Content-Length said.
    length: Option<u64>,
    /// Bytes that were read.
    read: u64,
    /// Most bytes that may be; 0 is no limit.
    limit: u64,
}

#[derive(Debug)]
enum Reader {
    Empty,
    Http1(http1::Body),
    Other(Box<dyn BodyReader>),
}

impl RequestBody {
    /// None.
    #[must_use]
    pub fn empty() -> Self {
        Self { reader: Reader::Empty, length: Some(0), read: 0, limit: 0 }
    }

    pub(super) fn http1(body: http1::Body, length: Option<u64>, limit: u64) -> Self {
        Self { reader: Reader::Http1(body), length, read: 0, limit }
    }

    /// One that another version of HTTP reads, with a length if that is known, and a limit if it is not 0.
    #[must_use]
    pub fn of(reader: Box<dyn BodyReader>, length: Option<u64>, limit: u64) -> Self {
        Self { reader: Reader::Other(reader), length, read: 0, limit }
    }

    /// Takes it out; an empty one stays.
    #[must_use]
    pub fn take(&mut self) -> Self {
        std::mem::replace(self, Self::empty())
    }

    /// Its length, if the head told it.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self.reader, Reader::Empty)
    }

    /// Sets the most bytes it may have; 0 is no limit.
    ///
    /// # Errors
    /// It is known to have more.
    pub fn limit(&mut self, limit: u64) -> Result<(), BodyError> {
        self.limit = limit;
        self.check(self.length.unwrap_or(0))
    }

    fn check(&self, bytes: u64) -> Result<(), BodyError> {
        if self.limit > 0 && bytes > self.limit {
            return Err(BodyError::TooLarge { limit: self.limit });
        }
        Ok(())
    }

    /// Adds some of it to `out`; 0: it is whole.
    ///
    /// # Errors
    /// [`BodyError`]; nothing more can be read.
    pub fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        out: &mut Vec<u8>,
    ) -> Poll<Result<usize, BodyError>> {
        self.check(self.length.unwrap_or(0))?;
        let len = ready!(match &mut self.reader {
            Reader::Empty => Poll::Ready(Ok(0)),
            Reader::Http1(body) => body.poll_read(context, out),
            Reader::Other(reader) => reader.poll_read(context, out),
        })?;
        self.read = self.read.saturating_add(u64::try_from(len).unwrap_or(u64::MAX));
        self.check(self.read)?;
        Poll::Ready(Ok(len))
    }

    /// Adds some of it to `out`; 0: it is whole.
    ///
    /// # Errors
    /// [`BodyError`]; nothing more can be read.
    pub async fn read(&mut self, out: &mut Vec<u8>) -> Result<usize, BodyError> {
        poll_fn(|context| self.poll_read(context, out)).await
    }

    /// Reads all of it into memory, if that is at most `most` bytes.
    ///
    /// # Errors
    /// [`BodyError`]; nothing more can be read.
    pub async fn read_all(&mut self, most: u64) -> Result<Vec<u8>, BodyError> {
        let limit = if self.limit == 0 { most } else { self.limit.min(most) };
        self.limit(limit)?;
        let mut out = Vec::new();
        while self.read(&mut out).await? > 0 {}
        Ok(out)
    }

    /// The trailers of a body that is whole.
    pub fn take_trailers(&mut self) -> Option<Box<Fields>> {
        match &mut self.reader {
            Reader::Empty => None,
            Reader::Http1(body) => body.take_trailers(),
            Reader::Other(reader) => reader.take_trailers(),
        }
    }
}
