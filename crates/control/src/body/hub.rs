//! The bodies about the hub: keys of its store, messages of its bus.

use remuda_model::gateway::GatewayMetrics;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Bytes of the hub: keys, values, topics and payloads may be any.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Text {
    /// They are UTF-8.
    Text(String),
    /// They are not; in base64 (RFC 4648, padded).
    Base64(String),
}

/// A text that is no base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what is under \"base64\" is no base64")]
pub struct NoBase64;

impl Text {
    /// `bytes` as text where they are one.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64(data_encoding::BASE64.encode(bytes)),
        }
    }

    /// The bytes.
    ///
    /// # Errors
    /// [`NoBase64`].
    pub fn bytes(&self) -> Result<Vec<u8>, NoBase64> {
        match self {
            Self::Text(text) => Ok(text.clone().into_bytes()),
            Self::Base64(text) => data_encoding::BASE64.decode(text.as_bytes()).ok().ok_or(NoBase64),
        }
    }
}

/// Keys of the store.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct KeyList {
    /// In no order.
    pub keys: Vec<Text>,
    /// Where to go on (`cursor`); none when these were the last.
    pub next: Option<u64>,
}

/// One key of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyValue {
    /// Which.
    pub key: Text,
    /// `string`, `list`, `hash`, `set`, `zset`, or what else the store has.
    pub kind: String,
    /// Milliseconds until it expires; none when it does not.
    pub ttl_ms: Option<u64>,
    /// Bytes of a string, members of everything else.
    pub length: u64,
    /// Of a string: its first 64 KiB.
    pub value: Option<Text>,
    /// Of everything else: its first 500 members.
    pub entries: Vec<Entry>,
    /// There is more than is told here.
    pub is_cut: bool,
}

/// A member of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Field of a hash, score of a sorted set; none in lists and sets.
    pub name: Option<Text>,
    /// Its value.
    pub value: Text,
}

/// A string for a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetKeyBody {
    /// Which; what was there is replaced, whatever it was.
    pub key: Text,
    /// The string.
    pub value: Text,
    /// It expires after so many milliseconds. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<u64>,
    /// In which database. Default 0.
    #[serde(default)]
    pub database: u32,
}

/// Keys that are to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteKeysBody {
    /// Which; at least one.
    pub keys: Vec<Text>,
    /// Of which database. Default 0.
    #[serde(default)]
    pub database: u32,
}

/// The locks that are held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LockList {
    /// By name; 10,000 at most.
    pub locks: Vec<HeldLock>,
    /// The engine that keeps them, without its password; none when the hub does.
    pub engine: Option<String>,
    /// No lock has two holders. `false` with Redis as engine, which may give one away twice.
    pub is_exact: bool,
    /// Why the engine cannot be asked; empty when it can.
    pub trouble: String,
}

/// A lock that is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeldLock {
    /// Its name.
    pub name: Text,
    /// Who holds it, as he calls himself.
    pub owner: Text,
    /// The number that grows with each holder.
    pub fence: i64,
    /// Milliseconds until it is free, if it is not renewed.
    pub left_ms: i64,
    /// Milliseconds it is held for at a time.
    pub ttl_ms: i64,
    /// How many wait for it.
    pub waiting: i64,
}

/// A message for the bus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishBody {
    /// What it is about.
    pub topic: Text,
    /// What it says.
    pub payload: Text,
}

/// `event: message` of the bus's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BusMessage {
    /// Milliseconds since 1970 when the arbiter got it.
    pub time_ms: u64,
    /// What it is about.
    pub topic: Text,
    /// The first 16 KiB of what it says.
    pub payload: Text,
    /// Bytes of all that it says.
    pub length: u64,
}

/// The gateways of one service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct GatewayFigures {
    /// Workers that answered.
    pub workers: u64,
    /// What they counted, together.
    pub metrics: GatewayMetrics,
}
