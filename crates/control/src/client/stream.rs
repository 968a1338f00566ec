//! Streams that resume themselves: a broken connection is opened anew after the last event that came.

use std::collections::VecDeque;
use std::time::Duration;

use hyper::body::Bytes;
use hyper::{Method, StatusCode};
use remuda_daemon::LogLine;
use remuda_model::Record;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::body::{MissedEvents, MissedLines};
use crate::client::wire::Streaming;
use crate::client::{Client, ClientError};
use crate::sse::{Block, Parser};

/// A broken stream is tried to be resumed for so long.
const RESUME_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause before the second attempt; it doubles with each.
const RESUME_PAUSE: Duration = Duration::from_millis(50);
/// Longest pause between attempts.
const RESUME_PAUSE_MAX: Duration = Duration::from_secs(1);

/// What comes out of the stream of events.
#[derive(Debug, Clone, PartialEq)]
pub enum EventItem {
    /// An event.
    Record(Box<Record>),
    /// So many events were gone before they could be read.
    Missed(u64),
}

/// What comes out of the stream of lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogItem {
    /// A line.
    Line(LogLine),
    /// So many lines of a service were gone before they could be read.
    Missed(MissedLines),
}

/// The events of an instance.
#[derive(Debug)]
pub struct EventStream {
    tail: Tail,
}

impl EventStream {
    pub(crate) async fn open(client: Client, target: String) -> Result<Self, ClientError> {
        let mut tail = Tail::open(client, target).await?;
        // The server tells the place first. Knowing it, nothing that happens from here on can be missed.
        while tail.last_id.is_none() && tail.waiting.is_empty() && tail.open.is_some() {
            tail.fill().await?;
        }
        Ok(Self { tail })
    }

    /// What comes next; `None` when the stream has ended: caught up, or the arbiter ends.
    ///
    /// # Errors
    /// [`ClientError::StreamBroken`] when it broke and could not be resumed for 10 s.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Result<Option<EventItem>, ClientError> {
        let Some(block) = self.tail.next().await? else { return Ok(None) };
        let item = if block.event == "missed" {
            EventItem::Missed(self.tail.parse::<MissedEvents>(&block)?.missed)
        } else {
            EventItem::Record(self.tail.parse(&block)?)
        };
        Ok(Some(item))
    }
}

/// The lines of workers.
#[derive(Debug)]
pub struct LogStream {
    tail: Tail,
}

impl LogStream {
    pub(crate) async fn open(client: Client, target: String) -> Result<Self, ClientError> {
        Tail::open(client, target).await.map(|tail| Self { tail })
    }

    /// What comes next; `None` when the stream has ended: caught up, or the arbiter ends.
    ///
    /// # Errors
    /// [`ClientError::StreamBroken`] when it broke and could not be resumed for 10 s.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Result<Option<LogItem>, ClientError> {
        let Some(block) = self.tail.next().await? else { return Ok(None) };
        let item = if block.event == "missed" {
            LogItem::Missed(self.tail.parse(&block)?)
        } else {
            LogItem::Line(self.tail.parse(&block)?)
        };
        Ok(Some(item))
    }
}

#[derive(Debug)]
struct Tail {
    client: Client,
    target: String,
    last_id: Option<String>,
    open: Option<(Streaming, Parser)>,
    waiting: VecDeque<Block>,
    ended: bool,
}

impl Tail {
    async fn open(client: Client, target: String) -> Result<Self, ClientError> {
        let mut tail =
            Self { client, target, last_id: None, open: None, waiting: VecDeque::new(), ended: false };
        tail.open = Some(tail.connect().await?);
        Ok(tail)
    }

    async fn connect(&self) -> Result<(Streaming, Parser), ClientError> {
        let mut request = self.client.build(Method::GET, &self.target, Bytes::new())?;
        if let Some(id) = self.last_id.as_deref().and_then(|id| id.parse().ok()) {
            request.headers_mut().insert("last-event-id", id);
        }
        let streaming = self.client.stream(request).await?;
        if streaming.status != StatusCode::OK {
            let status = streaming.status;
            return Err(self.client.error_of(status, &streaming.collect().await));
        }
        Ok((streaming, Parser::new()))
    }

    async fn next(&mut self) -> Result<Option<Block>, ClientError> {
        loop {
            if let Some(block) = self.waiting.pop_front() {
                if block.id.is_some() {
                    self.last_id.clone_from(&block.id);
                }
                if block.event != "end" {
                    return Ok(Some(block));
                }
                self.ended = true;
            }
            if self.ended {
                return Ok(None);
            }
            if self.open.is_none() {
                self.open = Some(self.resume().await?);
            }
            self.fill().await?;
        }
    }

    /// Takes what comes next from the open connection, or learns that it is broken.
    async fn fill(&mut self) -> Result<(), ClientError> {
        let Some((streaming, parser)) = &mut self.open else { return Ok(()) };
        let Some(bytes) = streaming.next().await else {
            self.open = None;
            return Ok(());
        };
        let path = || self.client.path().to_owned();
        let blocks = parser.push(&bytes).map_err(|source| ClientError::BadStream { path: path(), source })?;
        self.waiting.extend(blocks);
        if self.waiting.is_empty()
            && let Some(place) = parser.last_id()
        {
            self.last_id = Some(place.to_owned());
        }
        Ok(())
    }

    async fn resume(&self) -> Result<(Streaming, Parser), ClientError> {
        let deadline = Instant::now() + RESUME_TIMEOUT;
        let mut pause = RESUME_PAUSE;
        loop {
            match self.connect().await {
                Ok(open) => return Ok(open),
                Err(error @ (ClientError::Refused(_) | ClientError::NotAllowed { .. })) => return Err(error),
                Err(error) if Instant::now() + pause > deadline => {
                    let (path, seconds) = (self.client.path().to_owned(), RESUME_TIMEOUT.as_secs());
                    return Err(ClientError::StreamBroken { path, seconds, last: Box::new(error) });
                }
                Err(_) => tokio::time::sleep(pause).await,
            }
            pause = (pause * 2).min(RESUME_PAUSE_MAX);
        }
    }

    fn parse<T: DeserializeOwned>(&self, block: &Block) -> Result<T, ClientError> {
        serde_json::from_str(&block.data)
            .map_err(|error| self.client.unexpected(StatusCode::OK, &error.to_string()))
    }
}
