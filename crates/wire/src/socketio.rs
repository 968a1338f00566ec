//! Socket.IO, protocol 5: packets, and the attachments that follow some of them.
//!
//! A packet is a text; its content is JSON, which is handed on as it came: who reads it decides what it is. Bytes in an
//! event are not in the JSON, where a placeholder stands for each, but follow as messages of their own; an
//! [`Assembler`] puts them together.

mod assembler;
mod packet;

pub use assembler::{Assembled, Assembler};
pub use packet::{Packet, PacketError, PacketType};

/// How much a peer may make us keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Attachments of a packet. Default 10, as in the JavaScript parser.
    pub attachments_max: usize,
    /// Bytes of the name of a namespace. Default 256.
    pub namespace_max: usize,
    /// Bytes of a packet with its attachments. Default 1,000,000, as `maxPayload`.
    pub packet_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { attachments_max: 10, namespace_max: 256, packet_max: 1_000_000 }
    }
}
