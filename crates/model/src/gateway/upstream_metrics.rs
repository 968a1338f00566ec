//! What a gateway's worker has counted of one upstream.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TimeMetrics;

/// Figures of one upstream, of one worker or of several together.
#[derive(Debug, Clone, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct UpstreamMetrics {
    /// Requests that were to be passed on.
    pub requests: u64,
    /// Requests now without the head of an answer.
    pub unanswered: u64,
    /// Requests that waited more than a second for the head of an answer.
    pub parked: u64,
    /// Attempts made again at another server.
    pub retries: u64,
    /// Attempts made again because an idle connection had been closed.
    pub stale: u64,
    /// Connections that were begun.
    pub connects: u64,
    /// Idle connections found closed, or too old, when they were needed.
    pub closed_idle: u64,
    /// How often a listener's queue was full.
    pub backlog_full: u64,
    /// Requests that waited for a server to be free.
    pub queued: u64,
    /// Requests waiting for that now.
    pub waiting: u64,
    /// How often a server was left alone because requests failed.
    pub ejected: u64,
    /// Heads before an answer's own that were not passed on: 102, 103 and others.
    pub interim_dropped: u64,
    /// Connections that changed their protocol.
    pub tunnels: u64,
    /// Idle connections that are kept.
    pub idle: u64,
    /// Requests in hand, of each server.
    pub in_flight: Vec<u32>,
    /// From the request to the head of its answer.
    pub first_byte: TimeMetrics,
}

impl UpstreamMetrics {
    /// Both together, as of several workers.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        self.requests += other.requests;
        self.unanswered += other.unanswered;
        self.parked += other.parked;
        self.retries += other.retries;
        self.stale += other.stale;
        self.connects += other.connects;
        self.closed_idle += other.closed_idle;
        self.backlog_full += other.backlog_full;
        self.queued += other.queued;
        self.waiting += other.waiting;
        self.ejected += other.ejected;
        self.interim_dropped += other.interim_dropped;
        self.tunnels += other.tunnels;
        self.idle += other.idle;
        self.in_flight.resize(self.in_flight.len().max(other.in_flight.len()), 0);
        for (count, more) in self.in_flight.iter_mut().zip(&other.in_flight) {
            *count += more;
        }
        self.first_byte = self.first_byte.plus(&other.first_byte);
        self
    }
}
