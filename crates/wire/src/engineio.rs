//! Engine.IO, protocol 4: what Socket.IO takes its packets from one end to the other in.
//!
//! A session is carried by a WebSocket, one packet a frame, or by polling: the client asks with GET and waits for
//! packets, and posts its own, several in one body with a separator between them. Over a WebSocket bytes are a binary
//! frame of their own; in a body they are base64 behind a `b`.

mod packet;
mod payload;

pub use packet::{Opening, Packet, PacketError};
pub use payload::{Payload, SEPARATOR, write_base64};

/// The version of the protocol, `EIO=4`.
pub const PROTOCOL: u8 = 4;
