//! How long requests took, in buckets that are fine where times are short.
//!
//! Eight buckets for each doubling: a quantile read from them is at most an eighth off, from a microsecond to a minute,
//! and to count one more request is an addition.

use std::cell::Cell;
use std::time::Duration;

use remuda_model::gateway::TimeMetrics;

#[cfg(test)]
mod tests;

/// Buckets of one doubling.
const FINE: usize = 8;
/// Doublings: up to 2^26 µs, 67 s; what takes longer is counted there.
const DOUBLINGS: usize = 24;
/// All buckets; the first `FINE` are one microsecond each.
const BUCKETS: usize = FINE * DOUBLINGS;

/// Counts by time.
#[derive(Debug)]
pub struct Histogram {
    counts: Box<[Cell<u64>]>,
    sum_us: Cell<u64>,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![Cell::new(0); BUCKETS].into_boxed_slice(), sum_us: Cell::new(0) }
    }
}

impl Histogram {
    /// Counts one that took `time`.
    pub fn record(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let count = &self.counts[bucket(micros)];
        count.set(count.get() + 1);
        self.sum_us.set(self.sum_us.get().saturating_add(micros));
    }

    /// What was counted so far.
    #[must_use]
    pub fn figures(&self) -> TimeMetrics {
        let filled = self.counts.iter().enumerate().filter(|(_, count)| count.get() > 0);
        let buckets = filled.map(|(index, count)| (bound(index), count.get())).collect();
        TimeMetrics { buckets, sum_us: self.sum_us.get() }
    }
}

fn bucket(micros: u64) -> usize {
    let fine = FINE as u64;
    let index = if micros < fine {
        micros
    } else {
        // The highest bit says which doubling, the three behind it where in it.
        let doubling = u64::from(micros.ilog2()) - 3;
        fine * (doubling + 1) + ((micros >> doubling) - fine)
    };
    usize::try_from(index).unwrap_or(BUCKETS).min(BUCKETS - 1)
}

/// The first microsecond that is not in the bucket any more.
fn bound(index: usize) -> u64 {
    let (index, fine) = (index as u64, FINE as u64);
    if index < fine {
        return index + 1;
    }
    let doubling = index / fine - 1;
    (fine + index % fine + 1) << doubling
}
