//! Keys of CURVE, and their text: Z85 (RFC 32), five characters for four bytes, as ZeroMQ's tools print them.

use std::fmt;
use std::str::FromStr;

use crypto_box::aead::OsRng;

/// Characters of a key's text.
const TEXT_LEN: usize = 40;

const DIGITS: &[u8; 85] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/// A key to show: of a server to its clients, of a client to the server that is to let it in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

/// A key to keep; not shown by `Debug`.
#[derive(Clone)]
pub struct SecretKey(pub(super) crypto_box::SecretKey);

/// A text that is not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Too short or too long.
    #[error("a key has {TEXT_LEN} characters of Z85, this text has {found}")]
    Length {
        /// Its length in bytes.
        found: usize,
    },
    /// A character Z85 does not have.
    #[error("character {place} of the key is none of Z85")]
    Character {
        /// Counted from 1.
        place: usize,
    },
    /// Five characters that stand for more than four bytes hold.
    #[error("characters {place} to {} of the key stand for no four bytes", place + 4)]
    Range {
        /// Where they begin, counted from 1.
        place: usize,
    },
}

impl SecretKey {
    /// A new one, from the system's randomness.
    #[must_use]
    pub fn generate() -> Self {
        Self(crypto_box::SecretKey::generate(&mut OsRng))
    }

    /// The one with these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(crypto_box::SecretKey::from_bytes(bytes))
    }

    /// Its bytes. They are a secret.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Its text. It is a secret.
    #[must_use]
    pub fn to_z85(&self) -> String {
        to_z85(&self.to_bytes())
    }

    /// What goes with it.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.public_key().to_bytes())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SecretKey").finish_non_exhaustive()
    }
}

impl FromStr for SecretKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        from_z85(text).map(Self::from_bytes)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_z85(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        from_z85(text).map(Self)
    }
}

fn to_z85(bytes: &[u8; 32]) -> String {
    let mut text = String::with_capacity(TEXT_LEN);
    for chunk in bytes.as_chunks::<4>().0 {
        let word = u32::from_be_bytes(*chunk);
        for power in [85_u32.pow(4), 85_u32.pow(3), 85_u32.pow(2), 85, 1] {
            text.push(char::from(DIGITS[(word / power % 85) as usize]));
        }
    }
    text
}

fn from_z85(text: &str) -> Result<[u8; 32], KeyError> {
    let (groups, rest) = text.as_bytes().as_chunks::<5>();
    if text.len() != TEXT_LEN || !rest.is_empty() {
        return Err(KeyError::Length { found: text.len() });
    }
    let mut bytes = [0; 32];
    for (index, group) in groups.iter().enumerate() {
        let mut word: u64 = 0;
        for (offset, character) in group.iter().enumerate() {
            let digit = DIGITS.iter().position(|digit| digit == character);
            let digit = digit.ok_or(KeyError::Character { place: index * 5 + offset + 1 })?;
            word = word * 85 + digit as u64;
        }
        let word = u32::try_from(word).map_err(|_too_large| KeyError::Range { place: index * 5 + 1 })?;
        bytes[index * 4..][..4].copy_from_slice(&word.to_be_bytes());
    }
    Ok(bytes)
}
