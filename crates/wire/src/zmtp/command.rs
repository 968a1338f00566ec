//! Commands: a name with its length before it, then what the command says.
//!
//! In traffic these are subscriptions and heartbeats. A subscription has two forms: ZMTP 3.1 made it a command, in 3.0
//! it is a message whose first byte is 1, or 0 to take it back. libzmq sends a 3.1 peer the first form.

use bytes::{BufMut as _, Bytes, BytesMut};

use super::ProtocolError;
use super::error::printable;
use super::frame::{COMMAND, put_header};

pub(super) const ERROR: &[u8] = b"ERROR";
pub(super) const HELLO: &[u8] = b"HELLO";
pub(super) const INITIATE: &[u8] = b"INITIATE";
pub(super) const READY: &[u8] = b"READY";
pub(super) const WELCOME: &[u8] = b"WELCOME";
const CANCEL: &[u8] = b"CANCEL";
const PING: &[u8] = b"PING";
const PONG: &[u8] = b"PONG";
const SUBSCRIBE: &[u8] = b"SUBSCRIBE";

/// The longest context of a PING in bytes (RFC 37).
pub(super) const CONTEXT_MAX: usize = 16;
/// The longest reason of an ERROR in bytes: its length has one.
const REASON_MAX: usize = 255;

/// A command as it may come after the handshake.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Ping {
        ttl_deciseconds: u16,
        context: Bytes,
    },
    Pong,
    Subscribe(Bytes),
    Cancel(Bytes),
    Error(String),
    /// One we do not know. libzmq passes over such, and so newer versions may send them.
    Unknown,
}

impl Command {
    pub(super) fn read(body: &Bytes) -> Result<Self, ProtocolError> {
        let (name, rest) = split_name(body)?;
        let rest = body.slice_ref(rest);
        Ok(match name {
            PING => Self::ping(&rest)?,
            PONG => Self::Pong,
            SUBSCRIBE => Self::Subscribe(rest),
            CANCEL => Self::Cancel(rest),
            ERROR => Self::Error(read_error(&rest)?),
            READY | HELLO | WELCOME | INITIATE => {
                return Err(ProtocolError::Unexpected { found: printable(name), wanted: "traffic" });
            }
            _ => Self::Unknown,
        })
    }

    fn ping(rest: &Bytes) -> Result<Self, ProtocolError> {
        let malformed = |fault| ProtocolError::Malformed { command: "PING", fault };
        let ttl = rest.first_chunk::<2>().ok_or(malformed("it has no time to live"))?;
        let context = rest.slice(2..);
        if context.len() > CONTEXT_MAX {
            return Err(malformed("its context has more than 16 bytes"));
        }
        Ok(Self::Ping { ttl_deciseconds: u16::from_be_bytes(*ttl), context })
    }
}

/// Parts a command into its name and the rest.
pub(super) fn split_name(body: &[u8]) -> Result<(&[u8], &[u8]), ProtocolError> {
    take_short(body)
        .filter(|(name, _)| !name.is_empty())
        .ok_or(ProtocolError::Malformed { command: "first", fault: "it has no name" })
}

/// Takes what one byte of length stands before.
pub(super) fn take_short(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(length))
}

/// Appends `bytes`, of which 255 at most count, with a byte of length before.
pub(super) fn put_short(bytes: &[u8], out: &mut BytesMut) {
    let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    out.put_u8(length);
    out.put_slice(&bytes[..usize::from(length)]);
}

/// The reason in what follows the name of an ERROR, as it may be logged.
pub(super) fn read_error(rest: &[u8]) -> Result<String, ProtocolError> {
    let (reason, _) = take_short(rest)
        .ok_or(ProtocolError::Malformed { command: "ERROR", fault: "its reason is cut off" })?;
    Ok(printable(reason))
}

/// Appends a whole command frame.
pub(super) fn put(name: &[u8], parts: &[&[u8]], out: &mut BytesMut) {
    let length = 1 + name.len() + parts.iter().map(|part| part.len()).sum::<usize>();
    put_header(COMMAND, length, out);
    put_short(name, out);
    for part in parts {
        out.put_slice(part);
    }
}

pub(super) fn put_error(reason: &str, out: &mut BytesMut) {
    let reason = &reason.as_bytes()[..reason.floor_char_boundary(REASON_MAX)];
    let length = u8::try_from(reason.len()).unwrap_or(u8::MAX);
    put(ERROR, &[&[length], reason], out);
}

pub(super) fn put_ping(ttl_deciseconds: u16, context: &[u8], out: &mut BytesMut) {
    put(PING, &[&ttl_deciseconds.to_be_bytes(), &context[..context.len().min(CONTEXT_MAX)]], out);
}

pub(super) fn put_pong(context: &[u8], out: &mut BytesMut) {
    put(PONG, &[context], out);
}

/// Appends a subscription to what begins with `topic`, for a peer that speaks ZMTP 3.`minor`.
pub fn encode_subscribe(topic: &[u8], minor: u8, out: &mut BytesMut) {
    put_subscription(SUBSCRIBE, 1, topic, minor, out);
}

/// Appends the end of such a subscription.
pub fn encode_cancel(topic: &[u8], minor: u8, out: &mut BytesMut) {
    put_subscription(CANCEL, 0, topic, minor, out);
}

fn put_subscription(name: &[u8], first: u8, topic: &[u8], minor: u8, out: &mut BytesMut) {
    if minor > 0 {
        return put(name, &[topic], out);
    }
    put_header(0, 1 + topic.len(), out);
    out.put_u8(first);
    out.put_slice(topic);
}
