//! The stream of events: numbered, kept in a bounded ring, read by pulling.
//!
//! A reader holds a place in the stream, not a queue: one that is slow or away finds the ring moved on and is told
//! how many it missed. So no reader can hold up the loop or grow its memory.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use remuda_model::{Event, Record};
use tokio::sync::watch;

/// The events of an instance. Clones share it.
#[derive(Debug, Clone)]
pub struct EventLog {
    ring: Arc<Mutex<Ring>>,
    newest: watch::Sender<u64>,
}

#[derive(Debug)]
struct Ring {
    records: VecDeque<Record>,
    capacity: usize,
    next_seq: u64,
}

/// What a reader finds next.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// The next event.
    Record(Record),
    /// So many events left the ring before they were read.
    Missed(u64),
}

impl EventLog {
    /// An empty stream that keeps the last `capacity` events, and whose first event gets the number `first_seq`.
    #[must_use]
    pub fn new(capacity: u32, first_seq: u64) -> Self {
        let capacity = usize::try_from(capacity).unwrap_or(usize::MAX).max(1);
        let ring = Ring { records: VecDeque::new(), capacity, next_seq: first_seq };
        Self { ring: Arc::new(Mutex::new(ring)), newest: watch::Sender::new(first_seq.saturating_sub(1)) }
    }

    /// A stream that goes on after `records`; the next event gets the number `next_seq`.
    #[must_use]
    pub(crate) fn resume(capacity: u32, records: Vec<Record>, next_seq: u64) -> Self {
        let log = Self::new(capacity, next_seq);
        {
            let mut ring = log.lock();
            let surplus = records.len().saturating_sub(ring.capacity);
            // A reader counts on every number between the oldest and the newest.
            if records.last().is_some_and(|last| last.seq + 1 == next_seq) {
                ring.records = records.into_iter().skip(surplus).collect();
            }
        }
        log
    }

    /// Every event that is kept.
    pub(crate) fn kept(&self) -> Vec<Record> {
        self.lock().records.iter().cloned().collect()
    }

    /// Appends an event that happened at `time_ms` (milliseconds since 1970).
    pub fn push(&self, time_ms: u64, event: Event) -> u64 {
        let seq = {
            let mut ring = self.lock();
            let seq = ring.next_seq;
            ring.next_seq += 1;
            if ring.records.len() == ring.capacity {
                ring.records.pop_front();
            }
            ring.records.push_back(Record { seq, time_ms, event });
            seq
        };
        self.newest.send_replace(seq);
        seq
    }

    /// Number of the newest event; one less than the first number while there is none.
    #[must_use]
    pub fn newest(&self) -> u64 {
        self.lock().next_seq - 1
    }

    /// A reader that begins after the event numbered `after`; `None` begins with what happens from now on.
    #[must_use]
    pub fn read(&self, after: Option<u64>) -> EventReader {
        let newest = self.newest();
        let after = after.unwrap_or(newest).min(newest);
        EventReader { log: self.clone(), changed: self.newest.subscribe(), after }
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the stream.
#[derive(Debug)]
pub struct EventReader {
    log: EventLog,
    changed: watch::Receiver<u64>,
    after: u64,
}

impl EventReader {
    /// What comes next, if it is there already.
    pub fn try_next(&mut self) -> Option<Next> {
        let ring = self.log.lock();
        let oldest = ring.records.front()?.seq;
        if self.after + 1 < oldest {
            let missed = oldest - self.after - 1;
            self.after = oldest - 1;
            return Some(Next::Missed(missed));
        }
        let index = usize::try_from(self.after + 1 - oldest).ok()?;
        let record = ring.records.get(index)?.clone();
        self.after = record.seq;
        Some(Next::Record(record))
    }

    /// What comes next; waits for it, as long as it takes.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Next {
        loop {
            self.changed.borrow_and_update();
            if let Some(next) = self.try_next() {
                return next;
            }
            // The sender lives in `self.log`, so the channel cannot close.
            let _ = self.changed.changed().await;
        }
    }
}

#[cfg(test)]
mod tests;
