//! A request on its way: its head, and its body while that comes.
//!
//! A chunk's size stands before it and is known after it was read. So room is left for the longest size, and what is not
//! needed of it is passed over: what was read is written from where it was read to.

use std::task::{Context, Poll, ready};

use remuda_wire::http::{LAST_CHUNK, write_chunk_head, write_trailers};

use super::head::Framed;
use super::link::Link;
use super::spool::Spool;
use crate::server::{BodyError, RequestBody};

/// Room for a size of sixteen digits and its line end.
const CHUNK_ROOM: usize = 18;

/// Where a body comes from.
#[derive(Debug)]
pub(super) enum Content {
    /// The client, as it sends it.
    Client(RequestBody),
    /// What was kept of it; and what was too much for that comes from the client.
    Kept(Spool, RequestBody),
}

/// A request that is being sent.
#[derive(Debug)]
pub(super) struct Sending {
    output: Vec<u8>,
    written: usize,
    pub(super) content: Content,
    framed: Framed,
    state: State,
    /// Whether something of the body was taken from the client that is not kept.
    has_consumed: bool,
    /// Whether a byte was handed to the kernel.
    pub(super) was_sent: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The head; the body waits for a word.
    Waiting,
    /// The body.
    Body,
    /// What is in the output is the last.
    Last,
    /// Everything is with the kernel.
    Done,
    /// The server takes no more.
    Refused,
}

/// Why it does not go on.
#[derive(Debug)]
pub(super) enum SendError {
    /// The server takes no more.
    Link,
    /// The client gives no more.
    Body(BodyError),
}

impl Sending {
    /// With a head in `output`. If `waits`, the body is held back until it is asked for.
    pub(super) fn new(output: Vec<u8>, content: Content, framed: Framed, waits: bool) -> Self {
        let state = match framed {
            Framed::Empty | Framed::Length(0) => State::Last,
            _ if waits => State::Waiting,
            _ => State::Body,
        };
        Self { output, written: 0, content, framed, state, has_consumed: false, was_sent: false }
    }

    /// Whether everything is with the kernel.
    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Whether there is nothing left to do for it.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Done | State::Refused)
    }

    /// Whether the body waits for the server's word, everything before it being sent.
    pub(super) fn is_waiting(&self) -> bool {
        self.state == State::Waiting && self.written == self.output.len()
    }

    /// The server wants the body, or has said nothing for long enough.
    pub(super) fn go_on(&mut self) {
        if self.state == State::Waiting {
            self.state = State::Body;
        }
    }

    /// Whether it can be sent again from the beginning.
    pub(super) fn is_replayable(&self) -> bool {
        !self.has_consumed
    }

    /// What it was made of, and its buffer.
    pub(super) fn into_parts(mut self) -> (Content, Vec<u8>) {
        if let Content::Kept(spool, _) = &mut self.content {
            spool.rewind();
        }
        (self.content, self.output)
    }

    /// The buffer, when all is sent.
    pub(super) fn take_buffer(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// Sends as far as it goes. Ready: it is over. `moved` is set when something went.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        link: &Link,
        moved: &mut bool,
    ) -> Poll<Result<(), SendError>> {
        loop {
            let from = self.written;
            let wrote = link.poll_write_from(context, &self.output, &mut self.written);
            self.was_sent |= self.written > 0;
            *moved |= self.written > from;
            match wrote {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_gone)) => {
                    self.state = State::Refused;
                    return Poll::Ready(Err(SendError::Link));
                }
            }
            match self.state {
                State::Last => self.state = State::Done,
                State::Done | State::Refused => return Poll::Ready(Ok(())),
                State::Waiting => return Poll::Pending,
                State::Body => {
                    self.output.clear();
                    self.written = 0;
                    ready!(self.poll_body(context)).map_err(SendError::Body)?;
                }
            }
        }
    }

    /// Puts the next piece of the body into the output, which is empty.
    fn poll_body(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BodyError>> {
        let room = if self.framed == Framed::Chunked { CHUNK_ROOM } else { 0 };
        self.output.resize(room, 0);
        let len = match ready!(self.poll_content(context)) {
            Ok(len) => len,
            Err(error) => return Poll::Ready(Err(error)),
        };
        if len == 0 {
            self.output.clear();
            self.state = State::Last;
            self.end_chunks();
            return Poll::Ready(Ok(()));
        }
        if self.framed == Framed::Chunked {
            let mut size = Vec::with_capacity(CHUNK_ROOM);
            write_chunk_head(len, &mut size);
            self.written = room - size.len();
            self.output[self.written..room].copy_from_slice(&size);
            self.output.extend_from_slice(b"\r\n");
        }
        Poll::Ready(Ok(()))
    }

    fn poll_content(&mut self, context: &mut Context<'_>) -> Poll<Result<usize, BodyError>> {
        let body = match &mut self.content {
            Content::Client(body) => body,
            Content::Kept(spool, rest) => match spool.read(&mut self.output) {
                0 => rest,
                len => return Poll::Ready(Ok(len)),
            },
        };
        let len = match body.poll_read(context, &mut self.output) {
            Poll::Pending => {
                self.output.clear();
                return Poll::Pending;
            }
            Poll::Ready(read) => read?,
        };
        self.has_consumed |= len > 0;
        Poll::Ready(Ok(len))
    }

    fn end_chunks(&mut self) {
        if self.framed != Framed::Chunked {
            return;
        }
        let (Content::Client(body) | Content::Kept(_, body)) = &mut self.content;
        match body.take_trailers().filter(|trailers| !trailers.is_empty()) {
            Some(trailers) => write_trailers(&trailers, &mut self.output),
            None => self.output.extend_from_slice(LAST_CHUNK),
        }
    }
}
