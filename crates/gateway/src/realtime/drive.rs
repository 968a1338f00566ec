//! A WebSocket that was taken over: its frames in, its pings answered, its end.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use remuda_wire::websocket::{CloseCode, Decoder, Event, Limits, Opcode, Role, write_frame};

use super::Sink;

/// Bytes read at once, by all clients in turn: an idle client has no buffer.
const READ_BYTES: usize = 64 << 10;
/// Reads of one client before others have their turn.
const READS_MAX: usize = 4;
/// Pongs that wait for a client that pings and does not read; then it is closed.
const PONGS_WAITING_MAX: usize = 64 << 10;
/// How long a client may take for the last frames, and for ending its side.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// A message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message<'a> {
    /// A text.
    Text(&'a str),
    /// Bytes.
    Binary(&'a [u8]),
}

/// The buffer all clients of a thread read into.
#[derive(Debug)]
pub struct Scratch(RefCell<Vec<u8>>);

impl Default for Scratch {
    fn default() -> Self {
        Self(RefCell::new(Vec::with_capacity(READ_BYTES)))
    }
}

/// Who hears what comes on a WebSocket.
pub trait Conversation {
    /// A message came.
    fn hear(&mut self, sink: &Rc<Sink>, message: Message<'_>);

    /// All that waited is written: more may be put in.
    fn refill(&mut self, sink: &Rc<Sink>) {
        let _ = sink;
    }
}

/// Serves a WebSocket until it ends.
pub async fn drive<C: Conversation>(
    sink: &Rc<Sink>,
    scratch: &Scratch,
    limits: Limits,
    conversation: &mut C,
) {
    let mut driver = Driver { decoder: Decoder::new(Role::Server, limits), sink, has_ended: false };
    poll_fn(|context| driver.poll(context, scratch, conversation)).await;
    if !sink.is_broken() {
        let end = Box::pin(driver.end(scratch));
        let _elapsed = tokio::time::timeout(CLOSE_WITHIN, end).await;
    }
}

struct Driver<'a> {
    decoder: Decoder,
    sink: &'a Rc<Sink>,
    /// The client has ended its side, or sent its close frame.
    has_ended: bool,
}

impl Driver<'_> {
    fn poll<C: Conversation>(
        &mut self,
        context: &mut Context<'_>,
        scratch: &Scratch,
        with: &mut C,
    ) -> Poll<()> {
        self.sink.attend(context);
        for turn in 0.. {
            if self.sink.is_ending() {
                return Poll::Ready(());
            }
            if turn == READS_MAX {
                context.waker().wake_by_ref();
                break;
            }
            let mut buffer = scratch.0.borrow_mut();
            buffer.clear();
            match self.sink.connection().poll_read(context, &mut buffer) {
                Poll::Pending => break,
                Poll::Ready(Ok(1..)) => {
                    self.sink.note_heard();
                    self.take(&mut buffer, with);
                }
                Poll::Ready(Ok(0) | Err(_)) => {
                    self.has_ended = true;
                    return Poll::Ready(());
                }
            }
        }
        loop {
            match self.sink.poll_flush(context) {
                Poll::Ready(false) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
                Poll::Ready(true) => {
                    if self.sink.is_ending() {
                        return Poll::Ready(());
                    }
                    with.refill(self.sink);
                    if self.sink.waiting() == 0 {
                        return Poll::Pending;
                    }
                }
            }
        }
    }

    fn take<C: Conversation>(&mut self, bytes: &mut [u8], with: &mut C) {
        let mut rest = bytes;
        while !self.sink.is_ending() {
            match self.decoder.read(rest) {
                Ok((used, event)) => {
                    let Some(event) = event else { return };
                    self.has_ended |= hear(self.sink, event, with);
                    rest = &mut rest[used..];
                }
                Err(error) => return self.sink.close(Some(error.code()), ""),
            }
        }
    }

    /// Writes what is left, ends our side, and waits for the client to end its own: bytes that nobody read would reset
    /// the connection, and the last frame might be lost.
    async fn end(&mut self, scratch: &Scratch) {
        let sink = self.sink;
        if !poll_fn(|context| sink.poll_flush(context)).await {
            return;
        }
        let transport = sink.connection().transport();
        if poll_fn(|context| transport.poll_shutdown(context)).await.is_err() {
            return;
        }
        loop {
            let read = poll_fn(|context| {
                let mut buffer = scratch.0.borrow_mut();
                buffer.clear();
                sink.connection().poll_read(context, &mut buffer)
            });
            if !matches!(read.await, Ok(1..)) {
                return;
            }
        }
    }
}

/// Answers what is the protocol's own, and hands on the rest; `true`: the client ends.
fn hear<C: Conversation>(sink: &Rc<Sink>, event: Event<'_>, with: &mut C) -> bool {
    match event {
        Event::Text(text) => with.hear(sink, Message::Text(text)),
        Event::Binary(bytes) => with.hear(sink, Message::Binary(bytes)),
        Event::Ping(payload) => {
            if sink.waiting() > PONGS_WAITING_MAX {
                sink.cut(CloseCode::POLICY, "pongs are not read");
                return false;
            }
            let mut pong = Vec::new();
            write_frame(&mut pong, true, Opcode::Pong, payload, None);
            sink.push(pong.into());
        }
        Event::Pong(_) => {}
        Event::Close(code, _) => {
            sink.close(code, "");
            return true;
        }
    }
    false
}
