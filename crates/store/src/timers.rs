//! When keys end: two orders, one for each clock.
//!
//! A key with a lifetime stands in the order of its clock until it ends, is removed, or gets another. The entry of the
//! key knows its place, so that taking it out needs no search by name.

use std::collections::BTreeMap;
use std::time::Duration;

use remuda_model::Tick;

use crate::moment::{Deadline, Moment};

/// A key's deadline, and what tells it from others at the same millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expiry {
    pub(crate) deadline: Deadline,
    serial: u64,
}

/// Milliseconds of the clock, and a serial number.
type Order = BTreeMap<(u64, u64), Timed>;

/// A key that ends: its place among the spaces, and its name.
#[derive(Debug)]
pub(crate) struct Timed {
    pub(crate) space: usize,
    pub(crate) key: Box<[u8]>,
}

/// What a timer takes: its place in the order.
pub(crate) const TIMER_BYTES: usize = 64;

/// The keys that end.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    ticks: Order,
    walls: Order,
    serial: u64,
}

impl Timers {
    pub(crate) fn add(&mut self, space: usize, key: &[u8], deadline: Deadline) -> Expiry {
        self.serial += 1;
        let expiry = Expiry { deadline, serial: self.serial };
        let (order, at) = self.order(expiry);
        order.insert(at, Timed { space, key: key.into() });
        expiry
    }

    pub(crate) fn remove(&mut self, expiry: Expiry) {
        let (order, at) = self.order(expiry);
        order.remove(&at);
    }

    pub(crate) fn clear_space(&mut self, space: usize) {
        self.ticks.retain(|_, timed| timed.space != space);
        self.walls.retain(|_, timed| timed.space != space);
    }

    /// A key whose deadline is over.
    pub(crate) fn over(&self, moment: Moment) -> Option<&Timed> {
        [self.next_tick(), self.next_wall()]
            .into_iter()
            .flatten()
            .find_map(|(deadline, timed)| deadline.is_over(moment).then_some(timed))
    }

    /// The key that ends next.
    pub(crate) fn soonest(&self, moment: Moment) -> Option<&Timed> {
        [self.next_tick(), self.next_wall()]
            .into_iter()
            .flatten()
            .min_by_key(|(deadline, _)| deadline.remaining_ms(moment))
            .map(|(_, timed)| timed)
    }

    /// Time until a key ends.
    pub(crate) fn next(&self, moment: Moment) -> Option<Duration> {
        [self.next_tick(), self.next_wall()]
            .into_iter()
            .flatten()
            .map(|(deadline, _)| Duration::from_millis(deadline.remaining_ms(moment)))
            .min()
    }

    fn next_tick(&self) -> Option<(Deadline, &Timed)> {
        self.ticks.first_key_value().map(|((ms, _), timed)| (Deadline::Tick(Tick(*ms)), timed))
    }

    fn next_wall(&self) -> Option<(Deadline, &Timed)> {
        self.walls.first_key_value().map(|((ms, _), timed)| (Deadline::Wall(*ms), timed))
    }

    fn order(&mut self, expiry: Expiry) -> (&mut Order, (u64, u64)) {
        match expiry.deadline {
            Deadline::Tick(tick) => (&mut self.ticks, (tick.0, expiry.serial)),
            Deadline::Wall(wall_ms) => (&mut self.walls, (wall_ms, expiry.serial)),
        }
    }
}
