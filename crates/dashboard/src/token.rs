//! What lets somebody in: 256 random bits that are shown once, and of which only the hash is kept.

use std::fmt;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use remuda_sys::CallError;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What the holder of a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Look.
    View,
    /// Look, and do what the command line can.
    Operate,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::View => "view",
            Self::Operate => "operate",
        })
    }
}

/// A token, as a person is given it. Not shown by `Debug`.
#[derive(Clone)]
pub struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// One that nobody has.
    ///
    /// # Errors
    /// The kernel has no random bytes.
    pub fn new() -> Result<Self, CallError> {
        Ok(Self(BASE64URL_NOPAD.encode(&remuda_sys::random::bytes::<32>()?)))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn hash(&self) -> Hash {
        Hash::of(&self.0)
    }
}

/// SHA-256 of a token. A token has as many random bits as the hash has, so neither salt nor stretching adds anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hash(String);

impl Hash {
    pub(crate) fn of(text: &str) -> Self {
        Self(HEXLOWER.encode(&Sha256::digest(text.as_bytes())))
    }

    /// Whether both are the same; takes as long for every answer.
    pub(crate) fn is(&self, other: &Self) -> bool {
        let (one, two) = (self.0.as_bytes(), other.0.as_bytes());
        one.len() == two.len() && one.iter().zip(two).fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

#[cfg(test)]
mod tests;
