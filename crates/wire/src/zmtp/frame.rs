//! Frames: a byte of flags, a length of one or eight bytes, a body (RFC 23, section "framing").
//!
//! The header is read without looking at the body, so that a length can be refused before a byte of the body is kept.

use bytes::{BufMut as _, BytesMut};
use remuda_model::message::{Batch, Span};

use super::ProtocolError;

/// Another frame of the same message follows.
pub(super) const MORE: u8 = 0x01;
/// The length has eight bytes.
pub(super) const LONG: u8 = 0x02;
/// The body is a command.
pub(super) const COMMAND: u8 = 0x04;
/// Must be 0.
const RESERVED: u8 = !(MORE | LONG | COMMAND);

/// The longest header in bytes.
pub(super) const HEADER_MAX: usize = 9;

/// What stands before a body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    flags: u8,
    /// Bytes of the header itself: 2 or 9.
    pub(super) size: usize,
    /// Bytes of the body, as announced.
    pub(super) length: u64,
}

impl Header {
    /// The header at the front of `bytes`; `None` while it is incomplete.
    #[inline]
    pub(super) fn read(bytes: &[u8]) -> Result<Option<Self>, ProtocolError> {
        let Some(&flags) = bytes.first() else { return Ok(None) };
        if flags & RESERVED != 0 || flags & (MORE | COMMAND) == MORE | COMMAND {
            return Err(ProtocolError::FrameFlags { flags });
        }
        if flags & LONG == 0 {
            return Ok(bytes.get(1).map(|&length| Self { flags, size: 2, length: u64::from(length) }));
        }
        let long = bytes.get(1..).and_then(|rest| rest.first_chunk::<8>());
        Ok(long.map(|length| Self { flags, size: HEADER_MAX, length: u64::from_be_bytes(*length) }))
    }

    /// How many bytes a header has that begins with `bytes`.
    pub(super) fn size_of(bytes: &[u8]) -> usize {
        if bytes.first().is_some_and(|flags| flags & LONG != 0) { HEADER_MAX } else { 2 }
    }

    pub(super) fn is_command(self) -> bool {
        self.flags & COMMAND != 0
    }

    pub(super) fn has_more(self) -> bool {
        self.flags & MORE != 0
    }
}

/// Writes a header for a body of `length` bytes, in its short form where that is enough. `flags` without [`LONG`].
#[inline]
pub(super) fn put_header(flags: u8, length: usize, out: &mut BytesMut) {
    if let Ok(short) = u8::try_from(length) {
        out.put_slice(&[flags, short]);
    } else {
        out.put_u8(flags | LONG);
        out.put_u64(length as u64);
    }
}

/// The frame at the front of `bytes`, if it is whole: header, body and what follows.
#[inline]
pub(super) fn split(bytes: &[u8]) -> Option<(Header, &[u8], &[u8])> {
    let header = Header::read(bytes).ok()??;
    let length = usize::try_from(header.length).ok()?;
    let (body, rest) = bytes.get(header.size..)?.split_at_checked(length)?;
    Some((header, body, rest))
}

/// Appends one message with these frames. A message has at least one frame: no parts make one empty frame.
pub fn encode_message(parts: &[&[u8]], out: &mut BytesMut) {
    let [others @ .., last] = parts else { return put_header(0, 0, out) };
    out.reserve(parts.iter().map(|part| part.len() + HEADER_MAX).sum());
    for part in others {
        put_header(MORE, part.len(), out);
        out.put_slice(part);
    }
    put_header(0, last.len(), out);
    out.put_slice(last);
}

/// The bodies of the frames of `span`, a message of `batch`.
///
/// # Panics
/// When `span` is not of `batch` and lies outside of it.
#[must_use]
pub fn frames_of<'a>(batch: &'a Batch, span: &Span) -> Frames<'a> {
    Frames { rest: &batch.bytes[span.start as usize..span.end as usize] }
}

/// The bodies of the frames of one message, in order.
#[derive(Debug, Clone)]
pub struct Frames<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Frames<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (_, body, rest) = split(self.rest)?;
        self.rest = rest;
        Some(body)
    }
}
