//! What a connection has to tell its shell.

use bytes::Bytes;
use remuda_model::message::Batch;

use super::{Credentials, SocketType};

/// Something that came, in the order it came.
#[derive(Debug, Clone)]
pub enum Event {
    /// The peer proved who it is; nothing goes on before [`Connection::decide`](super::Connection::decide).
    Authenticate(Credentials),
    /// The handshake is done; messages may go both ways. Once, before all that follow.
    Ready(Peer),
    /// One or more whole messages.
    Messages(Batch),
    /// The peer wants what begins with this.
    Subscribe(Bytes),
    /// The peer takes back one such subscription.
    Cancel(Bytes),
    /// A heartbeat; its answer is in the output already.
    Ping {
        /// The peer asks to be given up if it is silent for so long, in tenths of a second; 0: it does not ask.
        ttl_deciseconds: u16,
    },
    /// The answer to a heartbeat of ours.
    Pong,
    /// The peer refuses us, with its reason; the connection is over.
    Failed(String),
}

/// Who the peer is, by its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// What it is.
    pub socket_type: SocketType,
    /// What we are to it.
    pub own_type: SocketType,
    /// Its identity, up to 255 bytes; empty: it has none.
    pub identity: Bytes,
    /// The minor version of ZMTP 3 that is spoken with it: 0 or 1.
    pub minor: u8,
    /// The resource it asks for (RFC 37); empty: none.
    pub resource: Bytes,
}
