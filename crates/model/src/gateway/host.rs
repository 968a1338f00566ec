//! Which hosts a route or a certificate is for: a name, or all names below one.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest name of a host, bytes (RFC 1035).
const HOST_BYTES_MAX: usize = 253;

/// Hosts: `example.org`, or `*.example.org`, which is every name below it, however deep, and not itself. In lower case,
/// without a port; an IPv6 address stands in brackets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct HostPattern(String);

/// Why a text names no hosts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostPatternError {
    /// Nothing is there.
    #[error("a host is not empty")]
    Empty,
    /// Longer than DNS allows.
    #[error("{0:?} is longer than the {HOST_BYTES_MAX} bytes of a host")]
    TooLong(String),
    /// A port.
    #[error("{0:?} has a port; a host is told from others by its name alone")]
    Port(String),
    /// `*` elsewhere than in front.
    #[error("{0:?}: a \"*\" stands alone in front, as in \"*.example.org\"")]
    Star(String),
    /// Anything else.
    #[error("{0:?} is no host: write \"example.org\", \"*.example.org\" or \"[::1]\"")]
    Form(String),
}

impl HostPattern {
    /// As written, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For `*.example.org`: `.example.org`.
    #[must_use]
    pub fn suffix(&self) -> Option<&str> {
        self.0.strip_prefix('*')
    }

    /// Whether `host` is one of them. `host` is in lower case, without a port or a dot at its end.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        match self.suffix() {
            Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
            None => self.0 == host,
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for HostPattern {
    type Err = HostPatternError;
    fn from_str(text: &str) -> Result<Self, HostPatternError> {
        let own = || text.chars().take(80).collect::<String>();
        let lower = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        if lower.is_empty() {
            return Err(HostPatternError::Empty);
        }
        if lower.len() > HOST_BYTES_MAX {
            return Err(HostPatternError::TooLong(own()));
        }
        if let Some(inside) = lower.strip_prefix('[') {
            let Some(inside) = inside.strip_suffix(']') else { return Err(HostPatternError::Form(own())) };
            let address: std::net::Ipv6Addr =
                inside.parse().ok().ok_or_else(|| HostPatternError::Form(own()))?;
            return Ok(Self(format!("[{address}]")));
        }
        if lower.contains(':') {
            return Err(HostPatternError::Port(own()));
        }
        let name = lower.strip_prefix("*.").unwrap_or(&lower);
        if name.contains('*') {
            return Err(HostPatternError::Star(own()));
        }
        let is_label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        if !name.split('.').all(is_label) {
            return Err(HostPatternError::Form(own()));
        }
        Ok(Self(lower))
    }
}

impl TryFrom<String> for HostPattern {
    type Error = HostPatternError;
    fn try_from(text: String) -> Result<Self, HostPatternError> {
        text.parse()
    }
}

impl From<HostPattern> for String {
    fn from(host: HostPattern) -> Self {
        host.0
    }
}
