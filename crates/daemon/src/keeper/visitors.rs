//! Who has connected to the keeper.

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use remuda_sys::event::{Interest, Poller, Token};
use remuda_sys::socket::{Link, LinkListener, Sent};
use remuda_sys::{CallError, users};

use super::protocol::{Answer, Request, encode};

/// Most visitors at a time; more are shown the door.
const VISITORS_LIMIT: usize = 16;
/// Who says nothing for so long is shown the door. An arbiter that takes over asks for one batch after another.
const SILENCE_LIMIT: Duration = Duration::from_secs(10);
/// A dying process closes its descriptors one by one: who has found its lock free may ask before its link is closed.
const DYING_LIMIT: Duration = Duration::from_millis(200);
/// After a failure to accept (no descriptor left in the system) the next try comes so much later.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Visitors {
    listener: LinkListener,
    listener_token: Token,
    links: BTreeMap<u64, Visitor>,
    /// Tokens of visitors are never used again.
    next: u64,
    accept_again: Option<Instant>,
}

#[derive(Debug)]
pub(super) struct Visitor {
    pub(super) link: Link,
    /// Until when it has to say something; absent while it waits for the end of the workers.
    deadline: Option<Instant>,
    /// What it wants, while it is not yet clear that the arbiter lives.
    asked: Option<Request>,
}

impl Visitors {
    /// Watches `listener`; visitors get tokens after its.
    pub(super) fn new(
        poller: &Poller,
        listener: LinkListener,
        listener_token: Token,
    ) -> Result<Self, CallError> {
        poller.add(&listener, listener_token, Interest::Read)?;
        Ok(Self {
            listener,
            listener_token,
            links: BTreeMap::new(),
            next: listener_token.0 + 1,
            accept_again: None,
        })
    }

    /// Lets in who may come in: our own user, and root.
    pub(super) fn accept(&mut self, poller: &Poller, now: Instant) -> Result<(), CallError> {
        match self.listener.accept() {
            Ok(None) => Ok(()),
            Ok(Some(link)) => {
                let trusted =
                    link.peer().is_ok_and(|peer| peer.uid == 0 || peer.uid == users::effective_user());
                let welcome = trusted && self.links.len() < VISITORS_LIMIT;
                let id = self.next;
                // Whom the kernel lets nobody watch has to come again.
                if welcome && poller.add(&link, Token(id), Interest::Read).is_ok() {
                    self.next += 1;
                    self.links.insert(id, Visitor { link, deadline: Some(now + SILENCE_LIMIT), asked: None });
                }
                Ok(())
            }
            Err(_) => {
                self.accept_again = Some(now + ACCEPT_PAUSE);
                poller.modify(&self.listener, self.listener_token, Interest::Nothing)
            }
        }
    }

    pub(super) fn get(&self, id: u64) -> Option<&Visitor> {
        self.links.get(&id)
    }

    /// The visitor has said something.
    pub(super) fn heard(&mut self, id: u64, now: Instant) {
        if let Some(visitor) = self.links.get_mut(&id) {
            visitor.deadline = Some(now + SILENCE_LIMIT);
            visitor.asked = None;
        }
    }

    /// The visitor need say nothing until it is [told](Self::tell_waiting) that the workers are gone.
    pub(super) fn let_wait(&mut self, id: u64) {
        if let Some(visitor) = self.links.get_mut(&id) {
            visitor.deadline = None;
        }
    }

    /// The visitor has asked while the arbiter seems to live: the answer is due a little later.
    pub(super) fn put_off(&mut self, id: u64, request: Request, now: Instant) {
        if let Some(visitor) = self.links.get_mut(&id) {
            visitor.asked = Some(request);
            visitor.deadline = Some(now + DYING_LIMIT);
        }
    }

    /// What was put off, by visitor; it is put off no more.
    pub(super) fn take_put_off(&mut self) -> Vec<(u64, Request)> {
        self.links.iter_mut().filter_map(|(id, visitor)| Some((*id, visitor.asked.take()?))).collect()
    }

    /// Whether the visitor waits for an answer that was put off.
    pub(super) fn is_put_off(&self, id: u64) -> bool {
        self.links.get(&id).is_some_and(|visitor| visitor.asked.is_some())
    }

    /// Tells all who wait.
    pub(super) fn tell_waiting(&self, answer: &Answer) {
        let bytes = encode(answer);
        for visitor in self.links.values().filter(|visitor| visitor.deadline.is_none()) {
            // Who is gone need not be told, and who is there has read everything so far.
            let _ = visitor.link.send_now(&bytes, &[]);
        }
    }

    pub(super) fn show_out(&mut self, id: u64) {
        self.links.remove(&id);
    }

    /// Answers; says whether the visitor is still there.
    pub(super) fn answer(&self, id: u64, answer: &Answer, descriptors: &[BorrowedFd<'_>]) -> bool {
        let Some(visitor) = self.links.get(&id) else { return false };
        matches!(visitor.link.send_now(&encode(answer), descriptors), Ok(Sent::Passed))
    }

    /// When [`late`](Self::late) has to be asked again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.links.values().filter_map(|visitor| visitor.deadline).chain(self.accept_again).min()
    }

    /// Goes on accepting when it is time; returns the visitors that have been silent for too long.
    pub(super) fn late(&mut self, poller: &Poller, now: Instant) -> Result<Vec<u64>, CallError> {
        if self.accept_again.is_some_and(|at| at <= now) {
            self.accept_again = None;
            poller.modify(&self.listener, self.listener_token, Interest::Read)?;
        }
        let is_late = |visitor: &Visitor| visitor.deadline.is_some_and(|deadline| deadline <= now);
        Ok(self.links.iter().filter(|(_, visitor)| is_late(visitor)).map(|(id, _)| *id).collect())
    }
}
