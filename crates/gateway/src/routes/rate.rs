//! How often somebody may ask: GCRA (the generic cell rate algorithm of ATM, ITU-T I.371), for each key.
//!
//! For each key one time is kept: when its next request would be due if it kept the rate. A request may be early by the
//! burst. What is due in the past says nothing, so such keys are forgotten first; when all are recent the one that is
//! least ahead goes, which costs it nothing but what it had used up.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::time::Duration;

use remuda_model::gateway::Rate;

/// Longest key that is kept, bytes; of longer ones the first so many.
const KEY_BYTES_MAX: usize = 128;

/// Who asked how often.
#[derive(Debug)]
pub struct RateLimiter {
    interval: Duration,
    /// How early a request may be.
    tolerance: Duration,
    room: usize,
    due: HashMap<Rc<[u8]>, Duration>,
    by_time: BTreeSet<(Duration, Rc<[u8]>)>,
    forgotten: u64,
}

/// A request that comes too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttled {
    /// After so long the next one may come.
    pub retry_after: Duration,
}

impl RateLimiter {
    /// For `rate`, with `burst` requests at once, and `room` for so many keys.
    #[must_use]
    pub fn new(rate: Rate, burst: u32, room: u32) -> Self {
        let interval = rate.interval();
        Self {
            interval,
            tolerance: interval.saturating_mul(burst.max(1) - 1),
            room: usize::try_from(room).unwrap_or(usize::MAX).max(1),
            due: HashMap::new(),
            by_time: BTreeSet::new(),
            forgotten: 0,
        }
    }

    /// Counts a request of `key` at `now`, a time since some begin.
    ///
    /// # Errors
    /// It comes too early, and is not counted.
    pub fn ask(&mut self, key: &[u8], now: Duration) -> Result<(), Throttled> {
        let key = key.get(..KEY_BYTES_MAX).unwrap_or(key);
        let known = self.due.get_key_value(key).map(|(key, due)| (Rc::clone(key), *due));
        let due = known.as_ref().map_or(now, |(_, due)| (*due).max(now));
        let early = due.saturating_sub(now);
        if let Some(over) = early.checked_sub(self.tolerance).filter(|over| !over.is_zero()) {
            return Err(Throttled { retry_after: over });
        }
        let next = due.saturating_add(self.interval);
        let name = match known {
            Some((name, before)) => {
                self.by_time.remove(&(before, Rc::clone(&name)));
                name
            }
            None => {
                self.make_room(now);
                Rc::from(key)
            }
        };
        self.due.insert(Rc::clone(&name), next);
        self.by_time.insert((next, name));
        Ok(())
    }

    /// Keys that are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.due.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.due.is_empty()
    }

    /// Keys that were forgotten while they were still ahead, because there was no room.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    fn make_room(&mut self, now: Duration) {
        // A few at a time, so that no request pays for all.
        for _ in 0..2 {
            match self.by_time.first() {
                Some((due, _)) if *due <= now => self.drop_first(),
                _ => break,
            }
        }
        if self.due.len() >= self.room {
            self.drop_first();
            self.forgotten += 1;
        }
    }

    fn drop_first(&mut self) {
        if let Some((_, name)) = self.by_time.pop_first() {
            self.due.remove(&name);
        }
    }
}
