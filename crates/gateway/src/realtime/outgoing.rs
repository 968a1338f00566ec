//! A packet on its way to one client or to thousands: encoded once, shared by all.

use bytes::Bytes;
use remuda_wire::engineio::{Packet, write_base64};
use remuda_wire::websocket::{Opcode, head};

/// A packet of Engine.IO as a whole frame of a WebSocket; what polling needs is a part of that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    frame: Bytes,
    /// Bytes of the frame's head.
    head_len: u8,
    is_binary: bool,
}

impl Outgoing {
    /// A packet; bytes become a binary frame.
    #[must_use]
    pub fn new(packet: &Packet<'_>) -> Self {
        if let Packet::Binary(bytes) = packet {
            return Self::framed(Opcode::Binary, bytes);
        }
        let mut text = Vec::new();
        packet.write(&mut text);
        Self::framed(Opcode::Text, &text)
    }

    fn framed(opcode: Opcode, payload: &[u8]) -> Self {
        let head = head(opcode, payload.len());
        let head = head.as_ref();
        let frame = Bytes::from([head, payload].concat());
        let head_len = u8::try_from(head.len()).expect("a head has at most 10 bytes");
        Self { frame, head_len, is_binary: opcode == Opcode::Binary }
    }

    /// The whole frame.
    #[must_use]
    pub fn frame(&self) -> &Bytes {
        &self.frame
    }

    /// Bytes of it, as they count for a client's queue.
    #[must_use]
    pub fn size(&self) -> usize {
        self.frame.len()
    }

    /// Appends it as part of a body.
    pub fn write_polling(&self, out: &mut Vec<u8>) {
        let payload = &self.frame[usize::from(self.head_len)..];
        if self.is_binary { write_base64(out, payload) } else { out.extend_from_slice(payload) }
    }
}
