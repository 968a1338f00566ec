//! What is said over the keeper's links: JSON, one message each, with a version in front. Descriptors come in the order
//! of the names.
//!
//! A keeper may be older than the arbiter that finds it: a message may gain fields and the protocol words, but none may
//! change its meaning without a new version.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::policy::Policy;

const VERSION: u32 = 1;

/// Most descriptors of one message. With names of at most [`NAME_LIMIT_BYTES`] the longest text stays below the
/// 64 KiB that a link takes.
pub(super) const BATCH: usize = 200;
/// Longest name, in bytes.
pub(super) const NAME_LIMIT_BYTES: usize = 128;
/// Before the name of a log pipe this is the name of what was read from it.
pub(super) const SPILL: &str = "spill/";

/// A message with its version.
#[derive(Debug, Serialize, Deserialize)]
struct Versioned<T> {
    v: u32,
    say: T,
}

/// From the arbiter, numbered.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Numbered {
    pub(super) number: u64,
    pub(super) order: Order,
}

/// What the arbiter wants.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Order {
    /// Hold these; a name that is held already gets the new descriptor.
    Keep(Vec<String>),
    /// Let these go.
    Forget(Vec<String>),
    /// Do this when left alone.
    Policy(Policy),
    /// Let all go and end.
    Farewell,
}

/// The keeper has carried out the order `done`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Receipt {
    /// Its number; absent for a message that could not be read.
    pub(super) done: Option<u64>,
    /// Why it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<String>,
}

/// From a visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Request {
    /// How is it?
    Look,
    /// I am the next arbiter.
    Take,
    /// The next descriptors.
    Next,
    /// I have them all; you can go.
    Taken,
    /// End the workers and yourself.
    Stop,
}

/// To a visitor.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    /// Not now: this process has the workers, or is taking them.
    Busy {
        /// Its pid.
        pid: u32,
    },
    /// Not any more: the workers are being ended.
    Stopping,
    /// To `look` and `take`.
    State(State),
    /// To `next`.
    Batch {
        /// What the descriptors are.
        entries: Vec<Entry>,
        /// How many items are left.
        left: usize,
    },
    /// No worker lives any more.
    Stopped,
}

/// How it stands with a keeper that was left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Pid of the keeper.
    pub keeper: u32,
    /// How many workers live.
    pub living: usize,
    /// How many descriptors it hands over, those of spilled output included.
    pub items: usize,
    /// For how long it has been alone.
    pub orphaned_for: Duration,
    /// Whether it ends the workers.
    pub stopping: bool,
}

/// One descriptor handed over.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) holding: Holding,
}

/// What the keeper knows of something it held.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Holding {
    /// Of a log pipe: bytes read from it that are kept, in the descriptor `spill/<name>` (absent when 0).
    pub spilled: u64,
    /// Of a log pipe: bytes read from it and thrown away, all of them later than those kept.
    pub dropped: u64,
    /// Of a log pipe: whether nobody can write to it any more.
    pub ended: bool,
    /// Of a `pid/…`: whether that process lives.
    pub alive: Option<bool>,
}

/// A message as bytes.
pub(super) fn encode<T: Serialize>(say: T) -> Vec<u8> {
    serde_json::to_vec(&Versioned { v: VERSION, say }).expect("texts, numbers and lists always become JSON")
}

/// The message in `bytes`; `None` if it is of no version we know.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice::<Versioned<T>>(bytes)
        .ok()
        .filter(|message| message.v == VERSION)
        .map(|message| message.say)
}

/// Whether something may be kept under `name`: 1 to 128 bytes of printable ASCII without space, `"` and `\`.
pub(super) fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    !name.is_empty() && name.len() <= NAME_LIMIT_BYTES && name.bytes().all(is_plain)
}
