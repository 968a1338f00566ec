//! What is wrong with what a peer sent, and the number that tells it.

use super::CloseCode;

/// What came is no WebSocket, or not one that is taken; the connection is to be closed with [`WebSocketError::code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebSocketError {
    /// A reserved bit is set, and no extension was agreed on.
    #[error("a frame has a reserved bit set; the connection is closed")]
    ReservedBit,
    /// An operation code nobody knows.
    #[error("a frame has the unknown operation {0}; the connection is closed")]
    Opcode(u8),
    /// A client's frame without mask, or a server's with one.
    #[error("a frame of a client has no mask, or one of a server has; the connection is closed")]
    Mask,
    /// A length in more bytes than it needs, or beyond 63 bits.
    #[error("the length of a frame is not in its shortest form; the connection is closed")]
    Length,
    /// A ping, pong or close in pieces, or of more than 125 bytes.
    #[error("a control frame is in pieces or longer than 125 bytes; the connection is closed")]
    Control,
    /// A continuation without a beginning, or a beginning where a continuation was due.
    #[error("a message begins or goes on where it cannot; the connection is closed")]
    Fragment,
    /// A text that is no UTF-8.
    #[error("a text is not UTF-8; the connection is closed")]
    Utf8,
    /// A close frame with one byte, or a code it may not have.
    #[error("a close frame has no valid code; the connection is closed")]
    CloseCode,
    /// [`Limits::message_max`](super::Limits::message_max).
    #[error("a message is longer than {max} bytes; it is dropped and the connection closed")]
    TooLong {
        /// The limit.
        max: usize,
    },
    /// [`Limits::frames_max`](super::Limits::frames_max).
    #[error("a message has more than {max} frames; it is dropped and the connection closed")]
    TooManyFrames {
        /// The limit.
        max: u32,
    },
    /// Something came after the close frame.
    #[error("something came after the close frame; the connection is closed")]
    AfterClose,
}

impl WebSocketError {
    /// The code the close frame is to have.
    #[must_use]
    pub fn code(self) -> CloseCode {
        match self {
            Self::Utf8 => CloseCode::INVALID_TEXT,
            Self::TooLong { .. } => CloseCode::TOO_BIG,
            Self::TooManyFrames { .. } => CloseCode::POLICY,
            _ => CloseCode::PROTOCOL,
        }
    }
}

/// A request does not begin a WebSocket; it is to be answered with [`HandshakeError::status`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// It does not ask for one.
    #[error(
        "this is a WebSocket: the request has to be a GET with Connection: Upgrade and Upgrade: websocket"
    )]
    NoUpgrade,
    /// Another version than 13; the answer names that.
    #[error("only version 13 of the WebSocket protocol is spoken")]
    Version,
    /// The key is missing, there twice, or not 16 bytes.
    #[error("Sec-WebSocket-Key is not one key of 16 bytes in base64")]
    Key,
}

impl HandshakeError {
    /// Status of the answer.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::NoUpgrade | Self::Version => 426,
            Self::Key => 400,
        }
    }
}
