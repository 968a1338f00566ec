//! What is sent to clients as it happens, and what comes from them: topics, streams of events, WebSockets, Socket.IO, keys.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Method, Template};

/// A topic of the bus under a URL: `topic = "news"`. GET streams it, as events or, where the client asks to upgrade, by
/// WebSocket; POST, where [`TopicSpec::publish`] is set, publishes its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicSpec {
    /// The topic, and by its prefix those below it.
    pub topic: Template,
    /// How it is streamed. Default [`Via::Auto`].
    pub via: Via,
    /// Whether clients may publish: by POST, or by what they send on a WebSocket. Default false.
    pub publish: bool,
    /// How it is streamed, in detail.
    pub stream: StreamSpec,
}

/// How a topic is streamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// By WebSocket where the client asks for it, else as events.
    #[default]
    Auto,
    /// As events.
    Sse,
    /// By WebSocket.
    Websocket,
}

/// What streams to clients have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamSpec {
    /// A sign of life is sent this often: a comment, a ping. Default 25 s.
    pub heartbeat: Duration,
    /// A WebSocket that does not answer a ping for so long is closed. Default 20 s.
    pub patience: Duration,
    /// Room for what one client has not taken yet, bytes. Default 1 MiB.
    pub queue: u64,
    /// What becomes of messages to a client whose queue is full. Default [`SlowClient::Close`].
    pub slow: SlowClient,
    /// Largest message of a client, bytes. Default 1 MiB.
    pub message_max: u64,
    /// Origins of pages that may connect, `https://example.org`, in which `*` stands for any text; empty for the
    /// request's own host alone, and `*` for all. Clients that are no browsers send none, and may.
    pub origins: Vec<String>,
}

impl Default for StreamSpec {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(25),
            patience: Duration::from_secs(20),
            queue: 1 << 20,
            slow: SlowClient::Close,
            message_max: 1 << 20,
            origins: Vec::new(),
        }
    }
}

/// What becomes of messages to a client whose queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SlowClient {
    /// The client is closed (WebSocket: 1013), and comes back.
    #[default]
    Close,
    /// They are dropped for it, and counted.
    Drop,
}

/// A stream of events (SSE).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerSentSpec {
    /// Topics, at least one; each with those below it.
    pub topics: Vec<Template>,
    /// Whether a client that comes back (`Last-Event-ID`) first gets what it missed, as far as the bus kept it. Default
    /// true.
    pub resume: bool,
    /// So long clients wait before they come back; `None` leaves it to them. Default 2 s.
    pub retry: Option<Duration>,
    /// Whether each event has its topic as name (`event:`); else all are `message`. Default false.
    pub named: bool,
    /// The rest.
    pub stream: StreamSpec,
}

/// A WebSocket between a client and topics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebSocketSpec {
    /// Topics whose messages are sent to the client; each with those below it.
    pub topics: Vec<Template>,
    /// The topic on which its messages are published; `None`: it may send nothing (1008).
    pub publish: Option<Template>,
    /// Whether messages are sent as binary frames even if they are UTF-8. Default false.
    pub binary: bool,
    /// Subprotocols, the preferred first.
    pub protocols: Vec<String>,
    /// The rest.
    pub stream: StreamSpec,
}

/// An endpoint of Socket.IO 5 over Engine.IO 4.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketIoSpec {
    /// What its topics begin with: `NAME.emit`, `NAME.event` and so on.
    pub name: String,
    /// Namespaces that clients may connect to. Default `/`.
    pub namespaces: Vec<String>,
    /// How clients may connect. Default both.
    pub transports: Vec<Transport>,
    /// Time between two pings. Default 25 s.
    pub ping_interval: Duration,
    /// A client that does not answer a ping for so long is gone. Default 20 s.
    pub ping_timeout: Duration,
    /// Bytes of one payload of polling, and of one message. Default 1,000,000.
    pub payload_max: u64,
    /// A client that connects to no namespace for so long is closed. Default 45 s.
    pub connect_timeout: Duration,
    /// An upgrade from polling to WebSocket takes so long at most. Default 10 s.
    pub upgrade_timeout: Duration,
    /// A worker's emit with an acknowledgement waits for clients so long. Default 10 s.
    pub ack_timeout: Duration,
    /// Room for what one client has not taken yet, bytes. Default 1 MiB.
    pub queue: u64,
    /// What becomes of messages to a client whose queue is full. Default [`SlowClient::Close`].
    pub slow: SlowClient,
    /// Sessions of one worker. Default 100,000.
    pub sessions_max: u32,
    /// Rooms one client is in, at most. Default 256.
    pub rooms_max: u32,
    /// Origins, as in [`StreamSpec::origins`]; they may also poll from there (CORS).
    pub origins: Vec<String>,
    /// Who lets clients in. Default [`Admission::Open`].
    pub admission: Admission,
}

/// Who lets clients of Socket.IO in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Admission {
    /// Everybody may come.
    #[default]
    Open,
    /// A worker hears of each, on `NAME.connect`, and says who may come.
    Worker,
}

/// How a client of Socket.IO is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// By one request after the other.
    Polling,
    /// By WebSocket.
    Websocket,
}

/// A key of the store under a URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySpec {
    /// The key.
    pub key: Template,
    /// The numbered database. Default 0.
    pub database: u32,
    /// What may be done with it, of GET, PUT and DELETE. Default GET.
    pub methods: Vec<Method>,
    /// `Content-Type` of its value. Default `application/octet-stream`.
    pub content_type: String,
    /// So long a value lives that was put; `None` is for ever.
    pub expire: Option<Duration>,
    /// Largest value, bytes. Default 1 MiB.
    pub max: u64,
}

impl SocketIoSpec {
    /// With topics that begin with `name`, and everything else by default.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            namespaces: vec!["/".to_owned()],
            transports: vec![Transport::Polling, Transport::Websocket],
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            payload_max: 1_000_000,
            connect_timeout: Duration::from_secs(45),
            upgrade_timeout: Duration::from_secs(10),
            ack_timeout: Duration::from_secs(10),
            queue: 1 << 20,
            slow: SlowClient::Close,
            sessions_max: 100_000,
            rooms_max: 256,
            origins: Vec::new(),
            admission: Admission::Open,
        }
    }
}
