//! What a Redis sends unasked: a row of strings and numbers, read without a copy.

use std::ops::Range;

/// Parts of one push that are looked at: `pmessage pattern channel payload`.
pub(crate) const PARTS_MAX: usize = 4;
/// Longest header of a part, in bytes: a type, 20 digits, the end of the line.
const HEADER_MAX: usize = 32;

/// A push, as places in the buffer it stands at the front of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Push {
    /// Its parts; those beyond its number are empty.
    pub(crate) parts: [Range<usize>; PARTS_MAX],
    pub(crate) count: usize,
    /// One past its last byte.
    pub(crate) end: usize,
}

/// The push at the front of `input`, which begins with `>`; `None`: it is not whole. An error: it is none we know.
pub(crate) fn read(input: &[u8], bulk_max: usize) -> Result<Option<Push>, &'static str> {
    let Some((count, mut at)) = number(input, 1)? else { return Ok(None) };
    let count = usize::try_from(count).ok().filter(|count| (1..=PARTS_MAX).contains(count));
    let count = count.ok_or("it sent a push with too many parts")?;
    let mut parts: [Range<usize>; PARTS_MAX] = std::array::from_fn(|_| 0..0);
    for part in &mut parts[..count] {
        let Some(kind) = input.get(at) else { return Ok(None) };
        let Some((value, after)) = number(input, at + 1)? else { return Ok(None) };
        match kind {
            b':' | b'_' => {
                *part = at + 1..after - 2;
                at = after;
            }
            b'$' => {
                let length = usize::try_from(value).ok().filter(|length| *length <= bulk_max);
                let end = after + length.ok_or("it sent a message that is too long")?;
                if input.len() < end + 2 {
                    return Ok(None);
                }
                *part = after..end;
                at = end + 2;
            }
            _ => return Err("it sent a push with a part that is no string"),
        }
    }
    Ok(Some(Push { parts, count, end: at }))
}

/// The number in the line at `from`, and where the next line begins; no digits are 0.
fn number(input: &[u8], from: usize) -> Result<Option<(i64, usize)>, &'static str> {
    let rest = input.get(from..).unwrap_or_default();
    let Some(end) = memchr::memchr(b'\n', &rest[..rest.len().min(HEADER_MAX)]) else {
        return if rest.len() >= HEADER_MAX { Err("it sent a line that is too long") } else { Ok(None) };
    };
    let line = rest[..end].strip_suffix(b"\r").ok_or("it sent a line that does not end")?;
    if line.is_empty() {
        return Ok(Some((0, from + end + 1)));
    }
    let value = std::str::from_utf8(line).ok().and_then(|text| text.parse().ok());
    Ok(Some((value.ok_or("it sent a length that is no number")?, from + end + 1)))
}

#[cfg(test)]
mod tests;
