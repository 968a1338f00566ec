//! Connections that wait for their next request.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use super::link::Link;
use crate::balance::MemberId;

/// Idle connections of an upstream, of each member the one used last on top: those beneath grow old and are closed.
#[derive(Debug)]
pub(super) struct Pool {
    idle: RefCell<Vec<Vec<Link>>>,
    scratch: RefCell<Vec<u8>>,
    keep: Duration,
    most: usize,
}

/// What an idle connection is asked with. Whatever it says, it is not used then.
const SCRATCH: usize = 16;

impl Pool {
    /// For `members`, of each at most `most`, for at most `keep`; zero: none is kept.
    pub(super) fn new(members: usize, keep: Duration, most: usize) -> Self {
        Self {
            idle: RefCell::new((0..members).map(|_| Vec::new()).collect()),
            scratch: RefCell::new(Vec::with_capacity(SCRATCH)),
            keep,
            most: if keep.is_zero() { 0 } else { most },
        }
    }

    /// One to `member` that can be used. `closed` is called for each that could not.
    pub(super) fn take(&self, member: MemberId, now: Instant, closed: impl Fn()) -> Option<Link> {
        let mut idle = self.idle.borrow_mut();
        let links = idle.get_mut(member.0)?;
        while let Some(link) = links.pop() {
            let is_young = now.saturating_duration_since(link.idle_since) < self.keep;
            if is_young && link.is_quiet(&mut self.scratch.borrow_mut()) {
                return Some(link);
            }
            closed();
        }
        None
    }

    /// Takes one back; it is closed if there are enough.
    pub(super) fn give(&self, mut link: Link, now: Instant) {
        let mut idle = self.idle.borrow_mut();
        let Some(links) = idle.get_mut(link.member.0) else { return };
        if links.len() < self.most {
            link.alarm.set(Duration::ZERO);
            link.idle_since = now;
            links.push(link);
        }
    }

    /// Closes what is too old, and what has been closed by the other side.
    pub(super) fn sweep(&self, now: Instant) {
        let mut scratch = self.scratch.borrow_mut();
        for links in self.idle.borrow_mut().iter_mut() {
            links.retain(|link| {
                now.saturating_duration_since(link.idle_since) < self.keep && link.is_quiet(&mut scratch)
            });
        }
    }

    /// Closes all to `member`.
    pub(super) fn clear(&self, member: MemberId) {
        if let Some(links) = self.idle.borrow_mut().get_mut(member.0) {
            links.clear();
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.idle.borrow().iter().map(Vec::len).sum()
    }
}
