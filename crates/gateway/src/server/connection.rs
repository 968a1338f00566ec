//! One connection: its bytes, what was read of them too early, and how long it is waited for.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use super::buffers::BUFFER_BYTES;
use super::patience::{Waiter, Waiting};
use super::{Peer, Server, Transport};

/// A connection, shared by the task that drives it and what reads its request's body; or the property of who took it over.
#[derive(Debug)]
pub struct Connection {
    pub(super) transport: Transport,
    pub(super) server: Rc<Server>,
    peer: Rc<Peer>,
    pub(super) waiter: Rc<Waiter>,
    pub(super) input: RefCell<Input>,
}

/// Bytes that were read and not used.
#[derive(Debug, Default)]
pub(super) struct Input {
    buffer: Vec<u8>,
    start: usize,
    has_ended: bool,
}

impl Input {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    pub(super) fn consume(&mut self, len: usize) {
        self.start += len;
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
        }
    }
}

impl Connection {
    /// Takes a connection in; it is counted until it is dropped.
    pub fn new(transport: Transport, server: Rc<Server>, peer: Rc<Peer>) -> Self {
        let waiter = server.patience.admit();
        Self { transport, server, peer, waiter, input: RefCell::default() }
    }

    /// As [`new`](Self::new), for a connection of which another process has read `input` already.
    pub fn passed_on(transport: Transport, server: Rc<Server>, peer: Rc<Peer>, input: Vec<u8>) -> Self {
        server.passed_on(&peer);
        let connection = Self::new(transport, server, peer);
        connection.input.borrow_mut().buffer = input;
        connection
    }

    /// What it belongs to.
    #[must_use]
    pub fn server(&self) -> &Rc<Server> {
        &self.server
    }

    /// Who is at the other end.
    #[must_use]
    pub fn peer(&self) -> &Rc<Peer> {
        &self.peer
    }

    /// What carries its bytes. To read here passes over what was read before: see [`take_input`](Self::take_input).
    #[must_use]
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Takes out what was read and not used.
    #[must_use]
    pub fn take_input(&self) -> Vec<u8> {
        let mut input = std::mem::take(&mut *self.input.borrow_mut());
        input.buffer.drain(..input.start);
        input.buffer
    }

    /// Reads into the room `buffer` has, which must be some, first what was read before; 0: the peer has ended its side.
    /// For who took the connection over: nothing is waited for too long here.
    ///
    /// # Errors
    /// The connection is broken, or is to be cut off (`TimedOut`).
    pub fn poll_read(&self, context: &mut Context<'_>, buffer: &mut Vec<u8>) -> Poll<io::Result<usize>> {
        if self.waiter.is_overdue(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let mut input = self.input.borrow_mut();
        let len = input.bytes().len().min(buffer.capacity() - buffer.len());
        if len > 0 {
            buffer.extend_from_slice(&input.bytes()[..len]);
            input.consume(len);
            return Poll::Ready(Ok(len));
        }
        // Who took the connection over has a buffer of its own.
        self.release(&mut input);
        drop(input);
        self.transport.poll_read(context, buffer)
    }

    /// Reads more into the input, up to about `room` bytes. `false`: the peer has ended its side. While nothing comes and
    /// the input is empty no buffer is held.
    pub(super) fn poll_fill(&self, context: &mut Context<'_>, room: usize) -> Poll<io::Result<bool>> {
        if self.waiter.is_overdue(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let mut input = self.input.borrow_mut();
        let input = &mut *input;
        if input.has_ended {
            return Poll::Ready(Ok(false));
        }
        self.make_room(input, room);
        let read = self.transport.poll_read(context, &mut input.buffer);
        match read {
            Poll::Pending => {
                self.release(input);
                Poll::Pending
            }
            Poll::Ready(Ok(0)) => {
                input.has_ended = true;
                Poll::Ready(Ok(false))
            }
            Poll::Ready(Ok(len)) => {
                self.waiter.progress(len);
                self.server.figures.received(len);
                Poll::Ready(Ok(true))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        }
    }

    /// Sees to it that something can be read, and that it need not be read in small pieces.
    fn make_room(&self, input: &mut Input, room: usize) {
        if input.buffer.capacity() == 0 {
            input.buffer = self.server.buffers.lend();
        }
        if input.buffer.is_empty() && input.buffer.capacity() < room {
            input.buffer.reserve(room);
        } else if input.buffer.len() == input.buffer.capacity() {
            if input.start > 0 {
                input.buffer.drain(..input.start);
                input.start = 0;
            } else {
                input.buffer.reserve(input.buffer.capacity());
            }
        }
    }

    /// Whether the client has gone, or ended its side, while an answer is made. Bytes it sends meanwhile stay.
    pub(super) fn poll_gone(&self, context: &mut Context<'_>) -> Poll<()> {
        if !self.input.borrow().bytes().is_empty() {
            return Poll::Pending;
        }
        match self.poll_fill(context, BUFFER_BYTES) {
            Poll::Ready(Ok(true)) | Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(false) | Err(_)) => Poll::Ready(()),
        }
    }

    /// Gives the buffer of an empty input back.
    fn release(&self, input: &mut Input) {
        if input.bytes().is_empty() && input.buffer.capacity() > 0 {
            input.start = 0;
            self.server.buffers.keep(std::mem::take(&mut input.buffer));
        }
    }

    /// Writes some of `bytes`; a client that takes nothing for too long makes it `TimedOut`.
    pub(super) fn poll_put(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.timed(context, |context| self.transport.poll_write(context, bytes))
    }

    /// Writes all of `bytes`, and empties it.
    pub(super) async fn put_all(&self, bytes: &mut Vec<u8>) -> io::Result<()> {
        let mut from = 0;
        while from < bytes.len() {
            from += poll_fn(|context| self.poll_put(context, &bytes[from..])).await?;
        }
        bytes.clear();
        self.flush().await
    }

    /// Writes all of `head` and then `body`, together as far as they go.
    pub(super) async fn put_both(&self, head: &[u8], body: &[u8]) -> io::Result<()> {
        let (mut head, mut body) = (head, body);
        while !head.is_empty() {
            let len = poll_fn(|context| {
                let slices = [IoSlice::new(head), IoSlice::new(body)];
                self.timed(context, |context| self.transport.poll_write_vectored(context, &slices))
            })
            .await?;
            body = &body[len.saturating_sub(head.len())..];
            head = &head[len.min(head.len())..];
        }
        while !body.is_empty() {
            let len = poll_fn(|context| self.poll_put(context, body)).await?;
            body = &body[len..];
        }
        self.flush().await
    }

    /// Whatever a layer in between holds back is handed to the kernel.
    pub(super) async fn flush(&self) -> io::Result<()> {
        poll_fn(|context| self.transport.poll_flush(context)).await
    }

    /// Carries a write out, and counts what went, or for how long nothing did.
    pub(super) fn timed(
        &self,
        context: &mut Context<'_>,
        write: impl FnOnce(&mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let written = write(context);
        if written.is_pending() {
            if self.waiter.waiting() != Waiting::Write {
                self.waiter.begin(Waiting::Write);
            } else if self.waiter.is_overdue(context) {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            // For the waker alone.
            let _is_overdue = self.waiter.is_overdue(context);
            return Poll::Pending;
        }
        let len = ready!(written)?;
        if len == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.waiter.progress(len);
        self.server.figures.sent(len);
        Poll::Ready(Ok(len))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.server.patience.dismiss(&self.waiter);
        let input = std::mem::take(self.input.get_mut());
        self.server.buffers.keep(input.buffer);
        self.server.closed(&self.peer);
    }
}
