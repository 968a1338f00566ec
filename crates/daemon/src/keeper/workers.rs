//! The workers an orphan watches, through their pidfds.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use remuda_model::Signal;
use remuda_sys::event::{Interest, Poller, Token};
use remuda_sys::{CallError, process};

use super::protocol::Holding;

#[derive(Debug)]
pub(super) struct Workers {
    poller: Poller,
    workers: Vec<Worker>,
}

#[derive(Debug)]
struct Worker {
    name: String,
    pidfd: OwnedFd,
    alive: bool,
}

impl Workers {
    /// Watches nobody yet.
    pub(super) fn new() -> Result<Self, CallError> {
        Ok(Self { poller: Poller::new()?, workers: Vec::new() })
    }

    /// Begins to watch. What cannot be watched is no worker and only held.
    pub(super) fn begin(&mut self, pidfds: impl Iterator<Item = (String, OwnedFd)>) -> Result<(), CallError> {
        let poller = &self.poller;
        let watched = (0..).zip(pidfds).map(|(token, (name, pidfd))| {
            let alive = poller.add(&pidfd, Token(token), Interest::Read).is_ok();
            Worker { name, pidfd, alive }
        });
        self.workers = watched.collect();
        self.look()
    }

    /// Readable when one has ended.
    pub(super) fn poller(&self) -> BorrowedFd<'_> {
        self.poller.as_fd()
    }

    /// Takes note of those that have ended.
    pub(super) fn look(&mut self) -> Result<(), CallError> {
        loop {
            let now = Some(Duration::ZERO);
            let ended: Vec<Token> = self.poller.wait(now)?.map(|readiness| readiness.token).collect();
            if ended.is_empty() {
                return Ok(());
            }
            for Token(token) in ended {
                let worker = usize::try_from(token).ok().and_then(|at| self.workers.get_mut(at));
                let Some(worker) = worker else { continue };
                worker.alive = false;
                self.poller.remove(&worker.pidfd)?;
            }
        }
    }

    pub(super) fn living(&self) -> usize {
        self.workers.iter().filter(|worker| worker.alive).count()
    }

    /// Signals all that live.
    pub(super) fn signal(&self, signal: Signal) {
        for worker in self.workers.iter().filter(|worker| worker.alive) {
            // Whoever cannot be signalled has just ended, which the watch tells, or is not ours to end.
            let _ = process::send_signal(&worker.pidfd, signal);
        }
    }

    /// Everything to hand over.
    pub(super) fn entries(&self) -> impl Iterator<Item = (String, Holding, BorrowedFd<'_>)> {
        self.workers.iter().map(|worker| {
            let holding = Holding { alive: Some(worker.alive), ..Holding::default() };
            (worker.name.clone(), holding, worker.pidfd.as_fd())
        })
    }
}
