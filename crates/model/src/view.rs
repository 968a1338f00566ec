//! Pictures of the present, read-only: what `status` shows. Also the answer bodies of the control API, version 1.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Mode, Scaling, ServiceName, SocketKind, SocketName, WorkerId, WorkerPhase};

/// The whole instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Instance {
    /// Its name.
    pub name: String,
    /// Version of the running arbiter.
    pub version: String,
    /// Pid of the arbiter.
    pub pid: u32,
    /// Milliseconds since it started.
    pub uptime_ms: u64,
    /// The config file in force.
    pub config: String,
    /// How trees of workers are tracked and killed: `cgroup v2 at …`, or `process tree (why no cgroup)`.
    pub tracking: String,
    /// The arbiter's own resident memory, bytes.
    pub memory_bytes: u64,
    /// Everything is being stopped.
    pub stopping: bool,
    /// Limits that have been hit: log lines dropped, events dropped …, with counts.
    pub limits_hit: Vec<LimitHit>,
    /// Where the hub is, if there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hub: Option<Hub>,
    /// The folder where gateways tell their figures, if there are any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gateways: Option<String>,
    /// Sockets, by name.
    pub sockets: Vec<Socket>,
    /// Services, by name.
    pub services: Vec<Service>,
}

/// Where the hub is: addresses as clients write them, without names and tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hub {
    /// The bus: `ipc:///run/remuda/shop/bus.sock`, `tcp://127.0.0.1:40001`.
    pub bus: Vec<String>,
    /// The bus, as a PUB socket.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bus_pub: Option<String>,
    /// The bus, as a PULL socket.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bus_pull: Option<String>,
    /// The store: `unix:///run/remuda/shop/store.sock`, `redis://127.0.0.1:40002`.
    pub store: Vec<String>,
    /// Where other servers reach it: `10.0.0.1:7946`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub herd: Vec<String>,
}

impl Hub {
    /// The path of a Unix socket where the store answers, if there is one.
    #[must_use]
    pub fn store_path(&self) -> Option<&Path> {
        self.store.iter().find_map(|endpoint| endpoint.strip_prefix("unix://")).map(Path::new)
    }
}

/// A limit and how often it was hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LimitHit {
    /// Which: `log lines dropped (web)`.
    pub limit: String,
    /// How often.
    pub count: u64,
}

/// A socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Socket {
    /// Its name.
    pub name: SocketName,
    /// Its real address: the port is never 0.
    pub address: String,
    /// What flows through it.
    pub kind: SocketKind,
    /// Shared or per worker.
    pub mode: Mode,
    /// Its listeners: one, or one for each slot.
    pub listeners: Vec<Listener>,
    /// The services whose workers inherit it.
    pub services: Vec<ServiceName>,
    /// How often somebody has removed its file and it was put back, since the present process is the arbiter.
    /// `None` where it has no file of ours: of another family, abstract, or bound by others.
    #[serde(default)]
    pub file_put_back: Option<u64>,
}

/// One listener of a socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listener {
    /// The slot it belongs to, in per-worker mode.
    pub slot: Option<u32>,
    /// Connections that wait to be accepted.
    pub queue: Option<u32>,
    /// At most so many wait.
    pub queue_limit: Option<u32>,
}

/// What a service is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ServicePhase {
    /// Nobody wants it to run.
    Stopped,
    /// It waits for the services it comes after.
    Waiting,
    /// Some of its workers are not ready yet.
    Starting,
    /// All its workers are ready.
    Running,
    /// Some workers are missing and on their way back.
    Degraded,
    /// Its workers are being replaced.
    Reloading,
    /// Its workers are being stopped.
    Stopping,
    /// It cannot boot; one slot goes on trying.
    CrashLoop,
    /// It cannot run and is not retried.
    Failed,
    /// It starts with the next connection.
    Idle,
    /// It runs when its time comes.
    Scheduled,
    /// Its work is done.
    Done,
    /// Its workers are gone for a while, and new connections wait in the queues of its sockets.
    Held,
}

impl std::fmt::Display for ServicePhase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Stopped => "stopped",
            Self::Waiting => "waiting",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Degraded => "degraded",
            Self::Reloading => "reloading",
            Self::Stopping => "stopping",
            Self::CrashLoop => "crash-loop",
            Self::Failed => "failed",
            Self::Idle => "idle",
            Self::Scheduled => "scheduled",
            Self::Done => "done",
            Self::Held => "held",
        })
    }
}

/// A service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Service {
    /// Its name.
    pub name: ServiceName,
    /// What it is at.
    pub phase: ServicePhase,
    /// Somebody (the config or an operator) wants it to run.
    pub wanted: bool,
    /// Wanted number of workers.
    pub workers_wanted: u32,
    /// Workers that are ready.
    pub workers_ready: u32,
    /// Counts its reloads.
    pub generation: u64,
    /// Unwanted ends of workers since the arbiter started.
    pub failures_total: u64,
    /// Workers that were started since the arbiter started.
    #[serde(default)]
    pub starts_total: u64,
    /// Why it waits, failed or loops, in words.
    pub reason: Option<String>,
    /// Replaced so far and in all, while reloading.
    pub reload: Option<Progress>,
    /// The bounds within which the number of workers follows the load.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scaling: Option<Scaling>,
    /// Milliseconds until it starts again, when it is held.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub held_for_ms: Option<u64>,
    /// Milliseconds since 1970 of the next scheduled run.
    pub next_run_ms: Option<u64>,
    /// Its workers, by slot, the newest of a slot last.
    pub workers: Vec<Worker>,
    /// Slots that wait to be tried again.
    pub backoffs: Vec<Pause>,
}

/// How far a reload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// Replaced.
    pub done: u32,
    /// In all.
    pub total: u32,
}

/// A slot that waits to be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pause {
    /// Which.
    pub slot: u32,
    /// In so many milliseconds; absent when it is held.
    pub retry_in_ms: Option<u64>,
    /// Failures in a row.
    pub failures: u32,
}

/// A worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Worker {
    /// Its id.
    pub id: WorkerId,
    /// Its slot.
    pub slot: u32,
    /// Its pid, once it has one.
    pub pid: Option<u32>,
    /// Its generation.
    pub generation: u64,
    /// Where it is in its life.
    pub phase: WorkerPhase,
    /// Milliseconds it lives.
    pub age_ms: u64,
    /// What it says of itself.
    pub status: Option<String>,
    /// Requests it has reported.
    pub requests: Option<u64>,
    /// Resident memory, bytes.
    pub memory_bytes: Option<u64>,
    /// Processor time used, milliseconds.
    pub cpu_ms: Option<u64>,
}
