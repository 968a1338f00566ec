//! HTTP/2 on one connection.
//!
//! The frames are `h2`'s business. Here a connection is a loop that takes requests off it and has each answered by a task of
//! its own; all of them end with the connection. A request and its answer are the same as with HTTP/1, so that no handler
//! knows what they came on; even a WebSocket (`connect`) looks like one.
//!
//! What a client may cost is bounded four times: by `h2` (streams, fields, frames of one request, streams that are reset
//! before we hear of them), by counting requests that are taken back (`Strikes`), by counting bytes that bring nothing
//! on, and by the patience that all connections share.

mod answer;
mod body;
mod connect;
mod head;
mod output;
mod wire;

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use h2::server::{Builder, SendResponse};
use h2::{Reason, RecvStream};
use tokio::task::JoinSet;

use super::limits::Http2Limits;
use super::patience::Waiting;
use super::{Connection, Handler};
use answer::Stream;
pub use connect::Tunnel;
use wire::Wire;

/// What a stream's client may send before it is read: less than a body that is worth waiting for would fill in a round trip
/// around the world, and 100 of them are 25 MiB. Browsers and proxies use the like.
const STREAM_WINDOW: u32 = 256 << 10;
/// The same for all streams of a connection together.
const CONNECTION_WINDOW: u32 = 1 << 20;
/// What is kept of a stream's answer until the client takes it.
const SEND_BUFFER_MAX: usize = 128 << 10;
/// Streams that were reset by us, which are remembered so that what still comes on them is no error.
const RESETS_KEPT: usize = 50;
/// Bytes that may come without a request, a part of a body, or an answer that moves: frames of control. A client that asks
/// for windows needs 13 bytes for what we take megabytes of answers to send.
const UNUSED_MAX: usize = 256 << 10;

/// For requests to notice that their connection is gone.
const END_WITHIN: Duration = Duration::from_secs(1);

/// What a client has on its account, for all streams of a connection.
#[derive(Debug, Default)]
struct Strikes {
    /// Requests that were taken back, less those that were answered.
    resets: Cell<u32>,
    /// Bytes since something was of use.
    unused: Cell<usize>,
}

impl Strikes {
    /// Something came, or went, that it is all for.
    fn useful(&self) {
        self.unused.set(0);
    }

    fn answered(&self) {
        self.resets.set(self.resets.get().saturating_sub(1));
    }

    fn taken_back(&self) {
        self.resets.set(self.resets.get().saturating_add(1));
    }
}

/// Serves a connection until it ends.
pub async fn serve<H: Handler>(connection: Rc<Connection>, handler: Rc<H>) {
    connection.waiter.begin(Waiting::Head);
    let strikes = Rc::new(Strikes::default());
    let wire = Wire::new(Rc::clone(&connection), Rc::clone(&strikes));
    let mut handshake = builder(&connection.server.limits.http2).handshake(wire);
    let begun = poll_fn(|context| {
        if connection.waiter.is_overdue(context) {
            return Poll::Ready(None);
        }
        Pin::new(&mut handshake).poll(context).map(Result::ok)
    });
    let Some(session) = begun.await else {
        connection.server.figures.count("http2-no-preface");
        return;
    };
    let server = Rc::clone(&connection.server);
    let driver = Driver {
        drain: Box::pin(async move { server.drain.begun().await }),
        is_ending: false,
        is_idle: false,
        is_cut: false,
        connection,
        handler,
        session,
        streams: JoinSet::new(),
        strikes,
    };
    Box::pin(driver.run()).await;
}

fn builder(limits: &Http2Limits) -> Builder {
    let resets = usize::try_from(limits.resets_max).unwrap_or(usize::MAX);
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(limits.streams_max)
        .max_header_list_size(limits.header_list_max)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buffer_size(SEND_BUFFER_MAX)
        .max_concurrent_reset_streams(RESETS_KEPT)
        .max_local_error_reset_streams(Some(resets))
        .max_pending_accept_reset_streams(resets)
        .enable_connect_protocol();
    builder
}

