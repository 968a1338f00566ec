//! What carries the bus or holds the store: the hub itself, or a server that is there already.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

mod url;

pub use url::{EngineKind, EngineUrl, EngineUrlError};

/// What carries the bus or holds the store.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Engine {
    /// The hub itself.
    #[default]
    Embedded,
    /// A server.
    External(EngineUrl),
}

impl Engine {
    /// Where the server is, if there is one.
    #[must_use]
    pub fn external(&self) -> Option<&EngineUrl> {
        match self {
            Self::Embedded => None,
            Self::External(url) => Some(url),
        }
    }
}

/// With `***` in place of a password.
impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("embedded"),
            Self::External(url) => f.write_str(&url.masked()),
        }
    }
}

impl FromStr for Engine {
    type Err = EngineUrlError;
    fn from_str(text: &str) -> Result<Self, EngineUrlError> {
        match text {
            "embedded" => Ok(Self::Embedded),
            url => url.parse().map(Self::External),
        }
    }
}

impl TryFrom<String> for Engine {
    type Error = EngineUrlError;
    fn try_from(text: String) -> Result<Self, EngineUrlError> {
        text.parse()
    }
}

/// With its password: for the hub's settings, which only the hub reads.
impl From<Engine> for String {
    fn from(engine: Engine) -> Self {
        match engine {
            Engine::Embedded => "embedded".to_owned(),
            Engine::External(url) => url.into_text(),
        }
    }
}
