//! What the machine knows of one worker.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use remuda_model::{Event, EventKind, ServiceName, ServiceSpec, SpawnFailure, Tick, WorkerId, WorkerPhase};
use serde::{Deserialize, Serialize};

/// One worker. In a snapshot its spec is a number, for many workers have the same.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Worker<Spec = Arc<ServiceSpec>> {
    pub(crate) id: WorkerId,
    pub(crate) service: ServiceName,
    pub(crate) slot: u32,
    pub(crate) generation: u64,
    /// What it was started with, which may no longer be what its service has.
    pub(crate) spec: Spec,
    pub(crate) phase: WorkerPhase,
    pub(crate) role: Role,
    pub(crate) pid: Option<u32>,
    pub(crate) since: Tick,
    pub(crate) ready_at: Option<Tick>,
    pub(crate) proven: bool,
    pub(crate) healthy: bool,
    /// Why it is being ended, once it is.
    pub(crate) doom: Option<Doom>,
    /// Why its process could not be set up.
    pub(crate) failure: Option<SpawnFailure>,
    pub(crate) status: Option<String>,
    pub(crate) requests: Option<u64>,
    /// Reported requests at which it is recycled, jitter included.
    pub(crate) requests_max: Option<u64>,
    /// It is not recycled before.
    pub(crate) keep_until: Tick,
    pub(crate) watchdog: Option<Duration>,
    pub(crate) pinged: Tick,
}

/// Where a worker stands to its slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Role {
    /// It sits in the slot.
    Seat,
    /// It is to take the seat when it is ready.
    Candidate,
    /// It had the seat.
    Retiring,
}

/// Why a worker is being ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Doom {
    /// Somebody wants it so.
    Asked(Why),
    /// It failed: these are the words for it.
    Failed(String),
}

/// For what somebody wants a worker ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Why {
    Stop,
    Restart,
    Reload,
    ReloadFailed,
    Scale,
    Recycle,
    Idle,
    Hold,
    Overlap,
    Removed,
    Shutdown,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Reload => "reload",
            Self::ReloadFailed => "reload failed",
            Self::Scale => "scale",
            Self::Recycle => "recycle",
            Self::Idle => "idle",
            Self::Hold => "hold",
            Self::Overlap => "replaced by the next run",
            Self::Removed => "removed from the config",
            Self::Shutdown => "shutdown",
        })
    }
}

impl fmt::Display for Doom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked(why) => why.fmt(f),
            Self::Failed(how) => f.write_str(how),
        }
    }
}

impl<Spec> Worker<Spec> {
    /// The same worker, its spec told in another way.
    pub(crate) fn with_spec<Other>(self, change: impl FnOnce(Spec) -> Other) -> Worker<Other> {
        let Self { id, service, slot, generation, spec, phase, role, pid, since, ready_at, .. } = self;
        let Self { proven, healthy, doom, failure, status, requests, requests_max, .. } = self;
        let Self { keep_until, watchdog, pinged, .. } = self;
        let spec = change(spec);
        Worker {
            id,
            service,
            slot,
            generation,
            spec,
            phase,
            role,
            pid,
            since,
            ready_at,
            proven,
            healthy,
            doom,
            failure,
            status,
            requests,
            requests_max,
            keep_until,
            watchdog,
            pinged,
        }
    }
}

impl Worker {
    /// An event that befalls it.
    pub(crate) fn event(&self, kind: EventKind) -> Event {
        Event {
            service: Some(self.service.clone()),
            slot: Some(self.slot),
            worker: Some(self.id),
            pid: self.pid,
            generation: Some(self.generation),
            kind,
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.phase == WorkerPhase::Ready
    }

    /// It has neither ended nor is it being ended.
    pub(crate) fn is_staying(&self) -> bool {
        match self.phase {
            WorkerPhase::Preparing | WorkerPhase::Spawning | WorkerPhase::Starting | WorkerPhase::Ready => {
                true
            }
            WorkerPhase::Draining | WorkerPhase::Stopping | WorkerPhase::Killing | WorkerPhase::Ended => {
                false
            }
        }
    }

    /// Its own program runs, and not only what sets it up: that dies of signals meant for the program.
    pub(crate) fn takes_signals(&self) -> bool {
        match self.phase {
            WorkerPhase::Starting | WorkerPhase::Ready | WorkerPhase::Draining | WorkerPhase::Stopping => {
                true
            }
            WorkerPhase::Preparing | WorkerPhase::Spawning | WorkerPhase::Killing | WorkerPhase::Ended => {
                false
            }
        }
    }

    pub(crate) fn was_asked_to_end(&self) -> bool {
        matches!(self.doom, Some(Doom::Asked(_)))
    }
}
