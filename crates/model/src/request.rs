//! What somebody asks of the arbiter, and what it answers.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ServiceName, Signal, StopScope, Target};

/// Counts the requests of the arbiter's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(pub u64);

/// What somebody asks. Every request gets exactly one [`Reply`], when it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Services should run. Done when their workers are ready.
    Start(Vec<ServiceName>),
    /// Services should not run. Done when their workers are gone.
    Stop(Vec<ServiceName>),
    /// Stop, then start; sockets stay open. Done when ready again.
    Restart(Vec<Target>),
    /// New workers for old ones, without a gap. Done when the last old one is gone.
    Reload(Vec<Target>),
    /// Another number of workers. Done when they are ready, or gone.
    Scale {
        /// Whose.
        service: ServiceName,
        /// How many.
        to: u32,
    },
    /// The workers of a service finish what they have accepted and go; its sockets stay, and new connections wait in
    /// their queues until it is released, or the time is over. Done when the workers are gone.
    Hold {
        /// Whose.
        service: ServiceName,
        /// At most so long. The limit is 10 minutes.
        lasting: Duration,
    },
    /// A held service starts again. Done when its workers are ready.
    Release(ServiceName),
    /// A signal for workers. Done when sent.
    Signal {
        /// To whom.
        targets: Vec<Target>,
        /// Which.
        signal: Signal,
        /// To which of their processes.
        scope: StopScope,
    },
    /// Stop everything and end. Done when all is gone.
    Shutdown,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum Reply {
    /// It was done.
    Done {
        /// In words, a line each.
        lines: Vec<String>,
    },
    /// It was tried and did not succeed.
    Failed {
        /// Why, and what state that leaves, a line each.
        lines: Vec<String>,
    },
    /// It was not tried.
    Refused(Refusal),
}

/// Why a request was not tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum Refusal {
    /// There is no such service.
    #[error("there is no service {name}{}", suggestion(.nearest))]
    NoSuchService {
        /// As asked.
        name: String,
        /// The known name nearest to it.
        nearest: Option<String>,
    },
    /// There is no such slot.
    #[error("{service} has no slot {slot}; it has {workers} (0 is the first)")]
    NoSuchSlot {
        /// Of which service.
        service: ServiceName,
        /// As asked.
        slot: u32,
        /// Slots there are.
        workers: u32,
    },
    /// The service does not run, and the request needs it to.
    #[error("{service} does not run (it is {phase})")]
    NotRunning {
        /// Which.
        service: ServiceName,
        /// What it is instead.
        phase: String,
    },
    /// A singleton cannot have several workers.
    #[error("{service} is a singleton and has at most one worker")]
    Singleton {
        /// Which.
        service: ServiceName,
    },
    /// What is built in may have a number of workers of its own.
    #[error("the number of workers of {service} is always {workers}")]
    FixedWorkers {
        /// Which.
        service: ServiceName,
        /// So many.
        workers: u32,
    },
    /// The number of workers is above the limit.
    #[error("{asked} workers are more than the limit of {limit}")]
    TooMany {
        /// As asked.
        asked: u32,
        /// At most.
        limit: u32,
    },
    /// The service scales by itself, within bounds.
    #[error("{service} scales between {min} and {max} workers by itself; {asked} is outside")]
    OutOfBounds {
        /// Which.
        service: ServiceName,
        /// As asked.
        asked: u32,
        /// At least so many.
        min: u32,
        /// At most so many.
        max: u32,
    },
    /// There is no queue in which connections could wait.
    #[error("{service} has no socket, so nobody would wait for it")]
    NoSocket {
        /// Which.
        service: ServiceName,
    },
    /// Nobody may be kept waiting for so long.
    #[error("a service is held for at most {} s; {} s are more", .limit_ms / 1000, .asked_ms.div_ceil(1000))]
    HeldTooLong {
        /// As asked, milliseconds.
        asked_ms: u64,
        /// At most, milliseconds.
        limit_ms: u64,
    },
    /// The service is not held, or no longer.
    #[error("{service} is not held (it is {phase})")]
    NotHeld {
        /// Which.
        service: ServiceName,
        /// What it is instead.
        phase: String,
    },
    /// Everything is being stopped.
    #[error("the arbiter is stopping")]
    Stopping,
    /// The asker may not.
    #[error("{who} may not control this instance")]
    NotAllowed {
        /// Who asked.
        who: String,
    },
    /// The request cannot be understood.
    #[error("{reason}")]
    Malformed {
        /// Why.
        reason: String,
    },
    /// The config is refused.
    #[error("{reason}")]
    BadConfig {
        /// The whole report.
        reason: String,
    },
}

fn suggestion(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}
