//! A connection on its way to another process: all that the next one needs to go on where this one stopped.
//!
//! The socket, and what was read from it and not yet taken, travel beside it. With CURVE the keys of the connection
//! are in it, so it is as secret as what is said.

use std::fmt;

use super::Peer;

/// A connection whose handshake is done. Made by [`Connection::save`](super::Connection::save).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedConnection {
    /// As it was reported by `Ready`.
    pub peer: Peer,
    /// What is still to be sent, as it is sent.
    pub output: Vec<u8>,
    /// With CURVE.
    pub curve: Option<SavedCurve>,
}

/// The state of a sealed connection; keys and contents are not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct SavedCurve {
    /// Whether we accepted it.
    pub is_server: bool,
    /// Our secret key for this connection.
    pub own_key: [u8; 32],
    /// The peer's public key for this connection.
    pub peer_key: [u8; 32],
    /// The number of the next frame we seal.
    pub next: u64,
    /// The number of the last frame that was opened.
    pub opened: u64,
    /// Frames that were opened and not yet taken.
    pub clear: Vec<u8>,
}

impl fmt::Debug for SavedCurve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SavedCurve")
            .field("is_server", &self.is_server)
            .field("next", &self.next)
            .field("opened", &self.opened)
            .finish_non_exhaustive()
    }
}
