//! What a route streams to clients as it happens, and keys of the store.

use remuda_model::gateway::{Admission, SlowClient, Transport, Via};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::raw::shorthand::shorthand;
use crate::raw::{Duration, Field, Located, Size, Texts};

shorthand! {
    /// A topic under a URL.
    Topic = TopicTable, "a topic, or a table"
}

/// A topic under a URL, with its settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TopicTable {
    /// The topic, and by its prefix those below it. Required.
    pub topic: Field<String>,
    /// How it is streamed: `sse`, `websocket`, or `auto`, as the client asks. Default: `auto`.
    #[serde(rename = "as")]
    pub via: Field<Via>,
    /// Clients may publish, by POST or WebSocket. Default: false.
    pub publish: Field<bool>,
    /// A sign of life is sent this often. Default: "25s".
    pub heartbeat: Field<Duration>,
    /// A WebSocket that does not answer a ping for so long is closed. Default: "20s".
    pub patience: Field<Duration>,
    /// Room for what one client has not taken yet. Default: "1MiB".
    pub queue: Field<Size>,
    /// What becomes of messages to a client whose queue is full: `close` the client, or `drop` them. Default: `close`.
    pub slow: Field<SlowClient>,
    /// Largest message of a client. Default: "1MiB".
    pub message_max: Field<Size>,
    /// Origins of pages that may connect: `https://example.org`, "*". Default: the request's own host.
    pub origins: Field<Texts>,
}

shorthand! {
    /// A stream of events.
    ServerSent = ServerSentTable, "a topic, or a table"
}

/// A stream of events with its settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSentTable {
    /// A topic, or several; each with those below it. Required.
    pub topics: Field<Texts>,
    /// A client that comes back first gets what it missed, as far as `bus.replay` kept it. Default: true.
    pub resume: Field<bool>,
    /// So long clients wait before they come back. Default: "2s".
    pub retry: Field<Duration>,
    /// Each event has its topic as name. Default: false.
    pub named: Field<bool>,
    /// A comment is sent this often. Default: "25s".
    pub heartbeat: Field<Duration>,
    /// Room for what one client has not taken yet. Default: "1MiB".
    pub queue: Field<Size>,
    /// What becomes of messages to a client whose queue is full: `close` or `drop`. Default: `close`.
    pub slow: Field<SlowClient>,
    /// Origins of pages that may connect. Default: the request's own host.
    pub origins: Field<Texts>,
}

shorthand! {
    /// A WebSocket between a client and topics.
    WebSocket = WebSocketTable, "a topic, or a table"
}

/// A WebSocket with its settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WebSocketTable {
    /// Topics whose messages the client gets; each with those below it. Default: none.
    pub topics: Field<Texts>,
    /// The topic on which its messages are published. Default: it may send nothing.
    pub publish: Field<String>,
    /// Messages are sent as binary frames even if they are text. Default: false.
    pub binary: Field<bool>,
    /// Subprotocols, the preferred first. Default: none.
    pub protocols: Field<Texts>,
    /// A ping is sent this often. Default: "25s".
    pub heartbeat: Field<Duration>,
    /// A client that does not answer it for so long is closed. Default: "20s".
    pub patience: Field<Duration>,
    /// Room for what one client has not taken yet. Default: "1MiB".
    pub queue: Field<Size>,
    /// What becomes of messages to a client whose queue is full: `close` or `drop`. Default: `close`.
    pub slow: Field<SlowClient>,
    /// Largest message of a client. Default: "1MiB".
    pub message_max: Field<Size>,
    /// Origins of pages that may connect. Default: the request's own host.
    pub origins: Field<Texts>,
}

shorthand! {
    /// An endpoint of Socket.IO.
    SocketIo = SocketIoTable, "a name, or a table"
}

/// An endpoint of Socket.IO with its settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SocketIoTable {
    /// What its topics begin with: `NAME.emit`, `NAME.event` … Required.
    pub name: Field<String>,
    /// Namespaces that clients may connect to. Default: "/".
    pub namespaces: Field<Texts>,
    /// `polling`, `websocket`. Default: both.
    pub transports: Field<Vec<Located<Transport>>>,
    /// Time between two pings. Default: "25s".
    pub ping_interval: Field<Duration>,
    /// A client that does not answer one for so long is gone. Default: "20s".
    pub ping_timeout: Field<Duration>,
    /// Largest payload of polling, and largest message. Default: 1000000.
    pub payload_max: Field<Size>,
    /// A client that connects to no namespace for so long is closed. Default: "45s".
    pub connect_timeout: Field<Duration>,
    /// An upgrade to WebSocket takes so long at most. Default: "10s".
    pub upgrade_timeout: Field<Duration>,
    /// Acknowledgements of clients are waited for so long. Default: "10s".
    pub ack_timeout: Field<Duration>,
    /// Room for what one client has not taken yet. Default: "1MiB".
    pub queue: Field<Size>,
    /// What becomes of messages to a client whose queue is full: `close` or `drop`. Default: `close`.
    pub slow: Field<SlowClient>,
    /// Sessions of one worker. Default: 100000.
    pub sessions_max: Field<u32>,
    /// Rooms that one client is in. Default: 256.
    pub rooms_max: Field<u32>,
    /// Origins of pages that may connect. Default: the request's own host.
    pub origins: Field<Texts>,
    /// Who lets clients in: `open`, everybody may come, or `worker`, one that hears of them on `NAME.connect`. Default:
    /// `open`.
    pub admission: Field<Admission>,
}

shorthand! {
    /// A key of the store under a URL.
    Key = KeyTable, "a key, or a table"
}

/// A key of the store with its settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KeyTable {
    /// The key: "count:{id}". Required.
    pub key: Field<String>,
    /// The numbered database. Default: 0.
    pub database: Field<u32>,
    /// `Content-Type` of its value. Default: "application/octet-stream".
    #[serde(rename = "type")]
    pub content_type: Field<String>,
    /// So long a value lives that was put. Default: for ever.
    pub expire: Field<Duration>,
    /// Largest value that is taken. Default: "1MiB".
    pub max: Field<Size>,
}
