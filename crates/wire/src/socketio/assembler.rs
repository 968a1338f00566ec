//! Packets with their attachments.

use bytes::Bytes;

use super::{Limits, Packet, PacketError};

/// Puts together what one client sends.
#[derive(Debug, Default)]
pub struct Assembler {
    open: Option<Box<Open>>,
}

#[derive(Debug)]
struct Open {
    text: String,
    wanted: usize,
    bytes: usize,
    attachments: Vec<Bytes>,
}

/// A packet that is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assembled {
    /// As it came; [`Packet::read`] reads it.
    pub text: String,
    /// What followed.
    pub attachments: Vec<Bytes>,
}

impl Assembler {
    /// Takes a text. `Some`: it is whole as it is; `None`: attachments are to come.
    ///
    /// # Errors
    /// It is no packet, or comes where an attachment was due; the client is to be let go.
    pub fn text<'a>(&mut self, text: &'a str, limits: &Limits) -> Result<Option<Packet<'a>>, PacketError> {
        if self.open.is_some() {
            return Err(PacketError::Unexpected);
        }
        if text.len() > limits.packet_max {
            return Err(PacketError::TooLong { max: limits.packet_max });
        }
        let packet = Packet::read(text, limits)?;
        if packet.attachments == 0 {
            return Ok(Some(packet));
        }
        self.open = Some(Box::new(Open {
            text: text.to_owned(),
            wanted: packet.attachments,
            bytes: text.len(),
            attachments: Vec::new(),
        }));
        Ok(None)
    }

    /// Takes an attachment. `Some`: it was the last.
    ///
    /// # Errors
    /// None was due, or it is too much; the client is to be let go.
    pub fn binary(&mut self, bytes: &[u8], limits: &Limits) -> Result<Option<Assembled>, PacketError> {
        let Some(open) = &mut self.open else { return Err(PacketError::Unexpected) };
        open.bytes = open.bytes.saturating_add(bytes.len());
        if open.bytes > limits.packet_max {
            return Err(PacketError::TooLong { max: limits.packet_max });
        }
        open.attachments.push(Bytes::copy_from_slice(bytes));
        if open.attachments.len() < open.wanted {
            return Ok(None);
        }
        Ok(self.open.take().map(|open| Assembled { text: open.text, attachments: open.attachments }))
    }
}
