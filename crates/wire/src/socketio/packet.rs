//! Packets as text: `<type>[<attachments>-][<namespace>,][<id>][<JSON>]`.

use super::Limits;

/// What a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PacketType {
    /// A client joins a namespace, or was let in.
    Connect,
    /// It leaves.
    Disconnect,
    /// An event.
    Event,
    /// The answer to an event.
    Ack,
    /// A client was not let in.
    ConnectError,
    /// An event with attachments.
    BinaryEvent,
    /// An answer with attachments.
    BinaryAck,
}

/// A packet; its content is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// What it is.
    pub kind: PacketType,
    /// How many attachments follow; 0 unless it is binary.
    pub attachments: usize,
    /// The namespace, with its slash.
    pub namespace: &'a str,
    /// Number of an event that wants an answer, or of the event it answers.
    pub id: Option<u64>,
    /// JSON; empty if there is none.
    pub data: &'a str,
}

/// What came is no packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// A type nobody knows, or none.
    #[error("a packet of Socket.IO has no known type")]
    Type,
    /// The number of attachments is missing, or has no dash behind it.
    #[error("a binary packet of Socket.IO does not say how many attachments it has")]
    Attachments,
    /// [`Limits::attachments_max`].
    #[error("a packet of Socket.IO has more than {max} attachments")]
    TooManyAttachments {
        /// The limit.
        max: usize,
    },
    /// [`Limits::namespace_max`].
    #[error("a namespace has a name of more than {max} bytes")]
    NamespaceTooLong {
        /// The limit.
        max: usize,
    },
    /// A number beyond 64 bits.
    #[error("the number of a packet of Socket.IO is too large")]
    Id,
    /// [`Limits::packet_max`].
    #[error("a packet of Socket.IO has more than {max} bytes with its attachments")]
    TooLong {
        /// The limit.
        max: usize,
    },
    /// A text came where an attachment was due, or an attachment where none was.
    #[error("attachments of Socket.IO came where they were not due, or did not come where they were")]
    Unexpected,
}

impl PacketType {
    /// As a digit.
    #[must_use]
    pub fn digit(self) -> u8 {
        match self {
            Self::Connect => b'0',
            Self::Disconnect => b'1',
            Self::Event => b'2',
            Self::Ack => b'3',
            Self::ConnectError => b'4',
            Self::BinaryEvent => b'5',
            Self::BinaryAck => b'6',
        }
    }

    fn new(digit: u8) -> Option<Self> {
        Some(match digit {
            b'0' => Self::Connect,
            b'1' => Self::Disconnect,
            b'2' => Self::Event,
            b'3' => Self::Ack,
            b'4' => Self::ConnectError,
            b'5' => Self::BinaryEvent,
            b'6' => Self::BinaryAck,
            _ => return None,
        })
    }

    fn is_binary(self) -> bool {
        matches!(self, Self::BinaryEvent | Self::BinaryAck)
    }
}

impl<'a> Packet<'a> {
    /// Reads one.
    ///
    /// # Errors
    /// It is none, or beyond a limit.
    pub fn read(text: &'a str, limits: &Limits) -> Result<Self, PacketError> {
        let kind = text.bytes().next().and_then(PacketType::new).ok_or(PacketError::Type)?;
        let mut rest = &text[1..];
        let mut attachments = 0;
        if kind.is_binary() {
            let (count, behind) = digits(rest);
            let behind = behind.strip_prefix('-').ok_or(PacketError::Attachments)?;
            let max = limits.attachments_max;
            if count.is_empty() {
                return Err(PacketError::Attachments);
            }
            attachments = count
                .parse()
                .ok()
                .filter(|count| *count <= max)
                .ok_or(PacketError::TooManyAttachments { max })?;
            rest = behind;
        }
        let mut namespace = "/";
        if rest.starts_with('/') {
            let (name, behind) = rest.split_once(',').unwrap_or((rest, ""));
            // Clients of old put a query behind the name; it means nothing.
            namespace = name.split_once('?').map_or(name, |(name, _)| name);
            rest = behind;
            if namespace.len() > limits.namespace_max {
                return Err(PacketError::NamespaceTooLong { max: limits.namespace_max });
            }
        }
        let (id, data) = digits(rest);
        let id = if id.is_empty() { None } else { Some(id.parse().map_err(|_error| PacketError::Id)?) };
        Ok(Self { kind, attachments, namespace, id, data })
    }

    /// Appends it.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(self.kind.digit());
        let mut number = itoa::Buffer::new();
        if self.kind.is_binary() {
            out.extend_from_slice(number.format(self.attachments).as_bytes());
            out.push(b'-');
        }
        if self.namespace != "/" {
            out.extend_from_slice(self.namespace.as_bytes());
            out.push(b',');
        }
        if let Some(id) = self.id {
            out.extend_from_slice(number.format(id).as_bytes());
        }
        out.extend_from_slice(self.data.as_bytes());
    }
}

/// The digits in front, and what stands behind them.
fn digits(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}
