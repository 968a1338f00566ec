//! Bodies of responses.

use std::fmt;
use std::fs::File;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use remuda_wire::http::Fields;

use super::Connection;

/// The body of a response.
#[derive(Debug, Default)]
pub enum Body {
    /// None, of length 0.
    #[default]
    Empty,
    /// Bytes in memory, which others may share.
    Bytes(Bytes),
    /// Parts of files and bytes between them; its length is the sum of theirs.
    Parts(Vec<Part>),
    /// What a source gives as it comes. With a Content-Length in the head it must be as long; a source that fails, or is
    /// shorter, cuts the connection, so that nobody takes the part for the whole.
    Stream(Box<dyn Source>),
    /// No body: the connection goes to somebody else, after the head.
    TakeOver(TakeOver),
}

/// A piece of a body that is put together.
#[derive(Debug)]
pub enum Part {
    /// Bytes.
    Bytes(Bytes),
    /// Some of a file.
    File(FilePart),
}

/// Some of a file. A file that turns out to be shorter cuts the connection.
#[derive(Debug, Clone)]
pub struct FilePart {
    /// The file.
    pub file: Arc<File>,
    /// Where it begins.
    pub offset: u64,
    /// How long it is.
    pub len: u64,
}

/// What a [`Source`] did.
#[derive(Debug)]
pub enum Step {
    /// It added something to the buffer.
    Filled,
    /// These bytes are next, behind what is in the buffer. They may be many clients'.
    Shared(Bytes),
    /// All was given.
    End,
}

/// The source of a body that is not there yet, or not all at once.
///
/// A source that has to be heard at once (Server-Sent Events) needs nothing for it: what it gave is written as soon as it
/// has no more to give for the moment.
pub trait Source: fmt::Debug {
    /// Gives what is next: into `buffer`, which has what was not written yet and may be given up to 64 KiB more, or
    /// beside it.
    ///
    /// # Errors
    /// The rest will not come; why was told elsewhere. What was given before is written, it is asked again and says so
    /// again, and the connection is cut.
    fn poll_step(&mut self, context: &mut Context<'_>, buffer: &mut Vec<u8>) -> Poll<Result<Step, Broken>>;

    /// Trailers, after the end.
    fn take_trailers(&mut self) -> Option<Box<Fields>> {
        None
    }
}

/// A source cannot give the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the rest of the body cannot be had")]
pub struct Broken;

/// What becomes of a connection that is taken over.
pub(super) type Continue = Box<dyn FnOnce(Rc<Connection>) -> Pin<Box<dyn Future<Output = ()>>>>;

/// Takes the connection once the head is written: a WebSocket, a tunnel. What the client sent behind its request is the
/// first that [`Connection::poll_read`] gives; none of it was looked at.
pub struct TakeOver {
    pub(super) then: Continue,
    pub(super) is_silent: bool,
}

impl TakeOver {
    /// Calls `then` with the connection when the head is written. The connection ends when it is dropped.
    pub fn new<F>(then: impl FnOnce(Rc<Connection>) -> F + 'static) -> Self
    where
        F: Future<Output = ()> + 'static,
    {
        Self { then: Box::new(|connection| Box::pin(then(connection))), is_silent: false }
    }

    /// As [`new`](Self::new), and no head is written: somebody else answers the request, in another process perhaps.
    pub fn silent<F>(then: impl FnOnce(Rc<Connection>) -> F + 'static) -> Self
    where
        F: Future<Output = ()> + 'static,
    {
        Self { is_silent: true, ..Self::new(then) }
    }
}

impl fmt::Debug for TakeOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TakeOver").field("is_silent", &self.is_silent).finish_non_exhaustive()
    }
}

impl Body {
    /// Its length, if it is known without the head; `None` for a stream or a take-over.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        let of = |bytes: &Bytes| u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        match self {
            Self::Empty => Some(0),
            Self::Bytes(bytes) => Some(of(bytes)),
            Self::Parts(parts) => {
                let len = |part: &Part| match part {
                    Part::Bytes(bytes) => of(bytes),
                    Part::File(part) => part.len,
                };
                Some(parts.iter().map(len).fold(0, u64::saturating_add))
            }
            Self::Stream(_) | Self::TakeOver(_) => None,
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        if bytes.is_empty() { Self::Empty } else { Self::Bytes(bytes) }
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}
