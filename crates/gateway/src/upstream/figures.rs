//! What an upstream has counted.

use std::cell::Cell;
use std::time::{Duration, Instant};

use remuda_model::gateway::UpstreamMetrics;

use crate::server::Histogram;

/// A request that waited for a connection and the head of its answer for longer than this was parked: its service was
/// just being replaced, or had more than it could do.
const PARKED_AFTER: Duration = Duration::from_secs(1);
/// Warnings a second of one upstream; further ones are counted elsewhere and not written.
const WARNINGS_MAX: u32 = 10;

/// Counters of one upstream.
#[derive(Debug, Default)]
pub(super) struct Counters {
    requests: Cell<u64>,
    unanswered: Cell<u64>,
    parked: Cell<u64>,
    retries: Cell<u64>,
    stale: Cell<u64>,
    connects: Cell<u64>,
    closed_idle: Cell<u64>,
    backlog_full: Cell<u64>,
    queued: Cell<u64>,
    ejected: Cell<u64>,
    interim_dropped: Cell<u64>,
    tunnels: Cell<u64>,
    first_byte: Histogram,
    warned: Cell<Option<(Instant, u32)>>,
}

fn add(cell: &Cell<u64>) {
    cell.set(cell.get().saturating_add(1));
}

/// One request without the head of an answer.
#[derive(Debug)]
pub(super) struct Unanswered<'a> {
    counters: &'a Counters,
    since: Instant,
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        let waited = self.since.elapsed();
        self.counters.unanswered.set(self.counters.unanswered.get().saturating_sub(1));
        if waited > PARKED_AFTER {
            add(&self.counters.parked);
        }
        self.counters.first_byte.record(waited);
    }
}

impl Counters {
    /// A request begins to wait for its answer.
    pub(super) fn begin(&self) -> Unanswered<'_> {
        add(&self.requests);
        add(&self.unanswered);
        Unanswered { counters: self, since: Instant::now() }
    }

    pub(super) fn retried(&self) {
        add(&self.retries);
    }

    pub(super) fn was_stale(&self) {
        add(&self.stale);
    }

    pub(super) fn connected(&self) {
        add(&self.connects);
    }

    pub(super) fn closed_idle(&self) {
        add(&self.closed_idle);
    }

    pub(super) fn backlog_full(&self) {
        add(&self.backlog_full);
    }

    pub(super) fn queued(&self) {
        add(&self.queued);
    }

    pub(super) fn ejected(&self) {
        add(&self.ejected);
    }

    pub(super) fn interim_dropped(&self) {
        add(&self.interim_dropped);
    }

    pub(super) fn tunnel(&self) {
        add(&self.tunnels);
    }

    /// Writes a warning, unless there were many just now.
    pub(super) fn warn(&self, write: impl FnOnce()) {
        let now = Instant::now();
        let (since, count) = match self.warned.get() {
            Some((since, count)) if now.duration_since(since) < Duration::from_secs(1) => (since, count),
            _ => (now, 0),
        };
        self.warned.set(Some((since, count.saturating_add(1))));
        if count < WARNINGS_MAX {
            write();
        }
    }

    pub(super) fn tell(&self, waiting: usize, idle: usize, in_flight: Vec<u32>) -> UpstreamMetrics {
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        UpstreamMetrics {
            requests: self.requests.get(),
            unanswered: self.unanswered.get(),
            parked: self.parked.get(),
            retries: self.retries.get(),
            stale: self.stale.get(),
            connects: self.connects.get(),
            closed_idle: self.closed_idle.get(),
            backlog_full: self.backlog_full.get(),
            queued: self.queued.get(),
            waiting: number(waiting),
            ejected: self.ejected.get(),
            interim_dropped: self.interim_dropped.get(),
            tunnels: self.tunnels.get(),
            idle: number(idle),
            in_flight,
            first_byte: self.first_byte.figures(),
        }
    }
}
