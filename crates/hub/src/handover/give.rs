//! The old hub's side.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::Duration;

use remuda_bus::{CallFailure, ServiceOrder};
use remuda_sys::event::Interest;
use remuda_sys::memfd;
use remuda_sys::socket::{Arrival, Link, LinkListener};

use super::book::Pages;
use super::{
    ASK_WITHIN, BOOK, DESCRIPTORS, FORMAT, HandoverError, Keeping, MORE, REFUSED, TAKEN, WITHIN, connections,
    machines, name,
};
use crate::connection::Protocol;
use crate::error::HubError;
use crate::hub::{Hub, JOURNAL};
use crate::journal::{Journal, OpenError};
use crate::limits;
use crate::redis::session::Waiting;
use crate::run::JOURNAL_FOLDER;

/// A journal that somebody else has is looked for again after this.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Waits for a successor.
#[derive(Debug)]
pub(crate) struct Giving {
    listener: LinkListener,
}

impl Giving {
    /// Listens for a successor under the name that belongs to `path`.
    pub(crate) fn listen(path: &Path) -> Result<Self, HandoverError> {
        Ok(Self { listener: LinkListener::bind(&name(path))? })
    }
}

impl AsFd for Giving {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl Hub {
    /// Somebody knocks: if it is a successor, everything is handed over to it. Says the link to it when it has taken
    /// everything; otherwise things go on as before.
    ///
    /// # Errors
    /// The disk failed at the last moment: only what it has is true, and this hub has to begin anew with that.
    pub(crate) fn hand_over(&mut self) -> Result<Option<Link>, HubError> {
        let Some(link) = self.core.giving.as_ref().and_then(|giving| giving.listener.accept().ok().flatten())
        else {
            return Ok(None);
        };
        let is_ours = link.peer().is_ok_and(|peer| self.core.is_own(peer.uid));
        if !is_ours {
            return Ok(None);
        }
        let Ok(Arrival::Message { bytes, .. }) = link.receive(ASK_WITHIN) else { return Ok(None) };
        let Some(theirs) = Keeping::asked(&bytes) else { return Ok(None) };
        self.settle_engines();
        self.settle_herd();
        let drained = self.core.durability.drain(WITHIN).map_err(|why| why.to_string());
        if let Err(why) = drained.and_then(|()| self.core.locks.drain(WITHIN)) {
            let error = HandoverError::Disk(why);
            self.core.say(&format!("hand over to a new hub: {error}; this one goes on"));
            let mut word = REFUSED.to_vec();
            word.extend_from_slice(error.to_string().as_bytes());
            // Who does not hear it hears that the link is closed.
            let _ = link.send(&word, &[], ASK_WITHIN);
            self.stay_with_engines();
            return Ok(None);
        }
        // The name is free for the successor's successor.
        self.core.giving = None;
        self.end_calls();
        self.leave_engines();
        self.close_locks(WITHIN).map_err(HubError::Handover)?;
        self.core.tell_changes();
        self.close_journal()?;
        let sends_keys = !Keeping::of(&self.core.settings.spec).shares_disk(&theirs);
        match self.pass_on(&link, sends_keys) {
            Ok(()) => {
                self.end_links();
                Ok(Some(link))
            }
            Err(error) => {
                self.core.say(&format!("hand over to a new hub: {error}; this one goes on"));
                drop(link);
                self.go_on_after_all();
                Ok(None)
            }
        }
    }

    fn pass_on(&mut self, link: &Link, sends_keys: bool) -> Result<(), HandoverError> {
        let mut pages = Pages::default();
        pages.add(&[b"hub", FORMAT.as_bytes(), env!("CARGO_PKG_VERSION").as_bytes()]);
        machines::write(&self.core, sends_keys, &mut pages);
        pages.add_numbers("turns", &[u64::from(self.connections.last_turn())]);
        let mut passed = Vec::new();
        for key in self.connections.keys() {
            let Some(connection) = self.connections.get_mut(key) else { continue };
            connection.outbox.release(u64::MAX);
            let endpoint = self.endpoints.get(connection.endpoint);
            let endpoint = endpoint.map(|endpoint| endpoint.name.clone()).unwrap_or_default();
            if connections::write(connection, &endpoint, &self.core.timers, &mut pages) {
                passed.push(key);
            }
        }
        let book = memfd::sealed("remuda-hub", pages.bytes())?;
        link.send(BOOK, &[book.as_fd()], WITHIN)?;
        for keys in passed.chunks(DESCRIPTORS) {
            let descriptors: Vec<BorrowedFd<'_>> =
                keys.iter().filter_map(|key| Some(self.connections.get(*key)?.stream.as_fd())).collect();
            link.send(MORE, &descriptors, WITHIN)?;
        }
        match link.receive(WITHIN)? {
            Arrival::Message { bytes, .. } if bytes == TAKEN => Ok(()),
            Arrival::Message { .. } => Err(HandoverError::Protocol("it said something unknown")),
            Arrival::Closed => Err(HandoverError::Protocol("it ended before it had everything")),
        }
    }

