//! What an endpoint is set to.

use std::time::Duration;

use remuda_model::gateway::{SlowClient, SocketIoSpec, Transport};

/// Whether clients are let in by a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Admission {
    /// Everybody is let in. The default.
    #[default]
    Open,
    /// A worker hears of each (`NAME.connect`) and says who is let in (`NAME.accept`, `NAME.refuse`).
    Worker,
}

/// Which ways a Socket.IO client may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Carriers {
    /// Polling, and a change to a WebSocket; or a WebSocket from the start. The default.
    #[default]
    Both,
    /// A WebSocket from the start and nothing else.
    WebSocket,
    /// Polling and nothing else.
    Polling,
}

/// A Socket.IO endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketioOptions {
    /// Its name: its topics are `NAME.emit`, `NAME.event` and so on.
    pub name: String,
    /// Namespaces clients may join. Default `/` alone.
    pub namespaces: Vec<String>,
    /// Who is let in.
    pub admission: Admission,
    /// How long a worker may take to let a client in. Default 5 s.
    pub admit_within: Duration,
    /// Ways a client may take.
    pub carriers: Carriers,
    /// From one ping to the next. Default 25 s, as socket.io.
    pub ping_interval: Duration,
    /// How long a pong may take. Default 20 s, as socket.io.
    pub ping_timeout: Duration,
    /// How long a client may be without a namespace. Default 45 s, as socket.io.
    pub connect_within: Duration,
    /// Bytes of one message of a client, or of one body it posts. Default 1,000,000, as socket.io.
    pub payload_max: usize,
    /// Bytes that wait for one client; one that has more is closed with 1013. Default 1 MiB.
    pub queue_max: usize,
    /// Clients at once; further ones are answered with 503. Default 100,000.
    pub clients_max: usize,
    /// Rooms one client may be in for each namespace. Default 256.
    pub rooms_max: usize,
    /// How long an answer to an event of a worker is waited for where it does not say. Default 10 s.
    pub ack_within: Duration,
    /// How long a WebSocket may be tried beside polling. Default 10 s, as socket.io.
    pub probe_within: Duration,
    /// What becomes of an event for a client whose queue is full. Default: the client is closed.
    pub slow: SlowClient,
    /// Origins of pages that may connect, beside the request's own host; `*` in them stands for any text. Default none.
    pub origins: Vec<String>,
    /// Header fields of the request that a worker is told with `NAME.connect`. Default `cookie`, `authorization`, `origin`
    /// and `user-agent` where a worker lets clients in, else none.
    pub told_fields: Vec<String>,
}

impl SocketioOptions {
    /// The defaults, for an endpoint of this name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            namespaces: vec!["/".into()],
            admission: Admission::default(),
            admit_within: Duration::from_secs(5),
            carriers: Carriers::default(),
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            connect_within: Duration::from_secs(45),
            payload_max: 1_000_000,
            queue_max: 1 << 20,
            clients_max: 100_000,
            rooms_max: 256,
            ack_within: Duration::from_secs(10),
            probe_within: Duration::from_secs(10),
            slow: SlowClient::Close,
            origins: Vec::new(),
            told_fields: Vec::new(),
        }
    }

    /// With a worker that lets clients in, and is told the fields it needs for that.
    #[must_use]
    pub fn admitted_by_worker(self) -> Self {
        let told_fields = ["cookie", "authorization", "origin", "user-agent"].map(String::from).into();
        Self { admission: Admission::Worker, told_fields, ..self }
    }
}

impl From<&SocketIoSpec> for SocketioOptions {
    fn from(spec: &SocketIoSpec) -> Self {
        let whole = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let has = |transport| spec.transports.contains(&transport);
        Self {
            namespaces: spec.namespaces.clone(),
            carriers: match (has(Transport::Polling), has(Transport::Websocket)) {
                (true, false) => Carriers::Polling,
                (false, true) => Carriers::WebSocket,
                _ => Carriers::Both,
            },
            ping_interval: spec.ping_interval,
            ping_timeout: spec.ping_timeout,
            connect_within: spec.connect_timeout,
            probe_within: spec.upgrade_timeout,
            ack_within: spec.ack_timeout,
            payload_max: whole(spec.payload_max),
            queue_max: whole(spec.queue),
            clients_max: whole(u64::from(spec.sessions_max)),
            rooms_max: whole(u64::from(spec.rooms_max)),
            origins: spec.origins.clone(),
            slow: spec.slow,
            ..Self::new(spec.name.clone())
        }
    }
}
