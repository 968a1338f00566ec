//! What a gateway's worker has counted, as it tells it: JSON on a Unix socket, read by the arbiter.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::UpstreamMetrics;

/// What the name of a socket ends with on which a worker tells its figures, in the folder of the gateways' own sockets:
/// `SERVICE.WORKER.figures`. It answers each connection and closes it.
pub const FIGURES_ENDING: &str = ".figures";

/// The name of the socket on which a worker of `service` tells its figures.
#[must_use]
pub fn figures_socket(service: &crate::ServiceName, worker: u64) -> String {
    format!("{service}.{worker}{FIGURES_ENDING}")
}

/// Longest answer, bytes: 10,000 routes of some hundred bytes.
pub const FIGURES_BYTES_MAX: usize = 8 << 20;

/// All figures of a gateway, of one worker or of several together.
#[derive(Debug, Clone, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct GatewayMetrics {
    /// Connections that are open.
    pub open: u64,
    /// Connections that were accepted.
    pub accepted: u64,
    /// Bytes that came.
    pub received: u64,
    /// Bytes that went.
    pub sent: u64,
    /// What was refused, cut or put off, by a word for it: `head-late`, `bare-line-feed`, `out-of-descriptors` …
    pub events: BTreeMap<String, u64>,
    /// Requests by route.
    pub routes: Vec<RouteMetrics>,
    /// Where requests are passed on to, by the key of the upstream.
    #[serde(default)]
    pub upstreams: BTreeMap<String, UpstreamMetrics>,
    /// What is realtime, by a path of words: `hub.published`, `streams.clients`, `socketio.NAME.rooms` …; gauges and
    /// counters alike are sums over workers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub realtime: BTreeMap<String, u64>,
    /// Certificates of TLS.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<CertificateMetrics>,
}

/// A certificate, as it is in use.
#[derive(Debug, Clone, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct CertificateMetrics {
    /// Its file.
    pub file: String,
    /// The hosts it names; empty while there is none.
    pub hosts: String,
    /// Until when it holds, Unix seconds; `None` while there is none.
    pub not_after: Option<i64>,
    /// Why what lies in the file now is not in use.
    pub problem: Option<String>,
}

/// Figures of one route.
#[derive(Debug, Clone, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct RouteMetrics {
    /// Its name; the first route is of requests that have none.
    pub name: String,
    /// Answers by class: 1xx, 2xx, 3xx, 4xx, 5xx.
    pub by_class: [u64; 5],
    /// Of these, cut before their end.
    pub cut: u64,
    /// Bytes of bodies that were sent.
    pub sent: u64,
    /// How long they took.
    pub time: TimeMetrics,
}

/// A histogram as it is told: only buckets that have something.
#[derive(Debug, Clone, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct TimeMetrics {
    /// Upper bound of a bucket in microseconds, exclusive, and what is in it; in rising order.
    pub buckets: Vec<(u64, u64)>,
    /// The sum of all times, microseconds.
    pub sum_us: u64,
}

impl GatewayMetrics {
    /// Both together, as of several workers; routes by name.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        self.open += other.open;
        self.accepted += other.accepted;
        self.received += other.received;
        self.sent += other.sent;
        for (word, count) in &other.events {
            *self.events.entry(word.clone()).or_insert(0) += count;
        }
        for route in &other.routes {
            match self.routes.iter_mut().find(|known| known.name == route.name) {
                Some(known) => known.add(route),
                None => self.routes.push(route.clone()),
            }
        }
        for (name, upstream) in &other.upstreams {
            let known = self.upstreams.remove(name).unwrap_or_default();
            self.upstreams.insert(name.clone(), known.plus(upstream));
        }
        for (word, count) in &other.realtime {
            *self.realtime.entry(word.clone()).or_insert(0) += count;
        }
        for certificate in &other.certificates {
            match self.certificates.iter_mut().find(|known| known.file == certificate.file) {
                // The worker that is worst off is the one to know of.
                Some(known) if certificate.not_after < known.not_after => *known = certificate.clone(),
                Some(_) => {}
                None => self.certificates.push(certificate.clone()),
            }
        }
        self
    }
}

impl RouteMetrics {
    fn add(&mut self, other: &Self) {
        for (class, count) in self.by_class.iter_mut().zip(other.by_class) {
            *class += count;
        }
        self.cut += other.cut;
        self.sent += other.sent;
        self.time = self.time.plus(&other.time);
    }
}

impl TimeMetrics {
    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }

    /// The time that `part` of a thousand took at most, microseconds, at most an eighth too high; `None` without any.
    #[must_use]
    pub fn quantile_us(&self, part: u64) -> Option<u64> {
        let mut left = (self.count() * part).div_ceil(1000).max(1);
        for (bound, count) in &self.buckets {
            if *count >= left {
                return Some(*bound);
            }
            left -= count;
        }
        None
    }

    /// How many took less than `bound` microseconds, which is exact where it is a power of two from 8 on.
    #[must_use]
    pub fn below_us(&self, bound: u64) -> u64 {
        self.buckets.iter().filter(|(end, _)| *end <= bound).map(|(_, count)| count).sum()
    }

    /// Both together, as of several workers.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let mut sums = BTreeMap::new();
        for (bound, count) in self.buckets.iter().chain(&other.buckets) {
            *sums.entry(*bound).or_insert(0) += count;
        }
        Self { buckets: sums.into_iter().collect(), sum_us: self.sum_us.saturating_add(other.sum_us) }
    }
}

#[cfg(test)]
mod tests;
