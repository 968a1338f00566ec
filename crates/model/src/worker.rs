//! One running process, as the arbiter and its shell speak of it.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Signal;

/// Counts the workers of the arbiter's life; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct WorkerId(pub u64);

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Where a worker is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WorkerPhase {
    /// Its `before_spawn` hook runs; there is no process yet.
    Preparing,
    /// The trampoline sets it up.
    Spawning,
    /// Its program runs and is not ready yet.
    Starting,
    /// It serves.
    Ready,
    /// Its slot goes: it serves what waits for it and gets nothing new.
    Draining,
    /// It was told to stop and has time to.
    Stopping,
    /// Its whole tree is being killed.
    Killing,
    /// It has ended; its `before_reap` hook runs.
    Ended,
}

impl fmt::Display for WorkerPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Preparing => "preparing",
            Self::Spawning => "spawning",
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Draining => "draining",
            Self::Stopping => "stopping",
            Self::Killing => "killing",
            Self::Ended => "ended",
        })
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExitStatus {
    /// It exited with this code.
    Code(i32),
    /// A signal ended it.
    Signal {
        /// Which.
        signal: Signal,
        /// It left a core dump.
        core: bool,
    },
    /// It was no child of ours and the kernel does not tell.
    Unknown,
}

impl ExitStatus {
    /// What a shell would say: the code, or 128 plus the signal's number; 255 when unknown.
    #[must_use]
    pub fn shell_code(self) -> i32 {
        match self {
            Self::Code(code) => code,
            Self::Signal { signal, .. } => 128 + signal.number(),
            Self::Unknown => 255,
        }
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit {code}"),
            Self::Signal { signal, core: false } => write!(f, "killed by {signal}"),
            Self::Signal { signal, core: true } => write!(f, "killed by {signal} (core dumped)"),
            Self::Unknown => f.write_str("exit status unknown"),
        }
    }
}

/// Why a worker could not be spawned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SpawnFailure {
    /// The stage of its set-up that failed: `program`, `user`, `directory` …
    pub stage: String,
    /// The kernel's error number, 0 if there is none.
    pub errno: i32,
    /// What was tried, on what, and the error in words.
    pub detail: String,
    /// Trying again cannot help until somebody changes something.
    pub permanent: bool,
}

impl fmt::Display for SpawnFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.stage, self.detail)
    }
}

/// What a worker tells of itself (sd_notify and einhorn), as far as it concerns the arbiter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotifyMessage {
    /// `READY=1`, or an einhorn ack.
    Ready,
    /// `RELOADING=1`.
    Reloading,
    /// `STOPPING=1`.
    Stopping,
    /// `STATUS=text`.
    Status(String),
    /// `WATCHDOG=1`.
    WatchdogPing,
    /// `WATCHDOG=trigger`: it declares itself broken.
    WatchdogTrigger,
    /// `WATCHDOG_USEC=n`: a new interval.
    WatchdogInterval(Duration),
    /// `EXTEND_TIMEOUT_USEC=n`: the step it is in may take this much longer, from now.
    ExtendTimeout(Duration),
    /// `RESTART_RESET=1`: forget past failures.
    RestartReset,
    /// `X_REMUDA_REQUESTS=n`: requests served so far.
    Requests(u64),
}
