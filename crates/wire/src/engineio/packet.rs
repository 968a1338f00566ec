//! Packets, as text.

use std::borrow::Cow;

use data_encoding::BASE64;

/// A packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet<'a> {
    /// The first of a server, with an [`Opening`].
    Open(&'a str),
    /// The end.
    Close,
    /// Are you there? With `probe`: on this new way too?
    Ping(&'a str),
    /// I am.
    Pong(&'a str),
    /// A message that is text.
    Text(&'a str),
    /// A message that is bytes.
    Binary(Cow<'a, [u8]>),
    /// From here on the new way is used.
    Upgrade,
    /// Nothing: lets a GET end.
    Noop,
}

/// What came is no packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// Nothing came.
    #[error("a packet of Engine.IO is empty")]
    Empty,
    /// A type nobody knows.
    #[error("a packet of Engine.IO has the unknown type {0:?}")]
    Type(char),
    /// Something stands behind a type that has nothing.
    #[error("a packet of Engine.IO has more in it than its type allows")]
    Excess,
    /// Bytes that are no base64.
    #[error("the bytes of a packet of Engine.IO are not base64")]
    Base64,
    /// A body of more packets than are taken.
    #[error("a body has more than {max} packets of Engine.IO")]
    TooMany {
        /// The limit.
        max: usize,
    },
}

impl<'a> Packet<'a> {
    /// Reads a text frame, or one packet of a body.
    ///
    /// # Errors
    /// It is none.
    pub fn read(text: &'a str) -> Result<Self, PacketError> {
        let mut chars = text.chars();
        let Some(kind) = chars.next() else { return Err(PacketError::Empty) };
        let rest = chars.as_str();
        let alone = |packet| if rest.is_empty() { Ok(packet) } else { Err(PacketError::Excess) };
        match kind {
            '0' => Ok(Self::Open(rest)),
            '1' => alone(Self::Close),
            '2' => Ok(Self::Ping(rest)),
            '3' => Ok(Self::Pong(rest)),
            '4' => Ok(Self::Text(rest)),
            '5' => alone(Self::Upgrade),
            '6' => alone(Self::Noop),
            'b' => {
                let bytes = BASE64.decode(rest.as_bytes()).map_err(|_error| PacketError::Base64)?;
                Ok(Self::Binary(Cow::Owned(bytes)))
            }
            other => Err(PacketError::Type(other)),
        }
    }

    /// Appends it as text; bytes as base64.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (kind, rest) = match self {
            Self::Open(rest) => (b'0', *rest),
            Self::Close => (b'1', ""),
            Self::Ping(rest) => (b'2', *rest),
            Self::Pong(rest) => (b'3', *rest),
            Self::Text(rest) => (b'4', *rest),
            Self::Binary(bytes) => return super::write_base64(out, bytes),
            Self::Upgrade => (b'5', ""),
            Self::Noop => (b'6', ""),
        };
        out.push(kind);
        out.extend_from_slice(rest.as_bytes());
    }
}

/// What a server's first packet tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening<'a> {
    /// The session's secret name.
    pub sid: &'a str,
    /// Whether the client may change to a WebSocket.
    pub may_upgrade: bool,
    /// From one ping to the next, milliseconds.
    pub ping_interval_ms: u64,
    /// How long a pong may take, milliseconds.
    pub ping_timeout_ms: u64,
    /// Bytes of a body, or of a message.
    pub payload_max: usize,
}

impl Opening<'_> {
    /// As the content of the packet.
    #[must_use]
    pub fn to_json(&self) -> String {
        let upgrades = if self.may_upgrade { "\"websocket\"" } else { "" };
        format!(
            r#"{{"sid":"{}","upgrades":[{upgrades}],"pingInterval":{},"pingTimeout":{},"maxPayload":{}}}"#,
            self.sid, self.ping_interval_ms, self.ping_timeout_ms, self.payload_max
        )
    }
}
