//! What a crowd of clients wants done, why clients are gone, and what is counted of them.

use remuda_wire::websocket::CloseCode;

use crate::realtime::{Key, Outgoing};

/// What is to be done.
#[derive(Debug, Default)]
pub struct Orders {
    /// Letters to workers: the last word of the topic, and the letter.
    pub letters: Vec<(&'static str, Vec<u8>)>,
    /// Clients for whom something may wait.
    pub ready: Vec<Key>,
    /// Clients that are gone.
    pub gone: Vec<Gone>,
}

/// A client is gone: the end of its connections.
#[derive(Debug)]
pub struct Gone {
    /// Which.
    pub client: Key,
    /// What a waiting GET is answered with.
    pub body: Vec<u8>,
    /// What is still to be sent on its WebSocket, if it ends in peace.
    pub frames: Vec<Outgoing>,
    /// What its WebSocket is closed with.
    pub code: CloseCode,
}

/// Why a client is gone, in the words of socket.io where it has some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It closed its connection.
    TransportClose,
    /// It broke the rules.
    ParseError,
    /// It did not answer a ping, or never joined a namespace.
    PingTimeout,
    /// More waited for it than it may have waiting.
    TooSlow,
    /// It left, by itself.
    ClientDisconnect,
    /// A worker let it go.
    ServerDisconnect,
    /// This gateway ends.
    ShuttingDown,
}

impl Reason {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::TransportClose => "transport close",
            Self::ParseError => "parse error",
            Self::PingTimeout => "ping timeout",
            Self::TooSlow => "too slow",
            Self::ClientDisconnect => "client namespace disconnect",
            Self::ServerDisconnect => "server namespace disconnect",
            Self::ShuttingDown => "server shutting down",
        }
    }

    pub(super) fn code(self) -> CloseCode {
        match self {
            Self::ParseError => CloseCode::POLICY,
            Self::TooSlow => CloseCode::TRY_AGAIN,
            Self::ShuttingDown => CloseCode::GOING_AWAY,
            _ => CloseCode::NORMAL,
        }
    }
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Clients that ever came.
    pub opened: u64,
    /// Events workers sent.
    pub emitted: u64,
    /// Packets that went to clients' queues.
    pub delivered: u64,
    /// Volatile ones that did not.
    pub dropped: u64,
    /// Events clients sent.
    pub heard: u64,
    /// Letters of workers that could not be read, or asked for what there is not.
    pub bad_letters: u64,
    /// Clients that were let go because they broke the rules.
    pub violations: u64,
    /// Clients that were let go because they did not keep up.
    pub too_slow: u64,
    /// Clients that were let go because they did not answer.
    pub timed_out: u64,
}
