//! Writing chunked bodies (RFC 9112 7.1).

use super::Fields;

/// The end of a chunked body without trailers.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Writes what stands before a chunk of `len` bytes, which must not be 0; behind the chunk comes CRLF.
pub fn write_chunk_head(len: usize, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = (usize::BITS - len.leading_zeros()).div_ceil(4).max(1);
    for digit in (0..digits).rev() {
        out.push(DIGITS[(len >> (4 * digit)) & 15]);
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes the end of a chunked body with `trailers`.
pub fn write_trailers(trailers: &Fields, out: &mut Vec<u8>) {
    out.extend_from_slice(b"0\r\n");
    trailers.write(out);
    out.extend_from_slice(b"\r\n");
}
