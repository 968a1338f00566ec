//! How a request becomes a WebSocket.

use data_encoding::BASE64;
use sha1::{Digest as _, Sha1};

use super::HandshakeError;
use crate::http::{Head, Method, Version, tokens};

/// What RFC 6455 1.3 appends to the key.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// What a request that begins a WebSocket asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handshake {
    /// Value of Sec-WebSocket-Accept in the answer.
    pub accept: String,
    /// Subprotocols the client offers, the best first.
    pub protocols: Vec<String>,
}

impl Handshake {
    /// Reads `head`.
    ///
    /// # Errors
    /// It does not begin a WebSocket, or not one of our version.
    pub fn read(head: &Head) -> Result<Self, HandshakeError> {
        let fields = head.fields();
        let is_asked = *head.method() == Method::Get
            && head.version() == Version::Http11
            && fields.has_token("connection", "upgrade")
            && fields.has_token("upgrade", "websocket");
        if !is_asked {
            return Err(HandshakeError::NoUpgrade);
        }
        if fields.get("sec-websocket-version") != Some(b"13") {
            return Err(HandshakeError::Version);
        }
        let mut keys = fields.get_all("sec-websocket-key");
        let (Some(key), None) = (keys.next(), keys.next()) else { return Err(HandshakeError::Key) };
        if !BASE64.decode(key).is_ok_and(|bytes| bytes.len() == 16) {
            return Err(HandshakeError::Key);
        }
        let protocols = fields.get_all("sec-websocket-protocol").flat_map(tokens);
        let protocols = protocols.filter_map(|token| str::from_utf8(token).ok().map(str::to_owned)).collect();
        Ok(Self { accept: accept_key(key), protocols })
    }
}

/// Sec-WebSocket-Accept for a Sec-WebSocket-Key.
#[must_use]
pub fn accept_key(key: &[u8]) -> String {
    BASE64.encode(&Sha1::new().chain_update(key).chain_update(GUID).finalize())
}
