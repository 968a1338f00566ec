//! A message about shared keys for a server that there is no link with, as bytes: others pass it on.
//!
//! The payload is whom it is for, whom it is from, how many links it may still cross, and the kind and payload of the
//! frame as it would be over a link of the two.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use remuda_herd::NodeId;

use super::decode::DecodeError;

#[cfg(test)]
mod tests;

/// The kind of these frames. A server that does not know it passes over it.
pub const KIND: u8 = 65;
/// Links that a message crosses at most: the longest way through a herd in a row of so many servers.
pub const LINKS_MAX: u8 = u8::MAX;

/// A message on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relay {
    /// Whom it is for.
    pub to: NodeId,
    /// Who says it.
    pub from: NodeId,
    /// Links that it may still cross after this one.
    pub links: u8,
    /// The kind of what is inside.
    pub kind: u8,
    /// What is inside.
    pub payload: Bytes,
}

impl Relay {
    /// Appends it to `out`.
    pub fn encode(&self, out: &mut BytesMut) {
        out.put_u64(self.to.0);
        out.put_u64(self.from.0);
        out.put_u8(self.links);
        out.put_u8(self.kind);
        out.put_slice(&self.payload);
    }

    /// Reads the payload of a frame.
    ///
    /// # Errors
    /// It is too short.
    pub fn decode(mut payload: Bytes) -> Result<Self, DecodeError> {
        let short = |_| DecodeError::Short;
        let to = NodeId(payload.try_get_u64().map_err(short)?);
        let from = NodeId(payload.try_get_u64().map_err(short)?);
        let links = payload.try_get_u8().map_err(short)?;
        let kind = payload.try_get_u8().map_err(short)?;
        Ok(Self { to, from, links, kind, payload })
    }
}
