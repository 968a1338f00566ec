//! Frames as they are sent.

use bytes::BufMut;

use super::{CloseCode, unmask};

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opcode {
    /// More of a message.
    Continuation,
    /// Text.
    Text,
    /// Bytes.
    Binary,
    /// The end.
    Close,
    /// Are you there?
    Ping,
    /// I am.
    Pong,
}

impl Opcode {
    /// As a number.
    #[must_use]
    pub fn get(self) -> u8 {
        match self {
            Self::Continuation => 0,
            Self::Text => 1,
            Self::Binary => 2,
            Self::Close => 8,
            Self::Ping => 9,
            Self::Pong => 10,
        }
    }

    /// From a number.
    #[must_use]
    pub fn new(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    /// Whether it may stand between the frames of a message.
    #[must_use]
    pub fn is_control(self) -> bool {
        self.get() >= 8
    }
}

/// The bytes before the payload of a frame that is a message of its own and has no mask.
#[derive(Debug, Clone, Copy)]
pub struct FrameHead {
    bytes: [u8; 10],
    len: usize,
}

impl AsRef<[u8]> for FrameHead {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// The bytes before `payload_len` bytes of payload in a frame of a server.
#[must_use]
pub fn head(opcode: Opcode, payload_len: usize) -> FrameHead {
    let mut bytes = [0; 10];
    bytes[0] = 0x80 | opcode.get();
    let len = if let Ok(short @ 0..=125) = u8::try_from(payload_len) {
        bytes[1] = short;
        2
    } else if let Ok(medium) = u16::try_from(payload_len) {
        bytes[1] = 126;
        bytes[2..4].copy_from_slice(&medium.to_be_bytes());
        4
    } else {
        bytes[1] = 127;
        let long = u64::try_from(payload_len).unwrap_or(u64::MAX);
        bytes[2..].copy_from_slice(&long.to_be_bytes());
        10
    };
    FrameHead { bytes, len }
}

/// Appends a frame; `mask` is a client's, fresh for each frame. `is_final`: no continuation follows.
pub fn write_frame(out: &mut Vec<u8>, is_final: bool, opcode: Opcode, payload: &[u8], mask: Option<[u8; 4]>) {
    let mut head = head(opcode, payload.len());
    if !is_final {
        head.bytes[0] &= 0x7f;
    }
    if mask.is_some() {
        head.bytes[1] |= 0x80;
    }
    out.put_slice(head.as_ref());
    if let Some(key) = mask {
        out.put_slice(&key);
    }
    let start = out.len();
    out.put_slice(payload);
    if let Some(key) = mask {
        unmask(&mut out[start..], key, 0);
    }
}

/// Appends a close frame. A reason that would be too long is cut.
pub fn write_close(out: &mut Vec<u8>, code: Option<CloseCode>, reason: &str, mask: Option<[u8; 4]>) {
    let mut payload = Vec::with_capacity(2 + reason.len());
    if let Some(code) = code {
        payload.extend_from_slice(&code.get().to_be_bytes());
        payload.extend_from_slice(&reason.as_bytes()[..reason.floor_char_boundary(123)]);
    }
    write_frame(out, true, Opcode::Close, &payload, mask);
}
