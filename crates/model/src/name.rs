//! Names as users write them, checked once.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest name, in bytes: names become file names, and Unix socket paths end at 108 bytes.
const NAME_MAX_BYTES: usize = 64;

/// Why a name is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text has no characters.
    #[error("a name must not be empty")]
    Empty,
    /// The text is longer than 64 bytes.
    #[error("a name has at most {NAME_MAX_BYTES} characters, this one has {0}")]
    TooLong(usize),
    /// The text has a character names do not have; `.` separates a service from its slot.
    #[error(
        "a name consists of letters, digits, '-', '_' and '@', and begins with a letter or digit; {0:?} is not allowed here"
    )]
    Character(char),
}

fn checked(text: &str) -> Result<&str, NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > NAME_MAX_BYTES {
        return Err(NameError::TooLong(text.len()));
    }
    for (index, character) in text.chars().enumerate() {
        let inside = index > 0 && matches!(character, '-' | '_' | '@');
        if !(character.is_ascii_alphanumeric() || inside) {
            return Err(NameError::Character(character));
        }
    }
    Ok(text)
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        pub struct $type(Arc<str>);

        impl $type {
            /// Checks `text` against the rules of [`NameError`].
            ///
            /// # Errors
            /// The rule that `text` breaks.
            pub fn new(text: &str) -> Result<Self, NameError> {
                checked(text).map(|text| Self(text.into()))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $type {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $type {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(&text)
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0.as_ref().to_owned()
            }
        }

        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// The name of a service.
    ServiceName
);
name!(
    /// The name of a herd.
    HerdName
);
name!(
    /// The name of a node of a herd, for people: its number is what counts.
    NodeName
);
name!(
    /// The name of a socket.
    SocketName
);

/// What a request is aimed at: a service (`web`) or one slot of it (`web.2`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Target {
    /// The service.
    pub service: ServiceName,
    /// One slot of it; all slots when absent.
    pub slot: Option<u32>,
}

/// Why a target is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The part before the dot is no name.
    #[error("{0:?} does not name a service: {1}")]
    Name(String, NameError),
    /// The part after the dot is no number.
    #[error("{0:?} does not name a slot: the part after the dot must be a number, as in web.0")]
    Slot(String),
}

impl Target {
    /// All slots of `service`.
    #[must_use]
    pub fn service(service: ServiceName) -> Self {
        Self { service, slot: None }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.slot {
            Some(slot) => write!(f, "{}.{slot}", self.service),
            None => self.service.fmt(f),
        }
    }
}

impl FromStr for Target {
    type Err = TargetError;
    fn from_str(text: &str) -> Result<Self, TargetError> {
        let (name, slot) = match text.split_once('.') {
            Some((name, slot)) => {
                let slot = slot.parse().ok().ok_or_else(|| TargetError::Slot(text.into()))?;
                (name, Some(slot))
            }
            None => (text, None),
        };
        let service = ServiceName::new(name).map_err(|why| TargetError::Name(text.into(), why))?;
        Ok(Self { service, slot })
    }
}

impl TryFrom<String> for Target {
    type Error = TargetError;
    fn try_from(text: String) -> Result<Self, TargetError> {
        text.parse()
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.to_string()
    }
}
