//! Frames: a length, a kind, a payload.
//!
//! Four bytes, big end first, count what follows: one byte of kind and the payload. The kind's highest bit says that the
//! payload is compressed: four bytes with its real length, then one block of LZ4. Each frame is compressed by itself, so
//! what one frame says of another cannot be read from its length; what is secret and what a stranger chooses still do not
//! belong into one frame.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

use crate::session::SessionError;

/// Bytes before the payload.
pub const HEADER_BYTES: usize = 5;
/// The kind of the first frame.
pub const HELLO_KIND: u8 = 0;
/// The highest kind.
pub const KIND_MAX: u8 = 127;
/// Largest payload that any options allow: 1 GiB, far below what a length can say.
pub const FRAME_BYTES_MAX: usize = 1 << 30;

const COMPRESSED: u8 = 0x80;
const LENGTH_BYTES: usize = 4;
/// From this size on a frame is given away with the memory it came in, and what is behind it is copied: that is less, as
/// a session is fed by pieces of this size. 64 KiB.
const MOVED_FROM: usize = 64 << 10;
/// LZ4 makes at most so many bytes of one: a frame that claims more lies, and gets no memory.
const LZ4_RATIO_MAX: usize = 256;

/// What one side says at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it is, from 1 to [`KIND_MAX`]; the meaning is the users'.
    pub kind: u8,
    /// What it says.
    pub payload: Bytes,
}

/// Appends a frame as it is.
pub(super) fn encode(out: &mut BytesMut, kind: u8, payload: &[u8]) {
    out.reserve(HEADER_BYTES + payload.len());
    out.put_u32(length(payload.len() + 1));
    out.put_u8(kind);
    out.put_slice(payload);
}

/// Appends a compressed frame, or nothing when it would not be smaller by an eighth; says which.
pub(super) fn encode_compressed(out: &mut BytesMut, kind: u8, payload: &[u8]) -> bool {
    let packed = lz4_flex::block::compress(payload);
    if packed.len() + LENGTH_BYTES > payload.len() - payload.len() / 8 {
        return false;
    }
    out.reserve(HEADER_BYTES + LENGTH_BYTES + packed.len());
    out.put_u32(length(packed.len() + LENGTH_BYTES + 1));
    out.put_u8(kind | COMPRESSED);
    out.put_u32(length(payload.len()));
    out.put_slice(&packed);
    true
}

/// Payloads are limited to [`FRAME_BYTES_MAX`].
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Takes a frame off the front, if it is there whole.
pub(super) fn decode(
    bytes: &mut BytesMut,
    limit: usize,
    may_be_compressed: bool,
) -> Result<Option<Frame>, SessionError> {
    let Some(first) = bytes.first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
    let length = usize::try_from(u32::from_be_bytes(*first)).unwrap_or(usize::MAX);
    if length == 0 || length > limit.saturating_add(1) {
        return Err(SessionError::FrameTooLong { bytes: length, limit });
    }
    let whole = LENGTH_BYTES + length;
    if bytes.len() < whole {
        return Ok(None);
    }
    let kind = bytes[LENGTH_BYTES];
    let payload = take(bytes, whole);
    if kind & COMPRESSED == 0 {
        return Ok(Some(Frame { kind, payload }));
    }
    if !may_be_compressed {
        return Err(SessionError::Compression);
    }
    Ok(Some(Frame { kind: kind & !COMPRESSED, payload: unfold(payload, limit)? }))
}

/// The payload of the first frame, which ends at `whole`, in memory of its own: whoever keeps it keeps nothing of what
/// came before and behind it.
fn take(bytes: &mut BytesMut, whole: usize) -> Bytes {
    if whole < MOVED_FROM {
        let payload = Bytes::copy_from_slice(&bytes[HEADER_BYTES..whole]);
        bytes.advance(whole);
        return payload;
    }
    let rest = BytesMut::from(&bytes[whole..]);
    let mut frame = std::mem::replace(bytes, rest).freeze();
    frame.truncate(whole);
    frame.advance(HEADER_BYTES);
    frame
}

fn unfold(mut packed: Bytes, limit: usize) -> Result<Bytes, SessionError> {
    let length = packed.try_get_u32().map_err(|_error| SessionError::Compression)?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > limit {
        return Err(SessionError::FrameTooLong { bytes: length, limit });
    }
    if length / LZ4_RATIO_MAX > packed.len() {
        return Err(SessionError::Compression);
    }
    let mut payload = vec![0; length];
    match lz4_flex::block::decompress_into(&packed, &mut payload) {
        Ok(unfolded) if unfolded == length => Ok(payload.into()),
        Ok(_) | Err(_) => Err(SessionError::Compression),
    }
}

#[cfg(test)]
mod tests;
