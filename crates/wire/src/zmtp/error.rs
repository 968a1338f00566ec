//! Why a connection cannot go on.
//!
//! Each of these ends it: what the connection still has to say, an ERROR command perhaps, is in its output, and the
//! shell closes when that is sent. Messages that came whole before the fault were delivered.

use super::{SocketType, SocketTypes};

/// What a peer did against the protocol or a limit. Nothing of what it was in the middle of is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// The first byte is of no version of ZMTP.
    #[error("the peer does not speak ZMTP: its first byte is {first:#04x}; the connection is closed")]
    NotZmtp {
        /// That byte.
        first: u8,
    },
    /// An old libzmq, before 4.0.
    #[error(
        "the peer speaks ZMTP {major}.0, and 3.0 is the oldest spoken here; it needs libzmq 4.0 or newer"
    )]
    OldVersion {
        /// 1 or 2.
        major: u8,
    },
    /// The greeting is not as it must be.
    #[error("the peer's greeting is malformed: {fault}; the connection is closed")]
    Greeting {
        /// What is wrong with it.
        fault: &'static str,
    },
    /// Both sides must have the same security mechanism.
    #[error("the peer wants the security mechanism {theirs}, this side has {ours}; the connection is closed")]
    Mechanism {
        /// What it announced, without what cannot be printed.
        theirs: String,
        /// What was configured.
        ours: &'static str,
    },
    /// Reserved bits are set, or a command claims to have more frames.
    #[error("a frame has the flags {flags:#04x}, which ZMTP 3 does not know; the connection is closed")]
    FrameFlags {
        /// Its flags.
        flags: u8,
    },
    /// [`Limits::frame_max`](super::Limits::frame_max).
    #[error("a frame of {length} bytes was announced, {max} are allowed; none of it was taken")]
    FrameTooLong {
        /// As announced.
        length: u64,
        /// As configured.
        max: u32,
    },
    /// [`Limits::message_max`](super::Limits::message_max).
    #[error("a message has {length} bytes or more, {max} are allowed; it was dropped")]
    MessageTooLong {
        /// With the frame announced last.
        length: u64,
        /// As configured.
        max: u32,
    },
    /// [`Limits::parts_max`](super::Limits::parts_max).
    #[error("a message has more than {max} frames; it was dropped")]
    TooManyParts {
        /// As configured.
        max: u32,
    },
    /// [`Limits::handshake_max`](super::Limits::handshake_max), or longer than any command in traffic.
    #[error("a command of {length} bytes was announced, {max} are allowed; none of it was taken")]
    CommandTooLong {
        /// As announced.
        length: u64,
        /// What is allowed.
        max: u64,
    },
    /// Commands between the frames of one message are for heartbeats, and few.
    #[error("more than {max} commands came between the frames of one message; it was dropped")]
    TooManyCommands {
        /// A constant.
        max: u32,
    },
    /// [`Limits::subscription_max`](super::Limits::subscription_max).
    #[error("a subscription of {length} bytes was announced, {max} are allowed; it was not made")]
    SubscriptionTooLong {
        /// As announced.
        length: u64,
        /// As configured.
        max: u32,
    },
    /// A command is not built as it must be.
    #[error("the peer's {command} command is malformed: {fault}; the connection is closed")]
    Malformed {
        /// Its name.
        command: &'static str,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A command, or a message, that has no place where it came.
    #[error("{found} came where {wanted} was due; the connection is closed")]
    Unexpected {
        /// What came, without what cannot be printed.
        found: String,
        /// What would have been right.
        wanted: &'static str,
    },
    /// A socket that takes only sent something.
    #[error("the peer is a {peer} socket and sent data; the connection is closed")]
    UnexpectedData {
        /// What it is.
        peer: SocketType,
    },
    /// Nothing this endpoint can be talks to a peer of that kind.
    #[error("the peer is a {peer} socket; this endpoint can be {offers} and serves none such")]
    NotServed {
        /// What it said it is.
        peer: String,
        /// What the endpoint offers.
        offers: SocketTypes,
    },
    /// We connected to the wrong kind of socket.
    #[error("a {own} socket cannot talk to the {peer} socket it connected to; the connection is closed")]
    WrongPartner {
        /// What we are.
        own: SocketType,
        /// What it said it is.
        peer: String,
    },
    /// A box that does not open, a nonce that was used before, a cookie that is not ours.
    #[error("CURVE: {fault}; the connection is closed")]
    Curve {
        /// What is wrong.
        fault: &'static str,
    },
    /// The connection had ended before: by an error, by an ERROR of the peer, or by a refusal.
    #[error("the connection is over; nothing more is read from it")]
    Over,
}

/// Characters of a peer's words that go into a message of ours.
const PRINTABLE_MAX: usize = 80;

/// A peer's bytes as they may stand in a log: bounded, and nothing a terminal would obey.
pub(super) fn printable(bytes: &[u8]) -> String {
    let bytes = &bytes[..bytes.len().min(PRINTABLE_MAX)];
    bytes.escape_ascii().to_string()
}
