//! A bounded queue between those who must not wait and one who may: the oldest is dropped for the newest.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[cfg(test)]
mod tests;

/// A queue of at most so many items.
#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    bell: Condvar,
    limit: usize,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    /// Dropped, ever.
    dropped: u64,
    closed: bool,
}

impl<T> Queue<T> {
    pub(super) fn new(limit: usize) -> Self {
        let state = State { items: VecDeque::new(), dropped: 0, closed: false };
        Self { state: Mutex::new(state), bell: Condvar::new(), limit: limit.max(1) }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Never waits. Says whether the item was taken in; a closed queue takes none.
    pub(super) fn push(&self, item: T) -> bool {
        let mut state = self.state();
        if state.closed {
            return false;
        }
        if state.items.len() >= self.limit {
            state.items.pop_front();
            state.dropped += 1;
        }
        state.items.push_back(item);
        drop(state);
        self.bell.notify_one();
        true
    }

    /// The oldest item and how many were ever dropped; waits for one. `None` when the queue is closed and empty.
    pub(super) fn pop(&self) -> Option<(T, u64)> {
        let waited = self.bell.wait_while(self.state(), |state| state.items.is_empty() && !state.closed);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        let dropped = state.dropped;
        state.items.pop_front().map(|item| (item, dropped))
    }

    /// Sleeps for `time`, or until the queue is closed; says whether it is.
    pub(super) fn rest(&self, time: Duration) -> bool {
        let waited = self.bell.wait_timeout_while(self.state(), time, |state| !state.closed);
        waited.unwrap_or_else(PoisonError::into_inner).0.closed
    }

    /// Takes no more; what waits can still be taken out.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.bell.notify_all();
    }

    /// Drops what waits.
    pub(super) fn clear(&self) {
        let mut state = self.state();
        let waiting = u64::try_from(state.items.len()).unwrap_or(u64::MAX);
        state.items.clear();
        state.dropped += waiting;
    }

    /// How many were ever dropped.
    pub(super) fn dropped(&self) -> u64 {
        self.state().dropped
    }
}
