//! Programs told about, or asked before, the steps of a service's life.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ServiceName, WorkerId};

/// When a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HookPoint {
    /// Before the first worker of a service is spawned; may prevent it.
    BeforeStart,
    /// When a service's workers are all ready; its failure stops the service.
    AfterStart,
    /// Before each worker is spawned; may prevent it.
    BeforeSpawn,
    /// When a worker's program runs; its failure kills the worker.
    AfterSpawn,
    /// Before a service's workers are told to stop.
    BeforeStop,
    /// When a service's last worker is gone.
    AfterStop,
    /// When a worker has ended and its pid is still its own.
    BeforeReap,
    /// When a worker's end has been recorded.
    AfterReap,
}

impl HookPoint {
    /// Whether its failure prevents what it precedes, unless the config says otherwise.
    #[must_use]
    pub fn aborts_by_default(self) -> bool {
        match self {
            Self::BeforeStart | Self::AfterStart | Self::BeforeSpawn | Self::AfterSpawn => true,
            Self::BeforeStop | Self::AfterStop | Self::BeforeReap | Self::AfterReap => false,
        }
    }
}

impl fmt::Display for HookPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BeforeStart => "before_start",
            Self::AfterStart => "after_start",
            Self::BeforeSpawn => "before_spawn",
            Self::AfterSpawn => "after_spawn",
            Self::BeforeStop => "before_stop",
            Self::AfterStop => "after_stop",
            Self::BeforeReap => "before_reap",
            Self::AfterReap => "after_reap",
        })
    }
}

/// A hook of the config.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// Program and arguments. It gets a JSON object on stdin.
    pub argv: Vec<String>,
    /// Killed, and failed, after this long. Default 10 s.
    pub timeout: Duration,
    /// What its failure means.
    pub on_failure: HookFailure,
}

/// What the failure of a hook means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HookFailure {
    /// The step it belongs to does not take place or is undone.
    Abort,
    /// It is told as an event, and life goes on.
    Ignore,
}

/// One run of a hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookCall {
    /// Counts the runs of the arbiter's life.
    pub id: u64,
    /// Which hook.
    pub point: HookPoint,
    /// Of which service.
    pub service: ServiceName,
    /// For which worker, if for one.
    pub worker: Option<WorkerId>,
}

/// How a run of a hook ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum HookOutcome {
    /// Exit 0.
    Passed,
    /// Anything else, in words: `exit 3`, `timed out after 10s`, `cannot be run: No such file …`.
    Failed(String),
}
