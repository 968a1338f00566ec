//! The listeners of a per-worker socket: which of them get what is new, and when one of them may be closed.

use std::collections::BTreeSet;
use std::time::Duration;

use remuda_model::{Balance, Mode, SocketSpec};
use remuda_sys::CallError;
use remuda_sys::socket::{self, Listener};

use super::{Bound, State};
use crate::record::{ListenerRecord, SocketRecord, holding};

/// A handshake is in no queue yet; if its last packet is lost, the kernel asks for it again after a second. So long
/// after a slot is steered away from, its queue can still grow.
const HANDSHAKE: Duration = Duration::from_millis(1500);

/// How a group of listeners was steered last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Course {
    live: Vec<bool>,
    balance: Balance,
}

/// A listener that was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closed {
    pub(crate) slot: u32,
    /// Connections that waited in its queue; the kernel has reset them.
    pub(crate) lost: u32,
}

impl Bound {
    /// Whether its slots have listeners of their own, in an order that we know: that of those bound by others is theirs.
    pub(crate) fn is_steered(&self) -> bool {
        self.mode == Mode::PerWorker && self.lock().spec.listen.is_bound_here()
    }

    /// Gives what is new to the slots that are `served`, or, when none is, to those that are `wanted`, where it waits.
    /// Then closes the listeners of slots that are neither wanted (one always is) nor below `taken`, after `release` has
    /// made everybody else let go of them: a listener that somebody holds still gets connections. Does nothing when all
    /// is so already.
    pub(crate) fn steer(
        &self,
        served: &BTreeSet<u32>,
        wanted: u32,
        taken: u32,
        release: impl FnOnce(Vec<String>),
    ) -> Result<Vec<Closed>, CallError> {
        let mut state = self.lock();
        let live = |slot: u32| if served.is_empty() { slot < wanted.max(1) } else { served.contains(&slot) };
        let course = (0..state.slots()).map(live).collect();
        state.hold_course(course)?;
        let mut closed = Vec::new();
        let left = wanted.max(taken).max(1);
        if state.slots() > left {
            let names = usize::try_from(left).unwrap_or(usize::MAX)..state.listeners.len();
            release(names.map(|index| holding::listener(self.id, index)).collect());
        }
        while state.slots() > left {
            let slot = state.slots() - 1;
            let queue = state.pop().and_then(|listener| socket::queue(&listener).ok().flatten());
            closed.push(Closed { slot, lost: queue.map_or(0, |queue| queue.depth) });
        }
        if !closed.is_empty() {
            self.changes.mark();
            let course = (0..state.slots()).map(live).collect();
            state.hold_course(course)?;
        }
        Ok(closed)
    }

    /// Whether something waits in a slot's queue. In doubt nothing does: who waits for it would wait in vain.
    pub(crate) fn waits(&self, slot: u32) -> bool {
        let state = self.lock();
        let listener = usize::try_from(slot).ok().and_then(|slot| state.listeners.get(slot));
        listener.is_some_and(|listener| socket::waits(listener).unwrap_or(false))
    }

    /// How long after a slot is steered away from something may still come into its queue.
    pub(crate) fn settles_in(&self) -> Duration {
        HANDSHAKE + self.lock().spec.options.defer_accept.unwrap_or_default()
    }
}

impl State {
    pub(super) fn new(spec: SocketSpec, listeners: Vec<Listener>) -> Self {
        let order = (0..listeners.len()).collect();
        Self { spec, listeners, order, course: None, is_closed: false }
    }

    /// As a record tells of it. What of its listeners was bound again came last, or the order is its own.
    pub(super) fn restored(record: &SocketRecord, listeners: Vec<Listener>) -> Self {
        let same = |(listener, known): (&Listener, &ListenerRecord)| listener.cookie == known.cookie;
        let places = listeners.iter().zip(&record.listeners).enumerate();
        let fresh: Vec<usize> = places.filter(|(_, pair)| !same(*pair)).map(|(place, _)| place).collect();
        let mut state = Self::new(record.spec.clone(), listeners);
        if record.order.len() == record.listeners.len() {
            // Beyond them come those that were made last.
            let all = state.listeners.len();
            let known = record.order.iter().copied().filter(|place| *place < all);
            state.order = known.chain(record.order.len()..all).collect();
        }
        // Those that were lost left their places, then came back, in this order.
        fresh.iter().for_each(|place| state.leave(*place));
        state.order.extend(fresh);
        state
    }

    /// The kernel takes a listener out of its group, and the last one into its place.
    fn leave(&mut self, place: usize) {
        if let Some(position) = self.order.iter().position(|other| *other == place) {
            self.order.swap_remove(position);
        }
    }

    /// A listener has left its group and come back.
    pub(super) fn moved_last(&mut self, place: usize) {
        self.leave(place);
        self.order.push(place);
        // The program, if there is one, chooses others by now.
        self.course = None;
    }

    fn pop(&mut self) -> Option<Listener> {
        let listener = self.listeners.pop()?;
        self.leave(self.listeners.len());
        Some(listener)
    }

    fn in_kernel_order(&self, live: &[bool]) -> Vec<bool> {
        let known = self.order.iter().map(|place| live.get(*place).copied().unwrap_or(false));
        known.chain(live.iter().skip(self.order.len()).copied()).collect()
    }

    fn slots(&self) -> u32 {
        u32::try_from(self.listeners.len()).unwrap_or(u32::MAX)
    }

    fn hold_course(&mut self, live: Vec<bool>) -> Result<(), CallError> {
        let course = Course { live, balance: self.spec.balance };
        if self.course.as_ref() != Some(&course) {
            socket::steer(&self.listeners, &self.in_kernel_order(&course.live), course.balance)?;
            self.course = Some(course);
        }
        Ok(())
    }

    /// Takes in the listener of the next slot, which `bind` makes. If the others are steered it gets nothing before
    /// it is named.
    pub(super) fn grow<E>(&mut self, bind: impl FnOnce(&Self) -> Result<Listener, E>) -> Result<(), E> {
        if let Some(course) = &self.course {
            let mut live = course.live.clone();
            live.resize(self.listeners.len(), false);
            live.push(false);
            // If it cannot be steered it was not before either, and that was told.
            let _ = self.hold_course(live);
        }
        let listener = bind(self)?;
        self.order.push(self.listeners.len());
        self.listeners.push(listener);
        Ok(())
    }
}
