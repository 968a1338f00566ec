//! The first 64 bytes of each side (RFC 23 and 37): signature, version, mechanism.
//!
//! ```text
//! FF  padding(8)  7F  major  minor  mechanism(20, zero padded)  as-server  filler(31)
//! ```
//! Ours is sent at once. The peer's is judged as it comes, so that one who speaks HTTP or ZMTP 2 is told apart after
//! its first bytes. The padding is not looked at: libzmq hides the length of an identity of ZMTP 1 in it.

use bytes::{BufMut as _, BytesMut};

use super::ProtocolError;
use super::error::printable;

/// Bytes of a greeting.
pub(super) const SIZE: usize = 64;

const MAJOR: u8 = 3;
const MINOR: u8 = 1;
const MECHANISM: std::ops::Range<usize> = 12..32;
const AS_SERVER: usize = 32;

/// What a whole and right greeting said.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Greeting {
    /// The minor version both sides speak: 0 or 1.
    pub(super) minor: u8,
}

/// Appends ours.
pub(super) fn put(mechanism: &str, as_server: bool, out: &mut BytesMut) {
    out.put_u8(0xFF);
    out.put_bytes(0, 8);
    out.put_slice(&[0x7F, MAJOR, MINOR]);
    out.put_slice(mechanism.as_bytes());
    out.put_bytes(0, MECHANISM.len() - mechanism.len());
    out.put_u8(u8::from(as_server));
    out.put_bytes(0, SIZE - AS_SERVER - 1);
}

/// Judges what is there of the peer's; `None` while it is not whole.
///
/// Whether the peer calls itself a server is not compared with our role: libzmq never does.
pub(super) fn read(bytes: &[u8], mechanism: &'static str) -> Result<Option<Greeting>, ProtocolError> {
    judge_version(bytes)?;
    let Some(greeting) = bytes.first_chunk::<SIZE>() else { return Ok(None) };
    let field = &greeting[MECHANISM];
    let len = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    let (name, padding) = field.split_at(len);
    if name.is_empty() || padding.iter().any(|&byte| byte != 0) {
        return Err(ProtocolError::Greeting { fault: "its mechanism is not a zero-padded name" });
    }
    if greeting[AS_SERVER] > 1 {
        return Err(ProtocolError::Greeting { fault: "its as-server field is neither 0 nor 1" });
    }
    let (major, minor) = (greeting[10], greeting[11]);
    // Later versions may give the filler a meaning.
    if major == MAJOR && minor <= MINOR && greeting[AS_SERVER + 1..].iter().any(|&byte| byte != 0) {
        return Err(ProtocolError::Greeting { fault: "its filler is not zero" });
    }
    if name != mechanism.as_bytes() {
        return Err(ProtocolError::Mechanism { theirs: printable(name), ours: mechanism });
    }
    Ok(Some(Greeting { minor: if major > MAJOR { MINOR } else { minor.min(MINOR) } }))
}

fn judge_version(bytes: &[u8]) -> Result<(), ProtocolError> {
    match bytes {
        [] | [0xFF] => Ok(()),
        // ZMTP 1 begins with the identity as a frame: its length, never 0, and flags, always 0.
        [1..=0xFE] => Ok(()),
        [1..=0xFE, 0, ..] => Err(ProtocolError::OldVersion { major: 1 }),
        [first @ 0..=0xFE, ..] => Err(ProtocolError::NotZmtp { first: *first }),
        _ => match (bytes.get(9), bytes.get(10)) {
            (Some(even), _) if even & 1 == 0 => Err(ProtocolError::OldVersion { major: 1 }),
            (Some(end), _) if *end != 0x7F => {
                Err(ProtocolError::Greeting { fault: "its signature does not end in 7f" })
            }
            (_, Some(0)) => Err(ProtocolError::OldVersion { major: 1 }),
            (_, Some(1 | 2)) => Err(ProtocolError::OldVersion { major: 2 }),
            _ => Ok(()),
        },
    }
}
