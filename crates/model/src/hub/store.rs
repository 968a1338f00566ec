//! What the config asks of the store (`[store]`).

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Engine;
use crate::Address;

/// What the config asks of the store. Besides the addresses here it listens on `store.sock` in the runtime folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreSpec {
    /// Further addresses. Default `127.0.0.1:0`, a free port.
    pub listen: Vec<Address>,
    /// How clients of TCP addresses show who they are. Default [`StoreAuth::Token`].
    pub auth: StoreAuth,
    /// Keys and values take at most so many bytes. Default 512 MiB.
    pub memory: u64,
    /// What happens when `memory` is full. Default [`FullPolicy::Refuse`].
    pub full: FullPolicy,
    /// When writes are on disk. Default each second.
    pub fsync: Fsync,
    /// Writes are kept on disk and survive a crash. Default true.
    pub durable: bool,
    /// Numbered databases (`SELECT`). Default 16.
    pub databases: u32,
    /// Clients at once. Default 10,000.
    pub clients_max: u32,
    /// Limits of scripts (`EVAL`).
    pub script: ScriptSpec,
    /// What is published on the bus about changes. Default [`Events::WithValues`].
    pub events: Events,
    /// What holds the data. Default [`Engine::Embedded`].
    pub engine: Engine,
}

/// How clients of the store show who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StoreAuth {
    /// By `AUTH service token`, as in the `REDIS_URL` of workers.
    #[default]
    Token,
    /// Not at all; who says `AUTH` all the same is believed if the token is right. Only for addresses of this machine.
    None,
}

/// What happens when the store's memory is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FullPolicy {
    /// Writes that need memory are refused (Redis: `noeviction`).
    #[default]
    Refuse,
    /// Keys that were not used for long go (`allkeys-lru`).
    LeastRecentlyUsed,
    /// Keys that expire soonest go (`volatile-ttl`).
    SoonestExpiry,
}

/// When writes are on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fsync {
    /// Before they are answered.
    Always,
    /// At most so long after they are answered.
    Every(Duration),
    /// When the kernel writes them.
    Never,
}

/// Limits of scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptSpec {
    /// One that runs longer is ended; what it wrote stays. Everybody else waits meanwhile. Default 5 s.
    pub time: Duration,
    /// Memory of all scripts, bytes. Default 64 MiB.
    pub memory: u64,
}

/// What is published on the bus about changes of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Events {
    /// Nothing.
    Off,
    /// Which key changed, and how.
    Names,
    /// The new value of a string too, up to 64 KiB. It costs nothing as long as nobody listens.
    #[default]
    WithValues,
}
