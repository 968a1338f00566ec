//! WebSocket (RFC 6455), both sides.
//!
//! A [`Decoder`] takes whatever bytes came and gives events: whole messages, pings, the close. It keeps nothing of a
//! frame that came whole, so that an idle connection has no buffer; a message in pieces is put together in one, and its
//! text is checked as it comes, so that a wrong byte is told before the rest is waited for. What is sent is written by
//! [`write_frame`], or, where many get the same, by [`head`] once before bytes all of them share.
//!
//! Extensions are not negotiated: a message for thousands of clients is encoded once, and compressing it would be each
//! client's own.

mod close;
mod decoder;
mod encode;
mod error;
mod handshake;
mod limits;
mod mask;

pub use close::CloseCode;
pub use decoder::{Decoder, Event};
pub use encode::{FrameHead, Opcode, head, write_close, write_frame};
pub use error::{HandshakeError, WebSocketError};
pub use handshake::{Handshake, accept_key};
pub use limits::Limits;
pub use mask::unmask;

/// Which side we are: a server's frames are not masked, a client's are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The one that was connected to.
    Server,
    /// The one that connected.
    Client,
}
