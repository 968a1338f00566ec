//! Paths as they are matched, beside the bytes they came in.
//!
//! A rule on `/admin/` must hold for `/x/../admin/` and `/%61dmin/` too, so what routes and files are looked up by is
//! decoded, once, and without `.` and `..`. What is sent on are the bytes that came. Two characters stay encoded in the
//! normal form: `%2F`, which is no separator, and `%25`, without which a decoded `%252F` could not be told from it;
//! [`decode_segment`] undoes both, for one segment. Slashes are not merged: `//` is an empty segment.

use super::PathFault;

/// Writes the normal form of `path` to `out`; `false`: it is `path` itself, and nothing was written.
///
/// # Errors
/// [`PathFault`]: it cannot be decoded, has what no path should, or leads above the root.
pub fn normalize(path: &[u8], out: &mut Vec<u8>) -> Result<bool, PathFault> {
    if path.first() != Some(&b'/') {
        return Err(PathFault::Relative);
    }
    if is_normal(path) {
        return Ok(false);
    }
    let base = out.len();
    let mut segments = path[1..].split(|byte| *byte == b'/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        let start = out.len();
        out.push(b'/');
        decode(segment, out)?;
        match &out[start + 1..] {
            b"." => {
                out.truncate(start);
            }
            b".." => {
                out.truncate(start);
                let parent = memchr::memrchr(b'/', &out[base..]).ok_or(PathFault::AboveRoot)?;
                out.truncate(base + parent);
            }
            _ => continue,
        }
        // A dot at the end means the folder: `/a/.` is `/a/`.
        if is_last {
            out.push(b'/');
        }
    }
    Ok(true)
}

/// Decodes one segment of a normal form, or a parameter that was one.
#[must_use]
pub fn decode_segment(segment: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(segment.len());
    let mut rest = segment;
    while let Some(place) = memchr::memchr(b'%', rest) {
        out.extend_from_slice(&rest[..place]);
        match rest.get(place + 1..place + 3).and_then(pair) {
            Some(byte) => {
                out.push(byte);
                rest = &rest[place + 3..];
            }
            None => {
                out.push(b'%');
                rest = &rest[place + 1..];
            }
        }
    }
    out.extend_from_slice(rest);
    out
}

/// Whether nothing has to be done, which is so of most.
fn is_normal(path: &[u8]) -> bool {
    let mut before = b'/';
    for byte in path {
        match byte {
            b'%' | b'\\' | 0 => return false,
            // A hidden file is as normal as any, but this is not the place to tell it from `..`.
            b'.' if before == b'/' => return false,
            _ => before = *byte,
        }
    }
    true
}

fn decode(segment: &[u8], out: &mut Vec<u8>) -> Result<(), PathFault> {
    let mut bytes = segment.iter();
    while let Some(&byte) = bytes.next() {
        let byte = match byte {
            b'%' => {
                let found = bytes.as_slice().get(..2).and_then(pair).ok_or(PathFault::Percent)?;
                bytes = bytes.as_slice()[2..].iter();
                match found {
                    b'/' => {
                        out.extend_from_slice(b"%2F");
                        continue;
                    }
                    b'%' => {
                        out.extend_from_slice(b"%25");
                        continue;
                    }
                    found => found,
                }
            }
            byte => byte,
        };
        match byte {
            0 => return Err(PathFault::Nul),
            b'\\' => return Err(PathFault::Backslash),
            byte => out.push(byte),
        }
    }
    Ok(())
}

/// Two hexadecimal digits as the byte they are.
fn pair(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    };
    match digits {
        [high, low] => Some((digit(*high)? << 4) | digit(*low)?),
        _ => None,
    }
}
