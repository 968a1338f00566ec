//! What a peer shows to be let in.

use std::fmt;

use super::PublicKey;

/// By mechanism. The password is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// PLAIN: a name and a password, each up to 255 bytes, as they came.
    Plain {
        /// Who it says it is.
        username: Vec<u8>,
        /// The secret that goes with it.
        password: Vec<u8>,
    },
    /// CURVE: the peer has the secret key that belongs to this one.
    Curve {
        /// Its permanent public key.
        public_key: PublicKey,
    },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain { username, .. } => f
                .debug_struct("Plain")
                .field("username", &String::from_utf8_lossy(username))
                .finish_non_exhaustive(),
            Self::Curve { public_key } => f.debug_struct("Curve").field("public_key", public_key).finish(),
        }
    }
}
