//! What bounds a session.

use std::time::Duration;

/// Limits of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionOptions {
    /// Largest payload of a frame, bytes, both ways: 16 MiB, up to [`FRAME_BYTES_MAX`](super::FRAME_BYTES_MAX).
    pub frame_max: usize,
    /// Most bytes of frames that wait to be sent: 32 MiB. One frame is taken however large, when none waits.
    pub outgoing_max: usize,
    /// So long from the first byte to the peer's [`Hello`](super::Hello): 10 s, three round trips and a loss over any distance.
    pub handshake_within: Duration,
    /// Payloads of at least so many bytes are compressed where that makes them smaller by an eighth, and not tried
    /// each time where it does not; `None` for never.
    /// 1 KiB: below it there is little to find in one frame, and frames are compressed each by itself.
    pub compress_from: Option<usize>,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            frame_max: 16 << 20,
            outgoing_max: 32 << 20,
            handshake_within: Duration::from_secs(10),
            compress_from: Some(1 << 10),
        }
    }
}
