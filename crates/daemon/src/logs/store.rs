//! The lines kept in memory: a ring for each service, bounded in bytes.
//!
//! Like the event stream it is read by pulling: a reader holds a place, and learns how many lines it missed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use remuda_model::ServiceName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// Which of a worker's outputs a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Descriptor 1.
    Stdout,
    /// Descriptor 2.
    Stderr,
}

impl std::fmt::Display for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        })
    }
}

/// One line of a worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogLine {
    /// Counts the lines of the instance, from 1.
    pub seq: u64,
    /// Milliseconds since 1970 when its end was read.
    pub time_ms: u64,
    /// The service.
    pub service: ServiceName,
    /// The slot.
    pub slot: u32,
    /// The worker's pid.
    pub pid: u32,
    /// The output.
    pub stream: Stream,
    /// The text without its line end; bytes that are no UTF-8 are replaced.
    pub text: String,
    /// The line was longer than the limit, or its writer ended without a line end.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub partial: bool,
}

/// Which lines a reader wants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogQuery {
    /// Of these services; of all when empty.
    pub services: Vec<ServiceName>,
    /// Of this slot.
    pub slot: Option<u32>,
    /// Of this output.
    pub stream: Option<Stream>,
    /// Not older than this, milliseconds since 1970.
    pub since_ms: Option<u64>,
    /// Only lines after this number.
    pub after: Option<u64>,
    /// Of the lines kept so far, only the last so many.
    pub last: Option<usize>,
}

impl LogQuery {
    fn wants(&self, line: &LogLine) -> bool {
        (self.services.is_empty() || self.services.contains(&line.service))
            && self.slot.is_none_or(|slot| slot == line.slot)
            && self.stream.is_none_or(|stream| stream == line.stream)
            && self.since_ms.is_none_or(|since| line.time_ms >= since)
    }
}

/// What a reader finds next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogNext {
    /// The next line.
    Line(Arc<LogLine>),
    /// So many lines of this service left the ring before they were read; after a resumption, at most so many.
    Missed {
        /// Whose.
        service: ServiceName,
        /// How many.
        lines: u64,
    },
}

