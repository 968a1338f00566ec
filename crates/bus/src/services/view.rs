//! Pictures of the services, for status and metrics.

use bytes::Bytes;

use super::{PeerId, Services};

/// Counts since the beginning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallCounters {
    /// Calls made.
    pub calls: u64,
    /// Calls answered by a worker, its own failures among them.
    pub answered: u64,
    /// Calls that timed out.
    pub timed_out: u64,
    /// Calls whose worker went.
    pub worker_gone: u64,
    /// Calls refused at once.
    pub refused: u64,
    /// Calls whose caller went before the outcome.
    pub caller_gone: u64,
    /// Answers after the outcome.
    pub late: u64,
    /// Answers to no call of that worker.
    pub unknown: u64,
}

/// A service at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceView {
    /// Its name.
    pub name: Bytes,
    /// Its workers, and how many calls each works on.
    pub workers: Vec<(PeerId, usize)>,
    /// Calls that wait for a worker.
    pub waiting: usize,
}

impl Services {
    /// Counts since the beginning.
    #[must_use]
    pub fn counters(&self) -> CallCounters {
        self.counters
    }

    /// Bytes of the bodies of calls that wait for a worker.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// The services as they are now, by name.
    pub fn view(&self) -> impl Iterator<Item = ServiceView> {
        self.services.iter().map(|(name, service)| ServiceView {
            name: name.clone(),
            workers: service.workers.iter().map(|(worker, seat)| (*worker, seat.outstanding)).collect(),
            waiting: service.waiting.len(),
        })
    }
}
