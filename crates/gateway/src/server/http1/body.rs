//! The body of a request on HTTP/1, read from its connection.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use remuda_wire::http::{BodyDecoder, BodyLimits, Fields, Framing};

use super::super::limits::STREAM_WINDOW;
use super::super::patience::Waiting;
use super::super::{BodyError, Connection};

/// What a client is told that waits for it before it sends a body.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// How far a body is read; the driver looks at it when the answer is there.
#[derive(Debug)]
pub(super) struct Progress {
    decoder: RefCell<BodyDecoder>,
    /// Bytes of [`CONTINUE`] that are to be written before anything is read.
    promised: Cell<usize>,
    fault: Cell<Option<BodyError>>,
}

impl Progress {
    pub(super) fn new(framing: Framing, limits: BodyLimits, expects_continue: bool) -> Rc<Self> {
        Rc::new(Self {
            decoder: RefCell::new(BodyDecoder::with_limits(framing, limits)),
            promised: Cell::new(if expects_continue { CONTINUE.len() } else { 0 }),
            fault: Cell::new(None),
        })
    }

    /// Whether all of it was read.
    pub(super) fn is_done(&self) -> bool {
        self.decoder.borrow().is_done()
    }

    /// Bytes that are left, if they can be read at all and their number is known.
    pub(super) fn remaining(&self) -> Option<u64> {
        let is_readable = self.fault.get().is_none() && self.promised.get() == 0;
        self.decoder.borrow().remaining().filter(|_| is_readable)
    }
}

/// The body of the request that is being answered.
#[derive(Debug)]
pub struct Body {
    pub(super) connection: Rc<Connection>,
    pub(super) progress: Rc<Progress>,
}

impl Body {
    /// Adds some of it to `out`; 0: it is whole.
    pub(in super::super) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        out: &mut Vec<u8>,
    ) -> Poll<Result<usize, BodyError>> {
        if let Some(fault) = self.progress.fault.get() {
            return Poll::Ready(Err(fault));
        }
        let read = ready!(self.poll_some(context, out));
        self.connection.waiter.again(Waiting::Nothing);
        if let Err(fault) = read {
            self.progress.fault.set(Some(fault));
        }
        Poll::Ready(read)
    }

    fn poll_some(&mut self, context: &mut Context<'_>, out: &mut Vec<u8>) -> Poll<Result<usize, BodyError>> {
        loop {
            let len = self.decode(out)?;
            if len > 0 || self.progress.is_done() {
                return Poll::Ready(Ok(len));
            }
            ready!(self.poll_promise(context))?;
            self.connection.waiter.again(Waiting::Body);
            match ready!(self.connection.poll_fill(context, STREAM_WINDOW)) {
                Ok(true) => {}
                Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {
                    self.connection.server.figures.count("body-late");
                    return Poll::Ready(Err(BodyError::TooSlow));
                }
                Ok(false) | Err(_) => return Poll::Ready(Err(BodyError::Gone)),
            }
        }
    }

    /// Moves what is there of the body.
    fn decode(&mut self, out: &mut Vec<u8>) -> Result<usize, BodyError> {
        let mut input = self.connection.input.borrow_mut();
        let piece = self.progress.decoder.borrow_mut().decode(input.bytes())?;
        let end = piece.skip + piece.data;
        out.extend_from_slice(&input.bytes()[piece.skip..end]);
        input.consume(end);
        Ok(piece.data)
    }

    /// Tells a client that waits for it to go on.
    fn poll_promise(&self, context: &mut Context<'_>) -> Poll<Result<(), BodyError>> {
        while self.progress.promised.get() > 0 {
            let rest = &CONTINUE[CONTINUE.len() - self.progress.promised.get()..];
            let written = ready!(self.connection.poll_put(context, rest)).map_err(|_gone| BodyError::Gone)?;
            self.progress.promised.set(rest.len() - written);
            if written == rest.len() {
                self.connection.waiter.begin(Waiting::Body);
            }
        }
        Poll::Ready(Ok(()))
    }

    /// The trailers of a body that is whole.
    pub(in super::super) fn take_trailers(&mut self) -> Option<Box<Fields>> {
        self.progress.decoder.borrow_mut().take_trailers()
    }
}
