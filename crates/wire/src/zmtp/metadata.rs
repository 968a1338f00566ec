//! What a socket says of itself in READY and INITIATE: properties, each a name and a value.
//!
//! ```text
//! name-length(1)  name  value-length(4, big endian)  value
//! ```
//! Names are compared without regard to case. Properties we do not know are passed over, as the RFC has it.

use bytes::{BufMut as _, Bytes, BytesMut};

use super::command::{put_short, take_short};
use super::error::printable;
use super::{ProtocolError, SocketType};

const SOCKET_TYPE: &[u8] = b"Socket-Type";
const IDENTITY: &[u8] = b"Identity";
const RESOURCE: &[u8] = b"Resource";
/// The longest identity in bytes.
const IDENTITY_MAX: usize = 255;

/// The properties we know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Metadata {
    /// The kind, or its name as it may be printed when we do not know it.
    pub(super) socket_type: Result<SocketType, String>,
    pub(super) identity: Bytes,
    pub(super) resource: Bytes,
}

impl Metadata {
    /// Reads what follows the name of a `command`.
    pub(super) fn read(mut rest: &[u8], command: &'static str) -> Result<Self, ProtocolError> {
        let malformed = |fault| ProtocolError::Malformed { command, fault };
        let mut socket_type = None;
        let mut identity = Bytes::new();
        let mut resource = Bytes::new();
        while !rest.is_empty() {
            let (name, value, after) = take_property(rest).ok_or(malformed("a property is cut off"))?;
            rest = after;
            if name.eq_ignore_ascii_case(SOCKET_TYPE) {
                socket_type = Some(SocketType::from_name(value).ok_or_else(|| printable(value)));
            } else if name.eq_ignore_ascii_case(IDENTITY) {
                if value.len() > IDENTITY_MAX {
                    return Err(malformed("its identity has more than 255 bytes"));
                }
                identity = Bytes::copy_from_slice(value);
            } else if name.eq_ignore_ascii_case(RESOURCE) {
                resource = Bytes::copy_from_slice(value);
            }
        }
        let socket_type = socket_type.ok_or(malformed("it has no Socket-Type"))?;
        Ok(Self { socket_type, identity, resource })
    }
}

fn take_property(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (name, rest) = take_short(bytes)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (value, rest) = rest.split_at_checked(length)?;
    (!name.is_empty()).then_some((name, value, rest))
}

/// What we say of ourselves.
pub(super) fn encode(socket_type: SocketType, identity: &[u8]) -> BytesMut {
    let mut out = BytesMut::new();
    put_property(SOCKET_TYPE, socket_type.name().as_bytes(), &mut out);
    if socket_type.has_identity() {
        put_property(IDENTITY, &identity[..identity.len().min(IDENTITY_MAX)], &mut out);
    }
    out
}

fn put_property(name: &[u8], value: &[u8], out: &mut BytesMut) {
    put_short(name, out);
    out.put_u32(u32::try_from(value.len()).expect("values are 255 bytes at most"));
    out.put_slice(value);
}
