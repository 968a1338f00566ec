//! The keeper is given what it is to hold.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd};

use remuda_model::WorkerId;

use super::descriptors;
use crate::child::Child;
use crate::daemon::Daemon;
use crate::keeper::KeeperError;
use crate::logs::Stream;
use crate::record::{Entry, holding};

impl Daemon {
    /// What has changed for a keeper that came along: it holds everything else already.
    pub(super) fn keep_again(&mut self) -> Result<(), KeeperError> {
        let listeners = &mut self.keeping.listeners;
        self.sockets.each_listener(|name, cookie, _| listeners.extend([(name, cookie)]));
        self.keeping.stored =
            self.stored.records().map(|(record, _)| holding::stored(record.number)).collect();
        match self.journal.held() {
            Some(record) => self.keeping.keep([(holding::RECORD.to_owned(), record)]),
            None => Ok(()),
        }
    }

    pub(super) fn keep_all(&mut self) -> Result<(), KeeperError> {
        self.tell_policy()?;
        if let Some(record) = self.journal.held() {
            self.keeping.keep([(holding::RECORD.to_owned(), record)])?;
        }
        let mut failed = None;
        let keeping = &mut self.keeping;
        self.capture.each_pipe(|worker, stream, fd| {
            failed = failed.take().or(keeping.keep([(holding::log(worker, stream), fd)]).err());
        });
        if let Some(error) = failed {
            return Err(error);
        }
        // In one go: single messages have to wait for the receipts of others.
        keeping.keep(self.children.values().flat_map(descriptors))?;
        self.keep_listeners()?;
        self.keep_stored()
    }

    pub(super) fn keep_listeners(&mut self) -> Result<(), KeeperError> {
        let keeping = &mut self.keeping;
        let (mut now, mut failed) = (BTreeMap::new(), None);
        self.sockets.each_listener(|name, cookie, fd| {
            if keeping.listeners.get(&name) != Some(&cookie) {
                failed = failed.take().or(keeping.keep([(name.clone(), fd)]).err());
            }
            now.insert(name, cookie);
        });
        let gone = keeping.listeners.keys().filter(|name| !now.contains_key(*name)).cloned().collect();
        keeping.listeners = now;
        keeping.forget(gone)?;
        failed.map_or(Ok(()), Err)
    }

    pub(super) fn keep_stored(&mut self) -> Result<(), KeeperError> {
        let mut now = Vec::new();
        for (record, fd) in self.stored.records() {
            let name = holding::stored(record.number);
            if !self.keeping.stored.contains(&name) {
                self.keeping.keep([(name.clone(), fd)])?;
            }
            now.push(name);
        }
        let gone = self.keeping.stored.iter().filter(|name| !now.contains(name)).cloned().collect();
        self.keeping.stored = now;
        self.keeping.forget(gone)
    }

    /// A worker has a process: it is written down, and what it needs is held.
    pub(crate) fn keep_child(&mut self, child: &Child, outputs: [(Stream, BorrowedFd<'_>); 2]) {
        self.journal.add(&Entry::Hatched(child.record()));
        let logs = outputs.map(|(stream, fd)| (holding::log(child.id, stream), fd));
        let kept = self.keeping.keep(descriptors(child).chain(logs));
        self.mind_keeper(kept);
    }

    /// Another process is a worker's main one.
    pub(crate) fn keep_main(&mut self, worker: WorkerId) {
        let main = self.children.get(&worker).and_then(|child| child.main.as_ref());
        let kept = match main {
            Some(main) => self.keeping.keep([(holding::main(worker), main.pidfd.as_fd())]),
            None => self.keeping.forget(vec![holding::main(worker)]),
        };
        self.mind_keeper(kept);
    }

    /// A worker is buried.
    pub(crate) fn forget_child(&mut self, worker: WorkerId) {
        let forgotten = self.keeping.forget(holding::of_worker(worker));
        self.mind_keeper(forgotten);
    }
}
