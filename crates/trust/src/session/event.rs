//! What a session tells.

use crate::endpoint::Protocol;
use crate::identity::Certified;
use crate::session::{Agreement, Frame, Hello};

/// What became of bytes that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The peer is known; frames may be sent.
    Ready(Box<Counterpart>),
    /// The peer sent this.
    Frame(Frame),
    /// The peer has closed its side in order; nothing more comes.
    Closed,
}

/// Who is at the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counterpart {
    /// What its certificate says.
    pub certified: Certified,
    /// What the session is for.
    pub protocol: Protocol,
    /// What it said of itself, and what both agreed on; absent where somebody asks a signer.
    pub hello: Option<(Hello, Agreement)>,
}
