//! Lines for the log about what happens again and again: one of each sort in a while, so that who is turned away a
//! thousand times a second does not fill the log.

use std::collections::BTreeMap;
use std::time::Duration;

use remuda_model::Tick;

/// Between two lines of one sort.
const EVERY: Duration = Duration::from_secs(10);

/// What is complained about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Complaint {
    /// No descriptor is left for a connection.
    NoDescriptors,
    /// There are as many Redis clients as there may be.
    TooManyClients,
    /// There are as many ZeroMQ peers as there may be.
    TooManyPeers,
}

/// When each was said last.
#[derive(Debug, Default)]
pub(crate) struct Complaints {
    said: BTreeMap<Complaint, Tick>,
}

impl Complaints {
    /// Whether it is time to say it, again or for the first time; it counts as said then.
    pub(crate) fn may_say(&mut self, what: Complaint, now: Tick) -> bool {
        let may = self.said.get(&what).is_none_or(|at| now.since(*at) >= EVERY);
        if may {
            self.said.insert(what, now);
        }
        may
    }
}

#[cfg(test)]
mod tests;