/// One connection's work.
struct Driver<H> {
    connection: Rc<Connection>,
    handler: Rc<H>,
    session: h2::server::Connection<Wire, Bytes>,
    /// One task for each request.
    streams: JoinSet<()>,
    strikes: Rc<Strikes>,
    drain: Pin<Box<dyn Future<Output = ()>>>,
    /// The client was told that no more requests are taken.
    is_ending: bool,
    /// It did nothing for too long. What it asks before it has heard of that is answered.
    is_idle: bool,
    /// The client has had enough; only good-bye is to be said.
    is_cut: bool,
}

/// What comes next.
enum Turn {
    Request(Box<http::Request<RecvStream>>, SendResponse<Bytes>),
    End,
}

impl<H: Handler> Driver<H> {
    async fn run(mut self) {
        while let Turn::Request(request, respond) = poll_fn(|context| self.poll_turn(context)).await {
            self.strikes.useful();
            let stream = Stream::new(&self.connection, &self.strikes, respond);
            self.streams.spawn_local(stream.serve(Rc::clone(&self.handler), request));
        }
        // With the session all streams are over, and each request notes its end.
        drop(self.session);
        let mut streams = self.streams;
        let all = async { while streams.join_next().await.is_some() {} };
        let _aborted = tokio::time::timeout(END_WITHIN, all).await;
    }

    fn poll_turn(&mut self, context: &mut Context<'_>) -> Poll<Turn> {
        while let Poll::Ready(Some(_ended)) = self.streams.poll_join_next(context) {}
        if !self.is_ending && self.drain.as_mut().poll(context).is_ready() {
            self.end();
        }
        if self.is_overdue(context) {
            return Poll::Ready(Turn::End);
        }
        self.judge();
        match self.session.poll_accept(context) {
            // Nothing is begun on a connection that is being cut.
            Poll::Ready(Some(Ok(_))) if self.is_cut => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Ready(Some(Ok((request, respond)))) => {
                Poll::Ready(Turn::Request(Box::new(request), respond))
            }
            Poll::Ready(Some(Err(error))) => {
                if !self.is_cut && error.is_library() {
                    let is_flood = error.reason() == Some(Reason::ENHANCE_YOUR_CALM);
                    self.connection.server.figures.count(if is_flood {
                        "http2-flood"
                    } else {
                        "http2-error"
                    });
                }
                Poll::Ready(Turn::End)
            }
            Poll::Ready(None) => Poll::Ready(Turn::End),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Looks after the connection's own waiting; `true`: it is over.
    fn is_overdue(&mut self, context: &Context<'_>) -> bool {
        let waiter = &self.connection.waiter;
        let wanted = match (self.is_cut, self.streams.is_empty()) {
            (true, _) => Waiting::Linger,
            // For good-bye; who does not answer to it is not waited for as long again.
            (false, true) if self.is_idle => Waiting::Linger,
            (false, true) => Waiting::Request,
            (false, false) => Waiting::Nothing,
        };
        if waiter.waiting() != wanted {
            waiter.begin(wanted);
        }
        if !waiter.is_overdue(context) {
            return false;
        }
        if self.is_ending || self.is_cut || !self.streams.is_empty() {
            return true;
        }
        self.connection.server.figures.count("idle-closed");
        self.end();
        self.is_idle = true;
        self.connection.waiter.begin(Waiting::Linger);
        false
    }

    /// Tells the client that what it asks from here on is not answered here (GOAWAY).
    fn end(&mut self) {
        self.is_ending = true;
        self.session.graceful_shutdown();
    }

    /// Ends the connection of a client that costs more than it asks for.
    fn judge(&mut self) {
        let strikes = &self.strikes;
        let word = if strikes.resets.get() > self.connection.server.limits.http2.resets_max {
            "http2-resets"
        } else if strikes.unused.get() > UNUSED_MAX {
            "http2-flood"
        } else {
            return;
        };
        if !self.is_cut {
            self.is_cut = true;
            self.connection.server.figures.count(word);
            self.session.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
        }
    }
}