    /// Calls under way fail: who made them tries again, and finds the new hub. Those of Redis clients that no worker has
    /// yet are made again there.
    fn end_calls(&mut self) {
        let now = self.core.moment.tick;
        let workers: Vec<_> = self.core.serving.keys().map(|(key, _)| *key).collect();
        for worker in workers {
            self.core.services.gone(now, worker.peer(), &mut self.core.orders);
        }
        self.deliver();
        for (key, connection) in self.connections.iter() {
            if let Protocol::ZeroMq(peer) = &connection.protocol {
                let caller = key.peer();
                let failed = |ticket: &u64| ServiceOrder::Answer {
                    caller,
                    ticket: *ticket,
                    outcome: Err(CallFailure::WorkerGone),
                };
                self.core.orders.extend(peer.calls.keys().map(failed));
            }
        }
        self.deliver();
    }

    /// What the disk has is complete, and free for the successor.
    fn close_journal(&mut self) -> Result<(), HubError> {
        if let Some(fd) = self.core.durability.as_fd() {
            // It is watched anew if it has to be opened again.
            let _ = self.poller.remove(fd);
        }
        match self.core.durability.take() {
            None => Ok(()),
            Some(journal) => journal.close(WITHIN).map_err(|error| HubError::Handover(error.to_string())),
        }
    }

    /// The successor failed: its connections are ours still, and so is the journal.
    fn go_on_after_all(&mut self) {
        // The journal was closed with everything in it.
        self.core.tell_settled(u64::MAX);
        let serving: Vec<_> =
            self.core.serving.iter().map(|(place, capacity)| (place.clone(), *capacity)).collect();
        for ((key, service), capacity) in serving {
            // They were registered a moment ago.
            let _ = self.core.services.register(key.peer(), &service, capacity, &mut self.core.orders);
        }
        for (key, connection) in self.connections.iter() {
            if matches!(&connection.protocol, Protocol::Redis(session, _) if session.waiting == Some(Waiting::Call))
            {
                self.core.services.next(key.peer(), &mut self.core.orders);
            }
        }
        if limits::keeps_journal(&self.core.settings.spec) {
            // The failed successor may hold it for a moment longer than it held the link.
            self.core.durability.miss("a new hub that failed still has the journal", self.core.moment.tick);
            self.look_for_the_journal();
        }
        match Giving::listen(&self.core.settings.handover) {
            Ok(giving) => {
                self.core.giving = Some(giving);
                self.watch_for_successors();
            }
            Err(error) => self.core.say(&error),
        }
        self.stay_with_engines();
        self.go_on_with_locks();
        for key in self.connections.keys() {
            // What they sent behind an answer about a lock was left for the successor.
            self.go_on(key);
        }
    }

    /// Opens the journal again, if it is missing and it is time to; writes are refused until that succeeds.
    pub(crate) fn look_for_the_journal(&mut self) {
        let now = self.core.moment.tick;
        if self.core.durability.again().is_none_or(|again| again > now) {
            return;
        }
        match self.open_journal_again() {
            Ok(journal) => {
                self.core.durability.put(journal);
                // Its positions begin anew.
                self.settled = 0;
                if let Some(fd) = self.core.durability.as_fd()
                    && let Err(error) = self.poller.add(fd, JOURNAL, Interest::Read)
                {
                    self.core.say(&error);
                }
            }
            Err(error) => self.core.durability.miss(&error.to_string(), now + LOOK_AGAIN),
        }
    }

    fn open_journal_again(&self) -> Result<Journal, OpenError> {
        let folder = self.core.settings.spec.state_dir.join(JOURNAL_FOLDER);
        let recovery = Journal::open(&folder, limits::journal(&self.core.settings.spec))?;
        // What it says is what is in memory.
        Ok(recovery.replay(&mut |_| {})?.0)
    }
}
