//! What a service may do on the hub: prefixes of keys and of topics (`[access.NAME]`).
//!
//! A rule narrows: a service without one may do everything, and so may one whose rule does not speak of keys, or of
//! topics. Prefixes and not patterns, because topics are matched by prefix anyway, and because a prefix cannot be
//! mistaken for less than it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a service may do on the hub. The default is everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Access {
    /// Prefixes of keys it may read and write; `None` means all keys, an empty list none.
    pub keys: Option<Vec<String>>,
    /// Prefixes of further keys it may read.
    pub read_keys: Vec<String>,
    /// Prefixes of topics it may publish and subscribe to; `None` means all topics, an empty list none.
    pub topics: Option<Vec<String>>,
    /// Prefixes of further topics it may subscribe to.
    pub read_topics: Vec<String>,
}

impl Access {
    /// Nothing at all.
    #[must_use]
    pub fn none() -> Self {
        Self { keys: Some(Vec::new()), topics: Some(Vec::new()), ..Self::default() }
    }

    /// Whether there is nothing it may not do.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.keys.is_none() && self.topics.is_none()
    }

    /// Whether it may write `key`.
    #[must_use]
    pub fn may_write(&self, key: &[u8]) -> bool {
        self.keys.as_deref().is_none_or(|prefixes| covers(prefixes, key))
    }

    /// Whether it may read `key`.
    #[must_use]
    pub fn may_read(&self, key: &[u8]) -> bool {
        self.may_write(key) || covers(&self.read_keys, key)
    }

    /// Whether it may publish on `topic`.
    #[must_use]
    pub fn may_publish(&self, topic: &[u8]) -> bool {
        self.topics.as_deref().is_none_or(|prefixes| covers(prefixes, topic))
    }

    /// Whether it may subscribe to every topic that begins with `prefix`.
    #[must_use]
    pub fn may_subscribe(&self, prefix: &[u8]) -> bool {
        self.may_publish(prefix) || covers(&self.read_topics, prefix)
    }
}

fn covers(prefixes: &[String], text: &[u8]) -> bool {
    prefixes.iter().any(|prefix| text.starts_with(prefix.as_bytes()))
}
