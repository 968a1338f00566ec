//! What happened, told once, to everybody: log, API, CLI and tests read the same record.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ExitStatus, HookPoint, ServiceName, Signal, SocketName, SpawnFailure, WorkerId};

/// An event with its place in the stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// Counts the events of the instance, from 1, without holes.
    pub seq: u64,
    /// Milliseconds since 1970, UTC.
    pub time_ms: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened, and to whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// The service it happened to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub service: Option<ServiceName>,
    /// The slot.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub slot: Option<u32>,
    /// The worker.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub worker: Option<WorkerId>,
    /// Its pid, once it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pid: Option<u32>,
    /// Its generation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub generation: Option<u64>,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

impl Event {
    /// An event of the instance as a whole.
    #[must_use]
    pub fn instance(kind: EventKind) -> Self {
        Self { service: None, slot: None, worker: None, pid: None, generation: None, kind }
    }

    /// An event of a service.
    #[must_use]
    pub fn service(service: ServiceName, kind: EventKind) -> Self {
        Self { service: Some(service), ..Self::instance(kind) }
    }
}

/// The kinds of events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum EventKind {
    /// The arbiter runs.
    InstanceStarted {
        /// Its version.
        version: String,
    },
    /// The arbiter goes on with the workers of one that was killed.
    InstanceResumed {
        /// Its version.
        version: String,
        /// So many workers were taken over.
        workers: u32,
        /// So many had ended meanwhile.
        lost: u32,
        /// Milliseconds during which nobody was there; none when nobody knows.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        alone_ms: Option<u64>,
    },
    /// Another program goes on in the arbiter's process.
    InstanceUpgraded {
        /// The version before.
        from: String,
        /// Its version.
        to: String,
        /// Milliseconds during which nobody answered.
        stall_ms: u64,
    },
    /// An upgrade did not take place; what ran runs on.
    UpgradeFailed {
        /// Why.
        reason: String,
    },
    /// The arbiter stops everything and ends.
    InstanceStopping {
        /// Who asked: `signal TERM`, `request` …
        reason: String,
    },
    /// A socket listens.
    SocketBound {
        /// Its name.
        socket: SocketName,
        /// The real address.
        address: String,
    },
    /// A socket was closed.
    SocketReleased {
        /// Its name.
        socket: SocketName,
    },
    /// A changed config is in force.
    ConfigApplied {
        /// What it changed, a line each.
        changes: Vec<String>,
    },
    /// A changed config was refused; what ran runs on.
    ConfigRefused {
        /// Why.
        reason: String,
    },
    /// Somebody asked for something through the control API or by a signal.
    Requested {
        /// What, in words: `reload web`.
        request: String,
        /// Who: `uid 1000 pid 321`, `signal HUP`.
        by: String,
    },
    /// A service waits for others.
    ServiceWaiting {
        /// For whom.
        after: Vec<ServiceName>,
    },
    /// A service starts its workers.
    ServiceStarting,
    /// All its workers are ready.
    ServiceRunning,
    /// A oneshot service has done its work.
    ServiceDone,
    /// A service stops its workers.
    ServiceStopping,
    /// Its workers are gone.
    ServiceStopped,
    /// It cannot run, and is not retried until asked.
    ServiceFailed {
        /// Why.
        reason: String,
    },
    /// It cannot boot: one slot goes on trying, the others are held.
    CrashLoop {
        /// Failures in a row.
        failures: u32,
    },
    /// It boots again after a crash loop.
    Recovered,
    /// An on-demand service waits for a connection.
    Idle,
    /// A connection came for an on-demand service.
    Demanded,
    /// A scheduled run is due.
    Due,
    /// A scheduled run does not take place because the last one still goes on, or the service is held.
    DueSkipped,
    /// The wanted number of workers changed.
    Scaled {
        /// Before.
        from: u32,
        /// Now.
        to: u32,
        /// Why: `request`, `config`, `backlog 12 for 3 s`, `cpu 85 %` or `idle`.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reason: Option<String>,
    },
    /// Its workers go, and new connections wait in the queues of its sockets.
    ServiceHeld {
        /// At most so many milliseconds.
        for_ms: u64,
    },
    /// It is held no longer and starts its workers.
    ServiceReleased {
        /// Why: `request`, or `time` when its time was over.
        reason: String,
    },
    /// A queue was found full at a look at it: who comes next is kept waiting by the kernel.
    BacklogFull {
        /// The socket.
        socket: SocketName,
        /// Connections that wait to be accepted.
        depth: u32,
        /// At most so many wait.
        limit: u32,
    },
    /// A worker's program runs.
    WorkerSpawned,
    /// A worker could not be set up.
    SpawnFailed {
        /// At what.
        #[serde(flatten)]
        failure: SpawnFailure,
    },
    /// A worker serves.
    WorkerReady {
        /// Milliseconds since its spawn.
        after_ms: u64,
    },
    /// A worker was not ready in time and is killed.
    ReadyTimeout {
        /// Milliseconds it had.
        after_ms: u64,
    },
    /// A worker said what it does.
    WorkerStatus {
        /// In its words.
        status: String,
    },
    /// A worker reloads itself.
    WorkerReloading,
    /// A worker is told to stop.
    WorkerStopping {
        /// How.
        signal: Signal,
        /// Why: `stop`, `reload`, `scale` …
        reason: String,
    },
    /// A worker's tree is killed.
    WorkerKilling {
        /// Why.
        reason: String,
    },
    /// A worker did not ping its watchdog.
    WatchdogMissed {
        /// Milliseconds since its last ping.
        silent_ms: u64,
    },
    /// A worker ended.
    WorkerExited {
        /// How.
        status: ExitStatus,
        /// It had been told to.
        expected: bool,
        /// Milliseconds it lived.
        lived_ms: u64,
        /// Its last lines, when it was not expected to end.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        last_lines: Vec<String>,
    },
    /// A successor follows later.
    Backoff {
        /// In so many milliseconds.
        delay_ms: u64,
        /// Failures of the slot in a row.
        failures: u32,
    },
    /// A worker is replaced because of its age or its count of requests.
    Recycling {
        /// Which.
        reason: String,
    },
    /// Workers are being replaced.
    ReloadStarted {
        /// So many.
        workers: u32,
    },
    /// One more is replaced.
    ReloadProgress {
        /// Replaced so far.
        done: u32,
        /// Of so many.
        total: u32,
    },
    /// All are replaced.
    ReloadDone {
        /// So many.
        workers: u32,
    },
    /// The reload ended early.
    ReloadFailed {
        /// Why.
        reason: String,
        /// Replaced before it ended.
        done: u32,
        /// Of so many.
        total: u32,
        /// Those replaced go back to the spec of before.
        rolled_back: bool,
        /// Last lines of the replacement that failed.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        last_lines: Vec<String>,
    },
    /// A hook failed.
    HookFailed {
        /// Which.
        point: HookPoint,
        /// How.
        reason: String,
    },
    /// Lines of a worker were dropped because nobody took them in time.
    LinesDropped {
        /// Since the last such event.
        lines: u64,
    },
    /// Something did not go as it should and needs a look; what ran runs on.
    Trouble {
        /// What was tried, on what, and why it failed.
        message: String,
    },
}
