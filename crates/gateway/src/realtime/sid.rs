//! Names of sessions and of sockets.
//!
//! A session's name is a secret: who knows it is the client. It begins with the gateway process that has the session, so
//! that another process that gets a request of it knows where to pass it on. A socket's name, one for each namespace,
//! is what workers call the client; it opens nothing.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;

/// Which gateway process has a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(pub u32);

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// The secret name of a session: its owner and 128 random bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sid {
    /// Who has it.
    pub owner: Owner,
    secret: u128,
}

impl Sid {
    /// With these random bits.
    #[must_use]
    pub fn new(owner: Owner, secret: u128) -> Self {
        Self { owner, secret }
    }

    /// Reads one; `None` if it is none of ours.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let bytes: [u8; 20] = BASE64URL_NOPAD.decode(text).ok()?.try_into().ok()?;
        let (owner, secret) = bytes.split_first_chunk::<4>()?;
        let owner = Owner(u32::from_be_bytes(*owner));
        Some(Self { owner, secret: u128::from_be_bytes(secret.try_into().ok()?) })
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 20];
        bytes[..4].copy_from_slice(&self.owner.0.to_be_bytes());
        bytes[4..].copy_from_slice(&self.secret.to_be_bytes());
        f.write_str(&BASE64URL_NOPAD.encode(&bytes))
    }
}

/// Its owner alone: the rest is a secret.
impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sid").field("owner", &self.owner).finish_non_exhaustive()
    }
}

/// The public name of a client in a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u128);

impl SocketId {
    /// Reads one; `None` if it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 16] = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?.try_into().ok()?;
        Some(Self(u128::from_be_bytes(bytes)))
    }
}

impl fmt::Display for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64URL_NOPAD.encode(&self.0.to_be_bytes()))
    }
}