/// The lines kept in memory. Clones share it.
#[derive(Debug, Clone)]
pub struct LogStore {
    shared: Arc<Mutex<Shared>>,
    newest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Shared {
    next_seq: u64,
    services: BTreeMap<ServiceName, Ring>,
}

#[derive(Debug, Default)]
struct Ring {
    lines: VecDeque<Arc<LogLine>>,
    bytes: u64,
    limit: u64,
    pushed: u64,
    evicted: u64,
    last_evicted: u64,
}

/// What a line costs besides its text.
const LINE_OVERHEAD_BYTES: u64 = 128;

fn cost(line: &LogLine) -> u64 {
    line.text.len() as u64 + LINE_OVERHEAD_BYTES
}

impl Ring {
    fn push(&mut self, line: Arc<LogLine>) {
        self.bytes += cost(&line);
        self.lines.push_back(line);
        self.pushed += 1;
        while self.bytes > self.limit && self.lines.len() > 1 {
            let Some(oldest) = self.lines.pop_front() else { break };
            self.bytes -= cost(&oldest);
            self.evicted += 1;
            self.last_evicted = oldest.seq;
        }
    }
}

impl LogStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        let shared = Shared { next_seq: 1, services: BTreeMap::new() };
        Self { shared: Arc::new(Mutex::new(shared)), newest: watch::Sender::new(0) }
    }

    /// Makes room of `limit` bytes for the lines of `service`.
    pub fn open(&self, service: &ServiceName, limit: u64) {
        self.lock().services.entry(service.clone()).or_default().limit = limit;
    }

    /// Lets go the lines of a service that is gone.
    pub fn close(&self, service: &ServiceName) {
        self.lock().services.remove(service);
    }

    /// Appends lines; their numbers are given here. Returns them as kept.
    pub fn push(&self, lines: impl IntoIterator<Item = LogLine>) -> Vec<Arc<LogLine>> {
        let mut kept = Vec::new();
        {
            let mut shared = self.lock();
            for mut line in lines {
                line.seq = shared.next_seq;
                shared.next_seq += 1;
                let line = Arc::new(line);
                shared.services.entry(line.service.clone()).or_default().push(Arc::clone(&line));
                kept.push(line);
            }
        }
        if let Some(last) = kept.last() {
            self.newest.send_replace(last.seq);
        }
        kept
    }

    /// Number of the newest line; 0 while there is none.
    #[must_use]
    pub fn newest(&self) -> u64 {
        self.lock().next_seq - 1
    }

    /// Every line that is kept, oldest first.
    #[must_use]
    pub(crate) fn kept(&self) -> Vec<Arc<LogLine>> {
        let shared = self.lock();
        let mut lines: Vec<_> =
            shared.services.values().flat_map(|ring| ring.lines.iter().cloned()).collect();
        lines.sort_unstable_by_key(|line| line.seq);
        lines
    }

    /// Takes in the lines of a former store; its numbers go on. Nothing was pushed yet.
    pub(crate) fn resume(&self, lines: Vec<Arc<LogLine>>) {
        let mut shared = self.lock();
        for line in lines {
            shared.next_seq = line.seq + 1;
            shared.services.entry(line.service.clone()).or_default().push(line);
        }
        let newest = shared.next_seq - 1;
        drop(shared);
        self.newest.send_replace(newest);
    }

    /// The last `count` lines a worker wrote, oldest first.
    #[must_use]
    pub fn tail(&self, service: &ServiceName, pid: u32, count: usize) -> Vec<String> {
        let shared = self.lock();
        let Some(ring) = shared.services.get(service) else { return Vec::new() };
        let of_worker = ring.lines.iter().rev().filter(|line| line.pid == pid);
        let mut texts: Vec<String> = of_worker.take(count).map(|line| line.text.clone()).collect();
        texts.reverse();
        texts
    }

    /// A reader of the lines that `query` wants.
    #[must_use]
    pub fn read(&self, query: LogQuery) -> LogReader {
        let shared = self.lock();
        let mut places: BTreeMap<ServiceName, u64> = BTreeMap::new();
        let mut after = query.after.unwrap_or(0);
        if let Some(last) = query.last {
            let mut wanted: Vec<u64> = shared
                .services
                .values()
                .flat_map(|ring| ring.lines.iter().rev().filter(|line| query.wants(line)).take(last))
                .map(|line| line.seq)
                .collect();
            wanted.sort_unstable();
            let first = wanted.len().checked_sub(last).and_then(|index| wanted.get(index)).or(wanted.first());
            after = after.max(first.map_or(shared.next_seq - 1, |seq| seq - 1));
        }
        for (service, ring) in &shared.services {
            let oldest = ring.lines.front().map_or(shared.next_seq, |line| line.seq);
            let skipped = ring.lines.partition_point(|line| line.seq <= after);
            // Of those that left the ring only the last one's number is known: what a resuming reader missed is
            // told as an upper bound.
            let missed =
                query.after.map_or(0, |after| ring.last_evicted.saturating_sub(after).min(ring.evicted));
            let place = if after < oldest { ring.evicted - missed } else { ring.evicted + skipped as u64 };
            places.insert(service.clone(), place);
        }
        drop(shared);
        LogReader {
            store: self.clone(),
            changed: self.newest.subscribe(),
            query,
            places,
            batch: VecDeque::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for LogStore {
    fn default() -> Self {
        Self::new()
    }
}

/// A place in the lines of several services.
#[derive(Debug)]
pub struct LogReader {
    store: LogStore,
    changed: watch::Receiver<u64>,
    query: LogQuery,
    /// For each service, how many of its lines were passed.
    places: BTreeMap<ServiceName, u64>,
    batch: VecDeque<LogNext>,
}

/// Lines taken out under one lock.
const BATCH_LINES: usize = 512;

impl LogReader {
    /// What comes next, if it is there already.
    pub fn try_next(&mut self) -> Option<LogNext> {
        // A whole batch may be lines that the query does not want.
        while self.batch.is_empty() && self.fill() {}
        self.batch.pop_front()
    }

    /// What comes next; waits for it, as long as it takes.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> LogNext {
        loop {
            self.changed.borrow_and_update();
            if let Some(next) = self.try_next() {
                return next;
            }
            // The sender lives in `self.store`, so the channel cannot close.
            let _ = self.changed.changed().await;
        }
    }

    /// Takes the next lines; `false` when there were none, wanted or not.
    fn fill(&mut self) -> bool {
        let mut found: Vec<Arc<LogLine>> = Vec::new();
        // A batch may end at a different line in each service; what lies beyond the least of those ends waits, so
        // that lines come out in the order of their numbers.
        let mut horizon = u64::MAX;
        let shared = self.store.shared.lock().unwrap_or_else(PoisonError::into_inner);
        for (service, ring) in &shared.services {
            if !self.query.services.is_empty() && !self.query.services.contains(service) {
                continue;
            }
            let place = self.places.entry(service.clone()).or_insert(0);
            if *place < ring.evicted {
                let lines = ring.evicted - *place;
                *place = ring.evicted;
                self.batch.push_back(LogNext::Missed { service: service.clone(), lines });
            }
            let skip = usize::try_from(*place - ring.evicted).unwrap_or(usize::MAX);
            found.extend(ring.lines.iter().skip(skip).take(BATCH_LINES).cloned());
            if let Some(beyond) = ring.lines.get(skip.saturating_add(BATCH_LINES)) {
                horizon = horizon.min(beyond.seq);
            }
        }
        drop(shared);
        found.retain(|line| line.seq < horizon);
        found.sort_unstable_by_key(|line| line.seq);
        let progress = !found.is_empty();
        for line in found {
            if let Some(place) = self.places.get_mut(&line.service) {
                *place += 1;
            }
            if self.query.wants(&line) {
                self.batch.push_back(LogNext::Line(line));
            }
        }
        progress
    }
}

#[cfg(test)]
mod tests;
