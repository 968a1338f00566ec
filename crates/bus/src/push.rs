//! Redis' pub/sub messages, and our own two, as bytes.
//!
//! `message channel payload`, `pmessage pattern channel payload`, `smessage channel payload` as Redis has them;
//! `busmessage sequence topic payload` for those who asked for sequence numbers, and `busgap lost` where what they missed
//! is not kept any more. In RESP2 they are arrays, in RESP3 pushes.

use bytes::Bytes;

use crate::frames::Payload;

/// More than any of these takes beside its names, topic and payload: six lines of type, length and line ends.
pub(crate) const OVERHEAD_MAX: usize = 160;

/// Which form of RESP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    Resp2,
    Resp3,
}

/// What a message is to those who get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    Message,
    PatternMessage(Bytes),
    ShardMessage,
    Sequenced,
}

impl Form {
    /// Bytes it adds to a message, at most, beside topic and payload.
    pub(crate) fn overhead_max(&self) -> usize {
        match self {
            Self::PatternMessage(pattern) => OVERHEAD_MAX + pattern.len(),
            Self::Message | Self::ShardMessage | Self::Sequenced => OVERHEAD_MAX,
        }
    }

    /// Appends a message to `out`.
    pub(crate) fn append(
        &self,
        version: Version,
        sequence: u64,
        topic: &[u8],
        payload: &Payload<'_>,
        out: &mut Vec<u8>,
    ) {
        match self {
            Self::Message => {
                begin(version, 3, out);
                out.extend_from_slice(b"$7\r\nmessage\r\n");
            }
            Self::PatternMessage(pattern) => {
                begin(version, 4, out);
                out.extend_from_slice(b"$8\r\npmessage\r\n");
                bulk(pattern, out);
            }
            Self::ShardMessage => {
                begin(version, 3, out);
                out.extend_from_slice(b"$8\r\nsmessage\r\n");
            }
            Self::Sequenced => {
                begin(version, 4, out);
                out.extend_from_slice(b"$10\r\nbusmessage\r\n");
                line(b':', sequence, out);
            }
        }
        bulk(topic, out);
        line(b'$', payload.len() as u64, out);
        payload.append_to(out);
        out.extend_from_slice(b"\r\n");
    }
}

/// Appends the word that up to so many messages are lost.
pub(crate) fn append_gap(version: Version, lost: u64, out: &mut Vec<u8>) {
    begin(version, 2, out);
    out.extend_from_slice(b"$6\r\nbusgap\r\n");
    line(b':', lost, out);
}

fn begin(version: Version, parts: u64, out: &mut Vec<u8>) {
    let kind = match version {
        Version::Resp2 => b'*',
        Version::Resp3 => b'>',
    };
    line(kind, parts, out);
}

fn bulk(bytes: &[u8], out: &mut Vec<u8>) {
    line(b'$', bytes.len() as u64, out);
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

fn line(kind: u8, number: u64, out: &mut Vec<u8>) {
    out.push(kind);
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    out.extend_from_slice(b"\r\n");
}
