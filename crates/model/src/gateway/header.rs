//! Names of headers, methods, and what a route does with headers.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Template;

/// Longest name of a header and of a method, bytes.
const TOKEN_BYTES_MAX: usize = 128;

/// The name of a header, spelled as written; two that differ in case alone are the same.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct HeaderName(String);

/// A method, such as `GET`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Method(String);

/// Why a text is no name of a header, or no method.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Nothing is there.
    #[error("it is empty")]
    Empty,
    /// Longer than 128 bytes.
    #[error("it is longer than {TOKEN_BYTES_MAX} bytes")]
    TooLong,
    /// A character that tokens do not have (RFC 9110, 5.6.2).
    #[error("{0:?} cannot stand in it")]
    Character(char),
    /// A method in lower case, which is another method than the one in upper case.
    #[error("methods are written in upper case: {0}")]
    Case(String),
}

/// What is done with the headers of a request, or of a response: first `remove`, then `set`, then `add`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HeaderRules {
    /// These go.
    pub remove: Vec<HeaderName>,
    /// These have this value and no other.
    pub set: Vec<(HeaderName, Template)>,
    /// These have this value besides those that are there.
    pub add: Vec<(HeaderName, Template)>,
}

impl HeaderRules {
    /// Whether they change nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.set.is_empty() && self.add.is_empty()
    }
}

/// Whether a byte may stand in a token (RFC 9110, 5.6.2).
pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn token(text: &str) -> Result<(), TokenError> {
    if text.is_empty() {
        return Err(TokenError::Empty);
    }
    if text.len() > TOKEN_BYTES_MAX {
        return Err(TokenError::TooLong);
    }
    let is_wrong = |character: &char| u8::try_from(*character).map_or(true, |byte| !is_token_byte(byte));
    match text.chars().find(is_wrong) {
        Some(wrong) => Err(TokenError::Character(wrong)),
        None => Ok(()),
    }
}

impl HeaderName {
    /// Checks `text`.
    ///
    /// # Errors
    /// It is no token.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        token(text).map(|()| Self(text.to_owned()))
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `other` is the same name.
    #[must_use]
    pub fn is(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }
}

impl PartialEq for HeaderName {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.0)
    }
}

impl Eq for HeaderName {}

impl Method {
    /// Checks `text`.
    ///
    /// # Errors
    /// It is no token, or a known method in lower case.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        const KNOWN: [&str; 9] =
            ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"];
        token(text)?;
        let upper = text.to_ascii_uppercase();
        if upper != text && KNOWN.contains(&upper.as_str()) {
            return Err(TokenError::Case(upper));
        }
        Ok(Self(text.to_owned()))
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! token {
    ($type:ident) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $type {
            type Err = TokenError;
            fn from_str(text: &str) -> Result<Self, TokenError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $type {
            type Error = TokenError;
            fn try_from(text: String) -> Result<Self, TokenError> {
                Self::new(&text)
            }
        }

        impl From<$type> for String {
            fn from(token: $type) -> Self {
                token.0
            }
        }
    };
}

token!(HeaderName);
token!(Method);
