//! Plain WebSockets and streams of events on topics.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use remuda_model::gateway::{ServerSentSpec, StreamSpec, WebSocketSpec};
use remuda_wire::websocket::{CloseCode, Handshake, HandshakeError, Limits, Opcode, write_frame};

use super::endpoint::accepted;
use super::feeds::{Outlet, Stream, StreamSource, Way};
use super::origin::{self, Verdict};
use super::{Bus, Conversation, Feeds, Message, Scratch, Sink, drive};
use crate::server::{Body, Request, Response, TakeOver, error_response};

/// What a channel is set to.
#[derive(Debug, Clone, Default)]
pub struct ChannelOptions {
    /// What WebSockets and streams have in common.
    pub stream: StreamSpec,
    /// Whether messages are binary frames even if they are text.
    pub binary: bool,
    /// Subprotocols, the preferred first.
    pub protocols: Vec<String>,
    /// Whether a client that comes back first gets what it missed.
    pub resume: bool,
    /// How long clients of streams wait before they come back.
    pub retry: Option<Duration>,
    /// Whether each event has its topic as name.
    pub named: bool,
}

impl From<&WebSocketSpec> for ChannelOptions {
    fn from(spec: &WebSocketSpec) -> Self {
        let (stream, protocols) = (spec.stream.clone(), spec.protocols.clone());
        Self { stream, protocols, binary: spec.binary, ..Self::default() }
    }
}

impl From<&ServerSentSpec> for ChannelOptions {
    fn from(spec: &ServerSentSpec) -> Self {
        let ServerSentSpec { stream, resume, retry, named, .. } = spec;
        Self { stream: stream.clone(), resume: *resume, retry: *retry, named: *named, ..Self::default() }
    }
}

/// Clients on topics, without a protocol of their own.
#[derive(Debug)]
pub struct Channel {
    options: ChannelOptions,
    bus: Rc<Bus>,
    feeds: Rc<Feeds>,
    scratch: Rc<Scratch>,
}

impl Channel {
    pub(super) fn new(
        options: ChannelOptions,
        bus: Rc<Bus>,
        feeds: Rc<Feeds>,
        scratch: Rc<Scratch>,
    ) -> Rc<Self> {
        Rc::new(Self { options, bus, feeds, scratch })
    }

    fn outlet(&self, way: Way) -> Outlet {
        let queue_max = usize::try_from(self.options.stream.queue).unwrap_or(usize::MAX);
        Outlet { way, queue_max, slow: self.options.stream.slow }
    }

    /// A WebSocket that hears `topics`, and publishes on `publish` what comes.
    pub fn websocket(
        self: &Rc<Self>,
        request: &Request,
        topics: Vec<Vec<u8>>,
        publish: Option<Vec<u8>>,
    ) -> Response {
        if origin::judge(&self.options.stream.origins, &request.head) == Verdict::Refused {
            return origin::refused();
        }
        let handshake = match Handshake::read(&request.head) {
            Ok(handshake) => handshake,
            Err(error) => {
                let response = error_response(error.status(), &error.to_string(), request.id, None);
                let response = response.field("Upgrade", "websocket").field("Connection", "Upgrade");
                return match error {
                    HandshakeError::Version => response.field("Sec-WebSocket-Version", "13"),
                    HandshakeError::NoUpgrade | HandshakeError::Key => response,
                };
            }
        };
        let mut response = accepted(&handshake);
        if let Some(chosen) = self.options.protocols.iter().find(|own| handshake.protocols.contains(own)) {
            response = response.field("Sec-WebSocket-Protocol", chosen);
        }
        let this = Rc::clone(self);
        response.body = Body::TakeOver(TakeOver::new(move |connection| async move {
            let sink = Sink::new(connection);
            let way = Way::Socket(Rc::clone(&sink), this.options.binary);
            let subscription = this.feeds.subscribe(&topics, &this.outlet(way));
            let message_max = usize::try_from(this.options.stream.message_max).unwrap_or(usize::MAX);
            let mut publishing = Publishing { channel: Rc::clone(&this), topic: publish };
            let limits = Limits { message_max, ..Limits::default() };
            let beating = this.beat(&sink);
            tokio::select! {
                () = drive(&sink, &this.scratch, limits, &mut publishing) => {}
                () = beating => {}
            }
            drop(subscription);
        }));
        response
    }

    /// Pings a client now and then; ends when it does not answer.
    async fn beat(&self, sink: &Sink) {
        let (every, patience) = (self.options.stream.heartbeat, self.options.stream.patience);
        let mut ping = Vec::new();
        write_frame(&mut ping, true, Opcode::Ping, b"", None);
        let ping = Bytes::from(ping);
        loop {
            tokio::time::sleep(every).await;
            let heard = sink.heard();
            sink.push(ping.clone());
            sink.flush();
            tokio::time::sleep(patience).await;
            if sink.heard() == heard {
                return;
            }
        }
    }

    /// A stream of events of `topics`.
    pub fn events(self: &Rc<Self>, request: &Request, topics: &[Vec<u8>]) -> Response {
        let verdict = origin::judge(&self.options.stream.origins, &request.head);
        if verdict == Verdict::Refused {
            return origin::refused();
        }
        let stream = Stream::new(self.options.named);
        let subscription = self.feeds.subscribe(topics, &self.outlet(Way::Stream(Rc::clone(&stream))));
        let last = request.head.fields().get_str("last-event-id").filter(|_| self.options.resume);
        let last = last.map(|id| {
            let number = id.rsplit_once('-').filter(|(node, _)| *node == self.feeds.node());
            (topics.to_vec(), number.and_then(|(_, number)| number.parse().ok()))
        });
        let first = match self.options.retry {
            Some(retry) => format!("retry: {}\n\n", retry.as_millis()),
            None => ":\n\n".to_owned(),
        };
        let every = self.options.stream.heartbeat;
        let source = StreamSource::new(stream, subscription, first.into(), last, every);
        let mut response = Response::new(200)
            .field("Content-Type", "text/event-stream")
            .field("Cache-Control", "no-store")
            .field("X-Accel-Buffering", "no");
        response.body = Body::Stream(Box::new(source));
        match verdict {
            Verdict::Named(origin) => origin::allow(response, &origin),
            _ => response,
        }
    }
}

/// What comes from a client of a WebSocket.
struct Publishing {
    channel: Rc<Channel>,
    topic: Option<Vec<u8>>,
}

impl Conversation for Publishing {
    fn hear(&mut self, sink: &Rc<Sink>, message: Message<'_>) {
        let Some(topic) = &self.topic else {
            return sink.close(Some(CloseCode::POLICY), "nothing is taken here");
        };
        self.channel.feeds.count(|counts| counts.heard += 1);
        let payload = match message {
            Message::Text(text) => text.as_bytes(),
            Message::Binary(bytes) => bytes,
        };
        // One that does not fit is counted there.
        let _waits = self.channel.bus.publish(topic, payload);
    }
}
