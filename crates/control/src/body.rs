//! The bodies of version 1 that are not words of the model already.

mod hub;
mod routes;

use std::path::PathBuf;

use remuda_model::{Reply, ServiceName, Signal, StopScope, Target};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use hub::{
    BusMessage, DeleteKeysBody, Entry, GatewayFigures, HeldLock, KeyList, KeyValue, LockList, NoBase64,
    PublishBody, SetKeyBody, Text,
};
pub use routes::{GatewayRoute, RouteList, RouteMatch, RouteVerdict};

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct About {
    /// Always `remuda`.
    pub name: String,
    /// Version of the running arbiter's program.
    pub version: String,
    /// Version of this API.
    pub api: u32,
}

/// The config in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EffectiveConfig {
    /// As TOML, with every default explicit and the values of variables masked.
    pub toml: String,
}

/// Whom to start, stop, restart or reload.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActBody {
    /// Services (`web`); restart and reload also take slots (`web.2`). Must be empty with `all`.
    #[serde(default)]
    pub targets: Vec<Target>,
    /// All services. Restart and reload then mean those that run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

/// Another number of workers: either `to` or `by`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScaleBody {
    /// Whose.
    pub service: ServiceName,
    /// So many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u32>,
    /// So many more, or less when negative, than are wanted now; not below 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<i32>,
}

/// Whom to hold, and for how long at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldBody {
    /// Whose workers go.
    pub service: ServiceName,
    /// Milliseconds, up to 600,000. Default 30,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_ms: Option<u64>,
}

/// Whom to release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseBody {
    /// Whose workers come back.
    pub service: ServiceName,
}

/// A signal for workers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignalBody {
    /// Services (`web`) and slots (`web.2`), at least one.
    pub targets: Vec<Target>,
    /// `HUP`, `SIGUSR1`, `10`, `RTMIN+1`.
    pub signal: Signal,
    /// To which of a worker's processes. Default `main`.
    #[serde(default)]
    pub scope: StopScope,
}

/// Which program is to take the arbiter's place.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpgradeBody {
    /// The absolute path of an executable. Default: the one that runs, as it lies there by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<PathBuf>,
}

/// The answer with `wait=false`: the request is on its way, its outcome is in the event stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum Accepted {
    /// It was taken.
    Accepted,
}

/// What a request brings: its reply, or with `wait=false` only that it was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Answer {
    /// It was waited for.
    Reply(Reply),
    /// It was not.
    Accepted(Accepted),
}

/// `event: missed` of the event stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MissedEvents {
    /// So many events left the ring before they were read.
    pub missed: u64,
}

/// `event: missed` of the log stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MissedLines {
    /// Whose lines.
    pub service: ServiceName,
    /// So many left memory before they were read.
    pub missed: u64,
}

/// `event: end`, the last of every stream the server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum End {
    /// All there was has been sent, and `follow=false`.
    CaughtUp,
    /// The arbiter ends.
    Stopping,
    /// The hub is not there any more, or was replaced.
    HubAway,
}
