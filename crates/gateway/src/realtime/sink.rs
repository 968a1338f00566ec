//! The way out to one WebSocket: frames that wait, shared with other clients, and how they are written.
//!
//! Whoever has something for many clients writes to each of them at once, from where it stands: to wake the task of each
//! would cost as much as the write. Only a client that does not take it has its own task do the rest, when the kernel
//! says that there is room.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::IoSlice;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use remuda_wire::websocket::{CloseCode, write_close};

use crate::server::Connection;

/// Frames of one write; the kernel takes up to 1,024 (`IOV_MAX`), of which few are ever there.
const SLICES_MAX: usize = 64;

/// The way out to one client.
#[derive(Debug)]
pub struct Sink {
    connection: Rc<Connection>,
    queue: RefCell<VecDeque<Bytes>>,
    /// Bytes of the first frame that are written.
    offset: Cell<usize>,
    bytes: Cell<usize>,
    state: Cell<State>,
    /// Times something came.
    heard: Cell<u64>,
    waker: RefCell<Option<Waker>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The kernel takes what is written.
    Free,
    /// It does not; the client's own task waits for it.
    Blocked,
    /// The connection is broken.
    Broken,
    /// The last frame is in the queue.
    Closing,
}

impl Sink {
    /// The way out on `connection`.
    #[must_use]
    pub fn new(connection: Rc<Connection>) -> Rc<Self> {
        Rc::new(Self {
            connection,
            queue: RefCell::default(),
            offset: Cell::new(0),
            bytes: Cell::new(0),
            state: Cell::new(State::Free),
            heard: Cell::new(0),
            waker: RefCell::default(),
        })
    }

    /// The connection.
    #[must_use]
    pub fn connection(&self) -> &Rc<Connection> {
        &self.connection
    }

    /// Bytes that wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.bytes.get()
    }

    /// Whether what is put in now would be written at once.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.state.get() == State::Free
    }

    /// Whether the last frame was put in, or the connection is broken.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        matches!(self.state.get(), State::Closing | State::Broken)
    }

    /// How often something came from the client.
    #[must_use]
    pub fn heard(&self) -> u64 {
        self.heard.get()
    }

    pub(super) fn note_heard(&self) {
        self.heard.set(self.heard.get().wrapping_add(1));
    }

    pub(super) fn is_broken(&self) -> bool {
        self.state.get() == State::Broken
    }

    /// Adds a whole frame; after the last one nothing is added.
    pub fn push(&self, frame: Bytes) {
        if !self.is_ending() {
            self.add(frame);
        }
    }

    fn add(&self, frame: Bytes) {
        self.bytes.set(self.bytes.get() + frame.len());
        self.queue.borrow_mut().push_back(frame);
    }

    /// Adds a close frame, after which nothing is sent; the client's task sees to the rest.
    pub fn close(&self, code: Option<CloseCode>, reason: &str) {
        if self.is_ending() {
            return;
        }
        let mut frame = Vec::new();
        write_close(&mut frame, code, reason, None);
        self.add(frame.into());
        self.state.set(State::Closing);
        self.wake();
    }

    /// As [`close`](Self::close), and what was not begun to be written is dropped: the client does not take it anyway.
    pub fn cut(&self, code: CloseCode, reason: &str) {
        // Its close frame is on its way, and must not be dropped.
        if self.is_ending() {
            return;
        }
        let begun = usize::from(self.offset.get() > 0);
        let mut queue = self.queue.borrow_mut();
        queue.truncate(begun);
        self.bytes.set(queue.front().map_or(0, |first| first.len() - self.offset.get()));
        drop(queue);
        self.close(Some(code), reason);
    }

    /// Has the client's task look.
    pub(super) fn wake(&self) {
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    /// The client's task, which is there for whatever is not done at once.
    pub(super) fn attend(&self, context: &Context<'_>) {
        let mut waker = self.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            *waker = Some(context.waker().clone());
        }
    }

    /// Writes what the kernel takes, here and now.
    pub fn flush(&self) {
        if !self.is_free() {
            return;
        }
        match self.write(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(true) => {}
            Poll::Ready(false) => {
                self.state.set(State::Broken);
                self.wake();
            }
            Poll::Pending => {
                self.state.set(State::Blocked);
                self.wake();
            }
        }
    }

    /// For the client's task: writes all there is. `false`: the connection is broken.
    pub(super) fn poll_flush(&self, context: &mut Context<'_>) -> Poll<bool> {
        if self.is_broken() {
            return Poll::Ready(false);
        }
        let written = self.write(context);
        match (written, self.state.get()) {
            (Poll::Ready(false), _) => self.state.set(State::Broken),
            (Poll::Ready(true), State::Blocked) => self.state.set(State::Free),
            (Poll::Pending, State::Free) => self.state.set(State::Blocked),
            _ => {}
        }
        written
    }

    fn write(&self, context: &mut Context<'_>) -> Poll<bool> {
        let transport = self.connection.transport();
        loop {
            let queue = self.queue.borrow();
            let Some(first) = queue.front() else { break };
            let first = &first[self.offset.get()..];
            let written = if queue.len() == 1 {
                transport.poll_write(context, first)
            } else {
                let mut slices = [IoSlice::new(&[]); SLICES_MAX];
                let frames = std::iter::once(first).chain(queue.iter().skip(1).map(|frame| &frame[..]));
                let mut len = 0;
                for (slice, frame) in slices.iter_mut().zip(frames) {
                    *slice = IoSlice::new(frame);
                    len += 1;
                }
                transport.poll_write_vectored(context, &slices[..len])
            };
            drop(queue);
            match ready!(written) {
                Ok(0) | Err(_) => return Poll::Ready(false),
                Ok(len) => self.advance(len),
            }
        }
        transport.poll_flush(context).map(|flushed| flushed.is_ok())
    }

    fn advance(&self, len: usize) {
        self.bytes.set(self.bytes.get() - len);
        let mut queue = self.queue.borrow_mut();
        let mut done = self.offset.get() + len;
        while let Some(first) = queue.front()
            && first.len() <= done
        {
            done -= first.len();
            queue.pop_front();
        }
        self.offset.set(done);
        if queue.is_empty() {
            // An idle client has no queue.
            *queue = VecDeque::new();
        }
    }
}
