//! The three protocols, as far as one publisher and its subscribers need them.
//!
//! Every message of a run has the same size, both as it is published and as it is delivered; a [`Format`] has one of
//! each with the place of the sequence number in it. All publish the same topic and payload, so the bytes that
//! differ on the wire are the protocol's own.

mod nats;
mod redis;
mod zeromq;

#[cfg(test)]
mod tests;

use std::io;

use serde::Deserialize;

use crate::connection::Connection;

/// The one topic of a run.
pub(crate) const TOPIC: &str = "bench";

/// A protocol, and with ZeroMQ the type of the publishing socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Dialect {
    /// RESP2: PUBLISH and SUBSCRIBE.
    Redis,
    /// ZMTP 3.0: PUSH and SUB; a message is one frame of topic, space and payload.
    ZeromqPush,
    /// ZMTP 3.0: PUB and SUB, for a server that takes messages on an XSUB.
    ZeromqPub,
    /// The protocol of NATS clients.
    Nats,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Sends.
    Publisher,
    /// Receives.
    Subscriber,
}

/// One message as it stands on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Encoded {
    /// All of it; the sequence number is zero.
    pub(crate) bytes: Vec<u8>,
    /// Where the 8 bytes of the sequence number start, little endian. What stands before is the same in every message.
    pub(crate) sequence_at: usize,
}

/// A run's messages, both ways.
#[derive(Debug, Clone)]
pub(crate) struct Format {
    /// What the publisher sends.
    pub(crate) published: Encoded,
    /// What a subscriber gets.
    pub(crate) delivered: Encoded,
    dialect: Dialect,
}

/// What stands between two messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interlude {
    /// It is not all there yet.
    Unfinished,
    /// So many bytes that mean nothing here, and the answer the server wants to them.
    Skip {
        /// Length of what is skipped.
        bytes: usize,
        /// To be written; empty for none.
        answer: &'static [u8],
    },
    /// Nothing this protocol has.
    Foreign,
}

/// Why a greeting failed.
#[derive(Debug)]
pub(crate) enum GreetingError {
    /// The socket's reason.
    Socket(io::Error),
    /// The server's answer.
    Answer(Vec<u8>),
}

impl From<io::Error> for GreetingError {
    fn from(error: io::Error) -> Self {
        Self::Socket(error)
    }
}

impl Dialect {
    /// The messages of a run with so many bytes of payload, which are at least 8.
    pub(crate) fn format(self, payload_bytes: usize) -> Format {
        let (published, delivered) = match self {
            Self::Redis => (redis::published(payload_bytes), redis::delivered(payload_bytes)),
            Self::ZeromqPush | Self::ZeromqPub => {
                (zeromq::message(payload_bytes), zeromq::message(payload_bytes))
            }
            Self::Nats => (nats::published(payload_bytes), nats::delivered(payload_bytes)),
        };
        Format { published, delivered, dialect: self }
    }

    /// Says on a new connection what has to be said until messages can flow, and takes the answers.
    pub(crate) fn greet(
        self,
        connection: &mut Connection,
        role: Role,
        login: Option<&(String, String)>,
    ) -> Result<(), GreetingError> {
        match (self, role) {
            (Self::Redis, Role::Publisher) => redis::log_in(connection, login),
            (Self::Redis, Role::Subscriber) => {
                redis::log_in(connection, login)?;
                redis::subscribe(connection, "subscribe", TOPIC)
            }
            (Self::ZeromqPush, Role::Publisher) => zeromq::greet(connection, "PUSH"),
            (Self::ZeromqPub, Role::Publisher) => zeromq::greet(connection, "PUB"),
            (Self::ZeromqPush | Self::ZeromqPub, Role::Subscriber) => {
                zeromq::greet(connection, "SUB")?;
                zeromq::subscribe(connection)
            }
            (Self::Nats, role) => nats::greet(connection, role == Role::Subscriber),
        }
    }

    /// Redis only: greets and subscribes to a pattern.
    pub(crate) fn greet_pattern(
        connection: &mut Connection,
        login: Option<&(String, String)>,
        pattern: &str,
    ) -> Result<(), GreetingError> {
        redis::log_in(connection, login)?;
        redis::subscribe(connection, "psubscribe", pattern)
    }
}

impl Format {
    /// What `bytes` start with, where a message should start and does not.
    pub(crate) fn interlude(&self, bytes: &[u8]) -> Interlude {
        match self.dialect {
            Dialect::Redis => Interlude::Foreign,
            Dialect::ZeromqPush | Dialect::ZeromqPub => zeromq::interlude(bytes),
            Dialect::Nats => nats::interlude(bytes),
        }
    }

    /// Whether what the server wrote to the publisher has an error in it.
    pub(crate) fn refuses(&self, bytes: &[u8]) -> bool {
        match self.dialect {
            // Anywhere: an answer to one of many messages is as good as lost among the others.
            Dialect::Redis => bytes.contains(&b'-'),
            Dialect::Nats => bytes.starts_with(b"-ERR"),
            Dialect::ZeromqPush | Dialect::ZeromqPub => false,
        }
    }

    /// What the publisher answers to `bytes` of the server.
    pub(crate) fn publisher_answer(&self, bytes: &[u8]) -> &'static [u8] {
        match self.dialect {
            Dialect::Nats if bytes.starts_with(nats::PING) => nats::PONG,
            _ => b"",
        }
    }
}

/// What a payload is filled with behind its number, until the publisher puts other bytes there.
pub(crate) const FILLER: u8 = b'x';

/// A message of a head, a payload that starts with its sequence number, and a tail.
fn encoded(head: &[u8], payload_bytes: usize, tail: &[u8]) -> Encoded {
    let mut bytes = Vec::with_capacity(head.len() + payload_bytes + tail.len());
    bytes.extend_from_slice(head);
    bytes.extend_from_slice(&[0; 8]);
    bytes.resize(head.len() + payload_bytes, FILLER);
    bytes.extend_from_slice(tail);
    Encoded { bytes, sequence_at: head.len() }
}
