//! The secret of an instance, and the tokens of its services.
//!
//! A token is made of the secret and the service's name alone, so that nothing has to be kept or told: the arbiter gives
//! a worker the token of its service, the hub makes the same one and compares. Both call [`token`].

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// Bytes of a secret.
const SECRET_BYTES: usize = 32;
/// Bytes of the code that a token shows: 128 bits cannot be guessed, and a URL stays readable.
const TOKEN_BYTES: usize = 16;

/// The secret of an instance, 32 random bytes. Written as 64 hexadecimal digits, never shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Secret([u8; SECRET_BYTES]);

/// The text is no secret. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret is 64 hexadecimal digits")]
pub struct SecretError;

impl Secret {
    /// Of these bytes, which should be random.
    #[must_use]
    pub fn new(bytes: [u8; SECRET_BYTES]) -> Self {
        Self(bytes)
    }

    /// Its 64 hexadecimal digits, for the file it is kept in.
    #[must_use]
    pub fn to_hex(&self) -> String {
        to_hex(&self.0)
    }

    /// Its bytes, as a key for other codes than tokens.
    #[must_use]
    pub fn bytes(&self) -> &[u8; SECRET_BYTES] {
        &self.0
    }

    fn code(&self, service: &str) -> Hmac<Sha256> {
        let mut code = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of this code has any length");
        code.update(b"token:");
        code.update(service.as_bytes());
        code
    }
}

/// The token by which workers of `service` show who they are: 32 hexadecimal digits.
#[must_use]
pub fn token(secret: &Secret, service: &str) -> String {
    let code = secret.code(service).finalize().into_bytes();
    let (shown, _) = code.split_at(TOKEN_BYTES);
    to_hex(shown)
}

/// Whether `text` is the token of `service`; takes as long for a wrong one as for the right one.
#[must_use]
pub fn is_token(secret: &Secret, service: &str, text: &[u8]) -> bool {
    let shown = std::str::from_utf8(text).ok().and_then(from_hex::<TOKEN_BYTES>);
    shown.is_some_and(|shown| secret.code(service).verify_truncated_left(&shown).is_ok())
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl FromStr for Secret {
    type Err = SecretError;
    fn from_str(text: &str) -> Result<Self, SecretError> {
        from_hex(text).map(Self).ok_or(SecretError)
    }
}

impl TryFrom<String> for Secret {
    type Error = SecretError;
    fn try_from(text: String) -> Result<Self, SecretError> {
        text.parse()
    }
}

impl From<Secret> for String {
    fn from(secret: Secret) -> Self {
        secret.to_hex()
    }
}

/// `bytes` as hexadecimal digits, two each, in lower case.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

/// `2 * N` hexadecimal digits as bytes.
pub(crate) fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let nibble = |digit: u8| char::from(digit).to_digit(16);
        let [high, low] = pair else { return None };
        *byte = u8::try_from(nibble(*high)? << 4 | nibble(*low)?).ok()?;
    }
    Some(bytes)
}
