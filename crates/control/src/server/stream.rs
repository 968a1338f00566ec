//! The streams of events and lines: made when the client takes them, so a slow one costs no memory and holds up
//! nobody.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame};
use remuda_daemon::{EventReader, LogNext, LogReader, Next};
use remuda_model::Record;
use serde::Serialize;
use tokio::sync::watch;

use crate::body::{End, MissedEvents, MissedLines};
use crate::hub::Tail;
use crate::sse;

/// An idle stream says so this often: intermediaries and dead peers are found out.
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(15);
/// What is there already goes out together up to about so many bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// Where a stream's events come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// The instance's events.
    Events {
        /// The place in the stream.
        reader: EventReader,
        /// Nobody asked for what the ring no longer has.
        from_oldest: bool,
        /// The place to tell first.
        place: Option<u64>,
    },
    /// Lines of workers.
    Logs(Box<LogReader>),
    /// Messages of the hub's bus.
    Bus(Box<Tail>),
}

impl Source {
    fn try_next(&mut self) -> Option<String> {
        match self {
            Self::Events { reader, from_oldest, place } => {
                if let Some(place) = place.take() {
                    return Some(sse::place(place));
                }
                let mut next = reader.try_next()?;
                if std::mem::take(from_oldest) && matches!(next, Next::Missed(_)) {
                    next = reader.try_next()?;
                }
                Some(event_block(&next))
            }
            Self::Logs(reader) => reader.try_next().map(|next| log_block(&next)),
            // A hub that went is found gone by the wait that follows.
            Self::Bus(tail) => tail.try_next().ok().flatten().map(|message| block(None, "message", &message)),
        }
    }

    /// `None`: there is nobody who could say more.
    async fn next(&mut self) -> Option<String> {
        match self {
            Self::Events { reader, .. } => Some(event_block(&reader.next().await)),
            Self::Logs(reader) => Some(log_block(&reader.next().await)),
            Self::Bus(tail) => tail.next().await.ok().map(|message| block(None, "message", &message)),
        }
    }
}

fn event_block(next: &Next) -> String {
    match next {
        Next::Record(record) => block(Some(record.seq), &kind_of(record), record),
        Next::Missed(missed) => block(None, "missed", &MissedEvents { missed: *missed }),
    }
}

fn log_block(next: &LogNext) -> String {
    match next {
        LogNext::Line(line) => block(Some(line.seq), "line", line.as_ref()),
        LogNext::Missed { service, lines } => {
            block(None, "missed", &MissedLines { service: service.clone(), missed: *lines })
        }
    }
}

fn block(id: Option<u64>, event: &str, data: &impl Serialize) -> String {
    // These types have no map with keys that are no text, the one thing JSON refuses.
    sse::block(id, event, data).unwrap_or_default()
}

fn kind_of(record: &Record) -> String {
    let document = serde_json::to_value(&record.event.kind).unwrap_or_default();
    document.get("event").and_then(serde_json::Value::as_str).unwrap_or("event").to_owned()
}

/// A stream on its way to a client.
#[derive(Debug)]
pub(crate) struct Feed {
    source: Source,
    follow: bool,
    stopping: watch::Receiver<bool>,
    ended: bool,
}

impl Feed {
    pub(crate) fn new(source: Source, follow: bool, stopping: watch::Receiver<bool>) -> Self {
        Self { source, follow, stopping, ended: false }
    }

    pub(crate) fn into_body(self) -> FeedBody {
        FeedBody { next: Some(Box::pin(self.step())) }
    }

    async fn step(mut self) -> Option<(Self, Bytes)> {
        if self.ended {
            return None;
        }
        let mut text = String::new();
        while text.len() < CHUNK_BYTES
            && let Some(block) = self.source.try_next()
        {
            text.push_str(&block);
        }
        if text.is_empty() {
            text = if self.follow { self.wait().await } else { self.end(End::CaughtUp) };
        }
        Some((self, text.into()))
    }

    async fn wait(&mut self) -> String {
        let why = tokio::select! {
            biased;
            block = self.source.next() => match block {
                Some(block) => return block,
                None => End::HubAway,
            },
            // A closed channel means that the server is gone, which is the same to a reader.
            _ = self.stopping.wait_for(|stopping| *stopping) => End::Stopping,
            () = tokio::time::sleep(KEEP_ALIVE_EVERY) => return sse::KEEP_ALIVE.to_owned(),
        };
        self.end(why)
    }

    fn end(&mut self, why: End) -> String {
        self.ended = true;
        block(None, "end", &why)
    }
}

type Step = Pin<Box<dyn Future<Output = Option<(Feed, Bytes)>> + Send>>;

/// A [`Feed`] as the body of a response.
pub(crate) struct FeedBody {
    next: Option<Step>,
}

impl Body for FeedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(step) = self.next.as_mut() else { return Poll::Ready(None) };
        match step.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(None) => {
                self.next = None;
                Poll::Ready(None)
            }
            Poll::Ready(Some((feed, bytes))) => {
                self.next = Some(Box::pin(feed.step()));
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
        }
    }
}
