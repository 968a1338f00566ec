//! One service: its workers, and the calls that wait for one.

use std::collections::{BTreeMap, BTreeSet};

use super::{CallId, PeerId};

/// A service.
#[derive(Debug, Default)]
pub(crate) struct Service {
    pub(crate) workers: BTreeMap<PeerId, Seat>,
    /// Oldest first, since calls are numbered as they come.
    pub(crate) waiting: BTreeSet<CallId>,
}

/// A worker of a service.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) outstanding: usize,
    pub(crate) outstanding_max: usize,
    pub(crate) is_pull: bool,
    /// Number of the delivery it got last, of all deliveries.
    pub(crate) last_delivery: u64,
}

impl Seat {
    /// A seat behind all that have got a delivery up to number `deliveries`.
    pub(crate) fn new(outstanding: usize, deliveries: u64) -> Self {
        Self { outstanding, outstanding_max: 1, is_pull: false, last_delivery: deliveries }
    }
}

impl Service {
    /// Whose turn it is: of those with room the one with the fewest calls, of these who has waited longest.
    pub(crate) fn pick(&self, asked: &BTreeMap<PeerId, usize>) -> Option<PeerId> {
        let has_room = |(worker, seat): &(&PeerId, &Seat)| {
            let is_asking = !seat.is_pull || asked.get(worker).is_some_and(|count| *count > 0);
            is_asking && seat.outstanding < seat.outstanding_max
        };
        let ready = self.workers.iter().filter(has_room);
        ready.min_by_key(|(_, seat)| (seat.outstanding, seat.last_delivery)).map(|(worker, _)| *worker)
    }

    /// Whether nobody has to do with it.
    pub(crate) fn is_idle(&self) -> bool {
        self.workers.is_empty() && self.waiting.is_empty()
    }
}
