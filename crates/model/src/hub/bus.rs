//! What the config asks of the bus (`[bus]`).

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Engine;
use crate::Address;

/// What the config asks of the bus. Besides the addresses here it listens on `bus.sock` in the runtime folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusSpec {
    /// Further addresses. Default `127.0.0.1:0`, a free port.
    pub listen: Vec<Address>,
    /// An address that only sends: a PUB socket, for peers who subscribe there and publish elsewhere.
    pub pub_listen: Option<Address>,
    /// An address that only takes: a PULL socket, for peers who publish by PUSH.
    pub pull_listen: Option<Address>,
    /// How peers of TCP addresses show who they are. Default [`BusAuth::None`].
    pub auth: BusAuth,
    /// The file of keys for [`BusAuth::Curve`], absolute.
    pub curve_keys: Option<PathBuf>,
    /// Room of each subscriber's queue, bytes. Default 8 MiB.
    pub queue: u64,
    /// What becomes of messages to a subscriber whose queue is full. Default [`SlowPolicy::DropOldest`].
    pub slow: SlowPolicy,
    /// So long publishers wait for a subscriber whose queue fills, before `slow` applies to it. Default 100 ms.
    pub patience: Duration,
    /// Largest message, bytes. Default 64 MiB.
    pub message_max: u64,
    /// Peers at once. Default 10,000.
    pub peers_max: u32,
    /// A silent peer is asked for a sign of life this often, and is gone when it gives none for as long. Default 30 s.
    pub heartbeat: Duration,
    /// Topics whose last messages are kept for late subscribers. Default none.
    pub replay: Vec<ReplaySpec>,
    /// What carries the messages. Default [`Engine::Embedded`].
    pub engine: Engine,
}

/// How peers of the bus show who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BusAuth {
    /// Not at all. Only for addresses of this machine.
    #[default]
    None,
    /// Name of the service and its token, readable by whoever sees the packets (ZMTP PLAIN).
    Plain,
    /// Keys, and encryption (ZMTP CURVE).
    Curve,
}

/// What becomes of messages to a subscriber whose queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SlowPolicy {
    /// The oldest go, and are counted.
    #[default]
    DropOldest,
    /// The newest are not queued, and are counted.
    DropNewest,
    /// The subscriber is cut off.
    Disconnect,
}

/// The last messages of some topics, kept for late subscribers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplaySpec {
    /// Of topics that begin so.
    pub prefix: String,
    /// At most so many. Default 1000.
    pub messages: u64,
    /// At most so many bytes. Default 8 MiB.
    pub bytes: u64,
}
