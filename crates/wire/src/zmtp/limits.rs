//! How much of anything a peer may make us keep.
//!
//! Lengths are held against these when their header is seen, before a byte of the body is waited for. They are of 32
//! bits because a batch is addressed with such.

/// Limits of one connection, in bytes where nothing else is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The body of one frame. Default 64 MiB.
    pub frame_max: u32,
    /// One message with its frame headers. Default 64 MiB and 64 KiB, so that one frame of `frame_max` fits.
    pub message_max: u32,
    /// Frames of one message. Default 16,384: libzmq has no limit, and a column store sends a frame for each column;
    /// frames cost nothing while they are walked, so that `message_max` is the limit that protects memory.
    pub parts_max: u32,
    /// A topic that is subscribed to. Default 1 KiB.
    pub subscription_max: u32,
    /// How many bytes of messages one batch holds, if more than one message. Default 256 KiB: twice what one read
    /// of a busy socket gives.
    pub batch_max: u32,
    /// One command of the handshake. Default 1 KiB; CURVE's own fields come on top.
    pub handshake_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_max: 64 << 20,
            message_max: (64 << 20) + (64 << 10),
            parts_max: 16_384,
            subscription_max: 1 << 10,
            batch_max: 256 << 10,
            handshake_max: 1 << 10,
        }
    }
}

/// What CURVE adds to a command of the handshake: INITIATE carries a cookie, keys, a vouch and nonces, 257 bytes.
const CURVE_HANDSHAKE: u32 = 512;

/// Bytes of a command in traffic that are not a topic: its name, or the TTL and context of a PING, or an ERROR's reason.
const COMMAND_OVERHEAD: u32 = 512;

impl Limits {
    pub(super) fn handshake_command(&self, is_curve: bool) -> u64 {
        u64::from(self.handshake_max) + if is_curve { u64::from(CURVE_HANDSHAKE) } else { 0 }
    }

    pub(super) fn traffic_command(&self) -> u64 {
        u64::from(self.subscription_max) + u64::from(COMMAND_OVERHEAD)
    }

    /// Whether a message of one short frame is within every limit, whatever its length.
    pub(super) fn admits_short_frames(&self) -> bool {
        const SHORT: u32 = u8::MAX as u32;
        self.frame_max >= SHORT && self.message_max >= SHORT + 2 && self.parts_max >= 1
    }
}
