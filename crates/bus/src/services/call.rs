//! A call, its outcome, and what the shell has to send for it.

use std::time::Duration;

use bytes::Bytes;

use super::PeerId;

/// A call; never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// A call as it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallSpec {
    /// Who calls.
    pub caller: PeerId,
    /// What the worker is told of who calls: its service, for one.
    pub caller_name: Bytes,
    /// What the caller knows the call by.
    pub ticket: u64,
    /// Name of the service.
    pub service: Bytes,
    /// How long the caller waits for the outcome.
    pub timeout: Duration,
    /// Whether it waits for a service nobody has offered yet, instead of failing at once.
    pub waits_for_service: bool,
    /// What is asked.
    pub body: Bytes,
}

/// What the shell has to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceOrder {
    /// A call, to a worker.
    Deliver {
        /// To whom.
        worker: PeerId,
        /// What its answer has to name.
        call: CallId,
        /// The service that is called.
        service: Bytes,
        /// Who calls, as the call says.
        caller_name: Bytes,
        /// What is asked.
        body: Bytes,
    },
    /// The outcome, to a caller.
    Answer {
        /// To whom.
        caller: PeerId,
        /// Its number of the call.
        ticket: u64,
        /// The answer, or why there is none.
        outcome: Result<Bytes, CallFailure>,
    },
}

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallFailure {
    /// Nobody has ever offered the service.
    #[error("no such service")]
    NoSuchService,
    /// As many calls wait as may, or are under way in all services.
    #[error("the service is busy: {0} calls wait")]
    Busy(usize),
    /// The bodies of calls that wait have as many bytes as they may, [`ServicesOptions::waiting_bytes_max`](super::ServicesOptions).
    #[error("the service is busy: {0} bytes of calls wait")]
    NoMemory(usize),
    /// The body is longer than [`ServicesOptions::body_bytes_max`](super::ServicesOptions).
    #[error("the body has {bytes} bytes, more than {bytes_max}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// Its time has passed. The worker may still be working on it.
    #[error("timed out")]
    TimedOut,
    /// The worker went before it answered. It may have done what was asked.
    #[error("worker gone")]
    WorkerGone,
    /// The worker says that it failed, and why.
    #[error("the worker failed: {}", String::from_utf8_lossy(.0))]
    Failed(Bytes),
}

/// What became of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// The caller gets it.
    Delivered,
    /// The caller has had an outcome already, or has gone; it is dropped and counted.
    Late,
    /// The worker has no such call; it is dropped and counted.
    Unknown,
}
