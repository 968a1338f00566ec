//! What the last measurements say about the number of workers.

use std::collections::VecDeque;
use std::time::Duration;

use remuda_model::{Load, Tick};
use serde::{Deserialize, Serialize};

use crate::exit::millis;

/// So many of the last measurements are looked at.
const WINDOW: usize = 5;
/// In so many of them connections must have waited for more workers to come.
const BACKLOGGED: usize = 3;
/// Use of one core by the average worker, thousandths, above which it is busy.
const BUSY_PERMILLE: u32 = 800;
/// Use below which it is idle.
const IDLE_PERMILLE: u32 = 300;
/// A worker goes after so long without a backlog and without work for it.
const IDLE_FOR: Duration = Duration::from_secs(60);
/// Measurements further apart than this do not belong together: the machine slept, or the arbiter did.
const GAP_MAX: Duration = Duration::from_secs(5);

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) backlog: u32,
    pub(crate) cpu_permille: u32,
    pub(crate) pressure: bool,
}

/// What the measurements of a service have shown since its number of workers last changed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Trend {
    samples: VecDeque<(Tick, Sample)>,
    /// Since when there is nothing to do.
    idle_since: Option<Tick>,
    /// How long a worker takes to be ready, milliseconds: an average in which the last one counts for a quarter.
    boot_ms: Option<u64>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// More workers, for this reason.
    More(String),
    /// One less.
    Less,
}

impl Trend {
    /// What was measured so far does not count any more.
    pub(crate) fn forget(&mut self) {
        self.samples.clear();
        self.idle_since = None;
    }

    pub(crate) fn booted(&mut self, after: Duration) {
        let last = millis(after);
        self.boot_ms = Some(match self.boot_ms {
            Some(average) => (average.saturating_mul(3).saturating_add(last)) / 4,
            None => last,
        });
    }

    /// Takes in a measurement and says what follows from all of them.
    pub(crate) fn judge(&mut self, now: Tick, sample: Sample, on: Load) -> Option<Verdict> {
        if self.samples.back().is_some_and(|(last, _)| now.since(*last) > GAP_MAX) {
            self.forget();
        }
        if self.samples.len() == WINDOW {
            self.samples.pop_front();
        }
        self.samples.push_back((now, sample));
        let reason = match on {
            Load::Backlog => self.backlogged(),
            Load::Cpu => self.busy(),
        };
        if let Some(reason) = reason.filter(|_| !sample.pressure) {
            return Some(Verdict::More(reason));
        }
        if sample.backlog > 0 || sample.cpu_permille >= IDLE_PERMILLE {
            self.idle_since = None;
            return None;
        }
        let since = *self.idle_since.get_or_insert(now);
        (now.since(since) >= IDLE_FOR).then_some(Verdict::Less)
    }

    /// Connections wait, and a new worker would be there before they are gone.
    fn backlogged(&self) -> Option<String> {
        let waited = self.samples.iter().filter(|(_, sample)| sample.backlog > 0).count();
        let (first, last) = (self.samples.front()?, self.samples.back()?);
        if waited < BACKLOGGED || self.drains_before_a_worker_boots() {
            return None;
        }
        let seconds = last.0.since(first.0).as_secs() + 1;
        Some(format!("backlog {} for {seconds} s", last.1.backlog))
    }

    /// At the rate at which it shrank over all measurements, the backlog is gone before a new worker could help.
    fn drains_before_a_worker_boots(&self) -> bool {
        let (Some(first), Some(last)) = (self.samples.front(), self.samples.back()) else { return false };
        let shrunk = u64::from(first.1.backlog.saturating_sub(last.1.backlog));
        let drains_in = (u64::from(last.1.backlog) * millis(last.0.since(first.0))).checked_div(shrunk);
        drains_in.zip(self.boot_ms).is_some_and(|(drains_in, boot)| drains_in < boot)
    }

    fn busy(&self) -> Option<String> {
        let busy = self.samples.iter().filter(|(_, sample)| sample.cpu_permille > BUSY_PERMILLE).count();
        let (_, last) = self.samples.back()?;
        (busy == WINDOW).then(|| format!("cpu {} %", last.cpu_permille / 10))
    }
}
