//! How long each connection is waited for.
//!
//! A timer for each read and write would be set and cancelled several times a request. Here a connection only notes
//! what it waits for; a sweep each half second counts how often it was found waiting, and wakes it when that was too
//! often. Precise to half a second, which is all that patience with clients needs.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

use super::Limits;

#[cfg(test)]
mod tests;

/// From one look to the next.
pub(super) const SWEEP_EVERY: Duration = Duration::from_millis(500);

/// What a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Waiting {
    /// Nothing of the client: a handler is at work.
    #[default]
    Nothing,
    /// The first byte on a new connection.
    First,
    /// A request.
    Request,
    /// The rest of a head.
    Head,
    /// More of a body.
    Body,
    /// That an answer is taken.
    Write,
    /// That the client stops sending.
    Linger,
}

/// One connection's waiting.
#[derive(Debug, Default)]
pub(super) struct Waiter {
    waiting: Cell<Waiting>,
    /// Sweeps that found it so.
    sweeps: Cell<u32>,
    /// Bytes of the body that came.
    bytes: Cell<u64>,
    is_overdue: Cell<bool>,
    waker: RefCell<Option<Waker>>,
    /// Place in the list.
    place: Cell<usize>,
}

impl Waiter {
    /// Waits for something from here on.
    pub(super) fn begin(&self, waiting: Waiting) {
        self.waiting.set(waiting);
        self.sweeps.set(0);
        self.bytes.set(0);
        self.is_overdue.set(false);
    }

    /// Goes on waiting for what was waited for before something else came in between.
    pub(super) fn again(&self, waiting: Waiting) {
        self.waiting.set(waiting);
    }

    /// What is waited for.
    pub(super) fn waiting(&self) -> Waiting {
        self.waiting.get()
    }

    /// Something came, or was taken.
    pub(super) fn progress(&self, bytes: usize) {
        self.bytes.set(self.bytes.get().saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX)));
        if self.waiting.get() == Waiting::Write {
            self.sweeps.set(0);
            self.is_overdue.set(false);
        }
    }

    /// Has this task woken when it has waited for too long; `true`: it has.
    pub(super) fn is_overdue(&self, context: &Context<'_>) -> bool {
        let mut waker = self.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            *waker = Some(context.waker().clone());
        }
        self.is_overdue.get()
    }

    /// Wakes the connection as one that has waited for too long.
    pub(super) fn expire(&self) {
        self.is_overdue.set(true);
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }
}

/// All connections of a process.
#[derive(Debug, Default)]
pub(super) struct Patience {
    waiters: RefCell<Vec<Rc<Waiter>>>,
}

impl Patience {
    /// Takes a connection in.
    pub(super) fn admit(&self) -> Rc<Waiter> {
        let mut waiters = self.waiters.borrow_mut();
        let waiter = Rc::new(Waiter { place: Cell::new(waiters.len()), ..Waiter::default() });
        waiters.push(Rc::clone(&waiter));
        waiter
    }

    /// Lets it go.
    pub(super) fn dismiss(&self, waiter: &Waiter) {
        let mut waiters = self.waiters.borrow_mut();
        waiters.swap_remove(waiter.place.get());
        if let Some(moved) = waiters.get(waiter.place.get()) {
            moved.place.set(waiter.place.get());
        }
    }

    /// One look at all.
    pub(super) fn sweep(&self, limits: &Limits, is_draining: bool) {
        for waiter in self.waiters.borrow().iter() {
            let waiting = waiter.waiting.get();
            if waiting == Waiting::Nothing || waiter.is_overdue.get() {
                continue;
            }
            let sweeps = waiter.sweeps.get().saturating_add(1);
            waiter.sweeps.set(sweeps);
            if is_too_long(waiting, sweeps, waiter.bytes.get(), limits, is_draining) {
                waiter.expire();
            }
        }
    }

    /// Wakes up to `most` connections that have waited longest for a request, to be closed; says how many.
    pub(super) fn shed(&self, most: usize) -> usize {
        let waiters = self.waiters.borrow();
        let is_idle =
            |waiter: &&Rc<Waiter>| waiter.waiting.get() == Waiting::Request && !waiter.is_overdue.get();
        let mut idle: Vec<_> = waiters.iter().filter(is_idle).collect();
        idle.sort_by_key(|waiter| std::cmp::Reverse(waiter.sweeps.get()));
        idle.truncate(most);
        for waiter in &idle {
            waiter.expire();
        }
        idle.len()
    }

    /// Wakes everybody: what is not done by now is cut off.
    pub(super) fn cut(&self) {
        for waiter in self.waiters.borrow().iter() {
            waiter.expire();
        }
    }
}

/// Whether a connection that was found waiting `sweeps` times in a row, while `bytes` came, has waited for too long.
fn is_too_long(waiting: Waiting, sweeps: u32, bytes: u64, limits: &Limits, is_draining: bool) -> bool {
    let waited = SWEEP_EVERY.saturating_mul(sweeps);
    match waiting {
        Waiting::Nothing => false,
        Waiting::First | Waiting::Request if is_draining => waited > limits.idle_grace,
        Waiting::Request => waited > limits.idle_within,
        Waiting::First | Waiting::Head => waited > limits.head_within,
        Waiting::Body => {
            waited > limits.body_grace && bytes < limits.body_rate_min.saturating_mul(waited.as_secs())
        }
        Waiting::Write => waited > limits.write_within,
        Waiting::Linger => waited > limits.linger,
    }
}
