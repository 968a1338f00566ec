//! Times that run out, looked at ten times a second.
//!
//! A timer that is set anew for each piece of a body costs more than to pass the piece on. Here it is a number; precise to
//! a tenth of a second, which is all that patience with a server needs.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// From one look to the next.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(100);

/// All alarms of a process.
#[derive(Debug)]
pub(super) struct Deadlines {
    now: Cell<Instant>,
    entries: RefCell<Vec<Rc<Entry>>>,
    /// Rung when there is something to look at again.
    pub(super) bell: Notify,
}

#[derive(Debug, Default)]
struct Entry {
    at: Cell<Option<Instant>>,
    has_rung: Cell<bool>,
    waker: RefCell<Option<Waker>>,
    place: Cell<usize>,
}

/// One time that may run out. It is not set at first.
#[derive(Debug)]
pub(super) struct Alarm {
    entry: Rc<Entry>,
    deadlines: Rc<Deadlines>,
}

impl Deadlines {
    pub(super) fn new() -> Rc<Self> {
        Rc::new(Self { now: Cell::new(Instant::now()), entries: RefCell::default(), bell: Notify::new() })
    }

    /// The time as of the last look.
    pub(super) fn now(&self) -> Instant {
        self.now.get()
    }

    /// Whether there is nothing to look at.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.borrow().is_empty()
    }

    /// An alarm.
    pub(super) fn alarm(self: &Rc<Self>) -> Alarm {
        let mut entries = self.entries.borrow_mut();
        if entries.is_empty() {
            self.now.set(Instant::now());
            self.bell.notify_one();
        }
        let entry = Rc::new(Entry { place: Cell::new(entries.len()), ..Entry::default() });
        entries.push(Rc::clone(&entry));
        Alarm { entry, deadlines: Rc::clone(self) }
    }

    /// Looks at all, and wakes whose time has run out.
    pub(super) fn look(&self) {
        let now = Instant::now();
        self.now.set(now);
        for entry in self.entries.borrow().iter() {
            if entry.at.get().is_some_and(|at| at <= now) && !entry.has_rung.replace(true) {
                let waker = entry.waker.borrow_mut().take();
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
        }
    }
}

impl Alarm {
    /// Rings `after` from now on, in place of what was set before; zero: never.
    pub(super) fn set(&self, after: Duration) {
        let at = (!after.is_zero()).then(|| self.deadlines.now() + after + LOOK_EVERY);
        self.entry.at.set(at);
        self.entry.has_rung.set(false);
    }

    /// Whether it has rung; otherwise this task is woken when it does.
    pub(super) fn has_rung(&self, context: &Context<'_>) -> bool {
        let mut waker = self.entry.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            *waker = Some(context.waker().clone());
        }
        self.entry.has_rung.get()
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        let mut entries = self.deadlines.entries.borrow_mut();
        let place = self.entry.place.get();
        entries.swap_remove(place);
        if let Some(moved) = entries.get(place) {
            moved.place.set(place);
        }
    }
}
