//! How much a peer may make us keep.

/// Limits of one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a message. Default 1 MiB.
    pub message_max: usize,
    /// Frames of a message: empty ones cost no bytes, but each costs a turn. Default 4,096.
    pub frames_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { message_max: 1 << 20, frames_max: 4_096 }
    }
}
