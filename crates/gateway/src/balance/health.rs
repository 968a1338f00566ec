//! What probes say of a member.

use std::collections::VecDeque;
use std::time::Duration;

use super::{HealthOptions, Moment, Random};

/// Results that are kept to be looked at.
const KEPT: usize = 10;
/// Letters of a result's detail that are kept.
const DETAIL_MAX: usize = 200;
/// Before a member was ever well it is probed so many times as often: whoever starts it waits for it.
const STARTING: u32 = 4;

/// One probe's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// When it ended.
    pub at: Moment,
    /// Whether it was good.
    pub is_good: bool,
    /// What was seen.
    pub detail: String,
}

/// A member's health.
#[derive(Debug, Clone, Default)]
pub struct Health {
    is_ill: bool,
    was_well: bool,
    good: u32,
    bad: u32,
    next: Moment,
    is_asked: bool,
    results: VecDeque<Probe>,
}

impl Health {
    /// Whether probes say that it should get no requests. One nobody has probed yet is taken for well.
    #[must_use]
    pub fn is_ill(&self) -> bool {
        self.is_ill
    }

    /// When it is to be probed next; `None` while it is.
    #[must_use]
    pub fn next(&self) -> Option<Moment> {
        (!self.is_asked).then_some(self.next)
    }

    /// Its last results, the oldest first.
    pub fn results(&self) -> impl Iterator<Item = &Probe> {
        self.results.iter()
    }

    /// It is being probed.
    pub fn ask(&mut self) {
        self.is_asked = true;
    }

    /// A probe has ended. `true`: the member changed from ill to well, or the other way.
    pub fn take(&mut self, mut probe: Probe, options: &HealthOptions, random: &mut Random) -> bool {
        let was_ill = self.is_ill;
        self.is_asked = false;
        if probe.is_good {
            (self.good, self.bad) = (self.good.saturating_add(1), 0);
            // What was never well has nothing to recover from.
            if self.good >= options.rise || !self.was_well {
                (self.is_ill, self.was_well) = (false, true);
            }
        } else {
            (self.good, self.bad) = (0, self.bad.saturating_add(1));
            self.is_ill |= self.bad >= options.fall;
        }
        let every = if self.was_well { options.every } else { options.every / STARTING };
        self.next = probe.at + random.jitter(every.max(Duration::from_millis(1)));
        if let Some((end, _)) = probe.detail.char_indices().nth(DETAIL_MAX) {
            probe.detail.truncate(end);
        }
        if self.results.len() == KEPT {
            self.results.pop_front();
        }
        self.results.push_back(probe);
        was_ill != self.is_ill
    }
}
