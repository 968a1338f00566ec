//! A member's time with one request, and the wait for it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::failure::UpstreamError;
use super::group::Upstream;
use crate::balance::{Acquired, MemberId, Outcome, Refusal, Ticket};

/// A request in a member's hands; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Lease {
    upstream: Rc<Upstream>,
    pub(super) member: MemberId,
    begun: Instant,
    outcome: Cell<Outcome>,
}

impl Lease {
    fn new(upstream: Rc<Upstream>, member: MemberId) -> Self {
        Self { upstream, member, begun: Instant::now(), outcome: Cell::new(Outcome::Abandoned) }
    }

    /// The head of an answer is there.
    pub(super) fn answered(&self) -> Duration {
        let took = self.begun.elapsed();
        self.outcome.set(Outcome::Answered(took));
        took
    }

    /// It came to nothing.
    pub(super) fn failed(&self) {
        self.outcome.set(Outcome::Failed);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.upstream.release(self.member, self.outcome.get());
    }
}

/// Who waits.
#[derive(Debug)]
struct Waiting {
    upstream: Rc<Upstream>,
    ticket: Ticket,
    granted: oneshot::Receiver<Result<MemberId, Refusal>>,
}

impl Drop for Waiting {
    /// Whoever goes while waiting leaves the queue; who had its turn already gives it on.
    fn drop(&mut self) {
        if self.upstream.waiters.borrow_mut().remove(&self.ticket).is_some() {
            self.upstream.group.borrow_mut().give_up(self.ticket);
        } else if let Ok(Ok(member)) = self.granted.try_recv() {
            self.upstream.release(member, Outcome::Abandoned);
        }
    }
}

impl Upstream {
    /// Gets a member for a request, if need be after a wait.
    pub(super) async fn lease(
        self: &Rc<Self>,
        hash: Option<u64>,
        tried: &[MemberId],
    ) -> Result<Lease, UpstreamError> {
        let acquired = self.group.borrow_mut().acquire(self.clock.now(), hash, tried);
        let ticket = match acquired {
            Acquired::Member(member) => return Ok(Lease::new(Rc::clone(self), member)),
            Acquired::Refused(refusal) => return Err(UpstreamError::Refused(refusal)),
            Acquired::Wait(ticket) => ticket,
        };
        let (grant, granted) = oneshot::channel();
        self.waiters.borrow_mut().insert(ticket, grant);
        self.figures.queued();
        self.deadlines.bell.notify_one();
        let mut waiting = Waiting { upstream: Rc::clone(self), ticket, granted };
        match (&mut waiting.granted).await {
            Ok(Ok(member)) => Ok(Lease::new(Rc::clone(self), member)),
            Ok(Err(refusal)) => Err(UpstreamError::Refused(refusal)),
            Err(_closed) => Err(UpstreamError::Refused(Refusal::Nobody)),
        }
    }

    /// A request of `member` is over: whose turn it is gets it.
    pub(super) fn release(&self, member: MemberId, outcome: Outcome) {
        let is_out = self.group.borrow_mut().release(self.clock.now(), member, outcome);
        if is_out {
            self.figures.ejected();
            self.pool.clear(member);
            log::warn!(
                "{}: {} gets no requests for a while: too many have failed in a row",
                self.name,
                self.place(member).text()
            );
        }
        self.grant();
    }

    /// Gives out turns as far as there are any.
    pub(super) fn grant(&self) {
        loop {
            let next = self.group.borrow_mut().next_grant(self.clock.now());
            let Some((ticket, member)) = next else { return };
            let waiter = self.waiters.borrow_mut().remove(&ticket);
            let was_taken = waiter.is_some_and(|waiter| waiter.send(Ok(member)).is_ok());
            if !was_taken {
                self.group.borrow_mut().release(self.clock.now(), member, Outcome::Abandoned);
            }
        }
    }

    /// Refuses who has waited too long.
    pub(super) fn expire(&self) {
        loop {
            let late = self.group.borrow_mut().next_expired(self.clock.now());
            let Some(ticket) = late else { return };
            if let Some(waiter) = self.waiters.borrow_mut().remove(&ticket) {
                let _gone = waiter.send(Err(Refusal::Late));
            }
        }
    }
}
