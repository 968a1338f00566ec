//! The journal of the locks: opened with the first of them, looked for when it is missing, written anew when it has grown.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use remuda_model::Tick;
use remuda_store::LockRecord;

use super::{CLOSE_WITHIN, LOOK_AGAIN, Locking, REWRITE_MIN_BYTES};
use crate::journal::{Fsync, Journal, Options, RewriteError};

impl Locking {
    /// Reads what the disk has, if it has anything: what was held is held for its whole ttl again.
    pub(crate) fn recover(&mut self, now: Tick) -> Result<(), String> {
        let is_own = self.shared.is_none() && self.folder.exists();
        if is_own { self.open(Some(now)) } else { Ok(()) }
    }

    /// No locks are given in this hub's life: nobody knows which ones are held.
    pub(crate) fn refuse(&mut self, why: &str) {
        log::error!("read the journal of the locks: {why}; locks are refused until the hub is started anew");
        self.refusal = Some(format!("LOCKSDISK the journal of the locks cannot be read: {why}"));
    }

    /// Opens the journal; what it says is taken in where `now` is given, and else is what we know.
    pub(super) fn open(&mut self, now: Option<Tick>) -> Result<(), String> {
        let options =
            Options { fsync: Fsync::Always, rewrite_min_bytes: REWRITE_MIN_BYTES, ..Options::default() };
        let recovery = Journal::open(&self.folder, options).map_err(|error| error.to_string())?;
        let machine = &mut self.machine;
        let replayed = recovery.replay(&mut |words| {
            if let (Some(now), Some(record)) = (now, LockRecord::parse(words)) {
                machine.replay(now, &record);
            }
        });
        let (journal, report) = replayed.map_err(|error| error.to_string())?;
        if report.is_damaged() {
            log::error!(
                "the journal of the locks is damaged: a lock that was held may be given away before its lease ended; \
                 fences are larger than all before. {report}"
            );
        }
        self.journal = Some(journal);
        (self.is_watched, self.position) = (false, 0);
        Ok(())
    }

    /// Why no lease goes on here.
    pub(super) fn reachable(&mut self, now: Tick) -> Result<(), String> {
        if let Some(why) = &self.refusal {
            return Err(why.clone());
        }
        if !self.is_there(now) {
            return Err(
                "LOCKSDISK a new hub that failed still has the journal of the locks: ask again".to_owned()
            );
        }
        Ok(())
    }

    /// Why no lock is given, or given back, now.
    pub(super) fn ready(&mut self, now: Tick) -> Result<(), String> {
        self.reachable(now)?;
        if self.journal.is_none()
            && let Err(why) = self.open(None)
        {
            return Err(format!("LOCKSDISK the disk cannot keep locks: {why}; nothing has changed"));
        }
        match self.trouble() {
            Some(why) => Err(format!("LOCKSDISK the disk does not take locks: {why}; nothing has changed")),
            None => Ok(()),
        }
    }

    pub(super) fn trouble(&self) -> Option<Arc<str>> {
        self.journal.as_ref().and_then(Journal::trouble)
    }

    /// Looks for a journal that is missing, when it is time to.
    pub(super) fn is_there(&mut self, now: Tick) -> bool {
        if self.missing.is_some_and(|again| again <= now) {
            match self.open(None) {
                Ok(()) => {
                    self.missing = None;
                    for client in std::mem::take(&mut self.gone) {
                        self.gone(now, client);
                    }
                }
                Err(_) => self.missing = Some(now + LOOK_AGAIN),
            }
        }
        self.missing.is_none()
    }

    pub(super) fn settled(&self) -> u64 {
        self.journal.as_ref().map_or(u64::MAX, |journal| journal.settled().0)
    }

    /// Hands the disk's thread what came, and writes the journal anew when it has grown too much.
    pub(super) fn keep(&mut self) {
        let trouble = self.trouble();
        let Some(journal) = &mut self.journal else { return };
        journal.flush();
        self.is_behind = false;
        if trouble.is_some() != std::mem::replace(&mut self.was_in_trouble, trouble.is_some()) {
            match &trouble {
                Some(why) => log::error!("the disk does not take locks: {why}; they are refused from now on"),
                None => log::warn!("the disk takes locks again"),
            }
        }
        if journal.is_rewrite_due() {
            match journal.begin_rewrite() {
                Ok(mut base) => {
                    self.machine.dump(&mut |words| base.command(0, words));
                    base.finish();
                }
                Err(RewriteError::Running) => {}
                Err(error) => {
                    log::warn!("rewrite the journal of the locks: {error}; it goes on as it is");
                }
            }
        }
        if let Some(Err(error)) = journal.rewritten() {
            log::warn!("rewrite the journal of the locks: {error}; it goes on as it is");
        }
    }

    /// The disk has done something.
    pub(crate) fn hear(&self) {
        if let Some(journal) = &self.journal {
            journal.clear();
        }
    }

    /// A descriptor that is to be watched from now on.
    pub(super) fn begin_watch(&mut self) -> Option<BorrowedFd<'_>> {
        let journal = self.journal.as_ref().filter(|_| !self.is_watched)?;
        self.is_watched = true;
        Some(journal.as_fd())
    }

    /// The one that is watched.
    pub(super) fn watched(&self) -> Option<BorrowedFd<'_>> {
        self.journal.as_ref().filter(|_| self.is_watched).map(AsFd::as_fd)
    }

    /// The end: the disk has everything.
    pub(crate) fn finish(&mut self) {
        if let Some(journal) = self.journal.take()
            && let Err(error) = journal.close(CLOSE_WITHIN)
        {
            log::error!("the journal of the locks: {error}");
        }
    }
}
