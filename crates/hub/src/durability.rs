//! What the store has said of its changes, on its way to the disk; or nowhere, where nothing is to be kept.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use remuda_model::Tick;
use remuda_store::{Moment, Store};

use crate::journal::{Fsync, Journal, Position, RewriteError};

/// Between two looks at how much the disk's thread has still to write.
const DRAIN_PAUSE: Duration = Duration::from_millis(1);

/// The journal, if there is one.
#[derive(Debug)]
pub(crate) struct Durability {
    journal: Option<Journal>,
    fsync: Fsync,
    /// Commands were added to a record that was not ended.
    is_open: bool,
    /// What the last record said is to wait for, until somebody takes it.
    hold: Option<u64>,
    /// Where the newest record ends, where anybody has to wait for it.
    newest: u64,
    /// There is a journal, but another process has it: why, and when that is looked at again.
    missing: Option<(Arc<str>, Tick)>,
    /// Whether it was said that writes are refused.
    was_in_trouble: bool,
}

impl Durability {
    /// Keeps everything with `journal`, or nothing.
    pub(crate) fn new(journal: Option<Journal>, fsync: Fsync) -> Self {
        Self { journal, fsync, is_open: false, hold: None, newest: 0, missing: None, was_in_trouble: false }
    }

    /// Becomes readable when the disk has done something.
    pub(crate) fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        self.journal.as_ref().map(AsFd::as_fd)
    }

    pub(crate) fn hear(&self) {
        if let Some(journal) = &self.journal {
            journal.clear();
        }
    }

    /// Adds a command to the record that [`Self::end_record`] ends.
    pub(crate) fn add(&mut self, database: u32, arguments: &[&[u8]]) {
        if let Some(journal) = &mut self.journal {
            // A record is a unit anyway: the brackets around several effects have done their work.
            let bracket = matches!(arguments, [word] if *word == b"MULTI" || *word == b"EXEC");
            if !bracket {
                journal.add(database, arguments);
                self.is_open = true;
            }
        }
    }

    pub(crate) fn end_record(&mut self) {
        if let Some(journal) = self.journal.as_mut().filter(|_| self.is_open) {
            let Position(position) = journal.end_record();
            self.is_open = false;
            if self.fsync == Fsync::Always {
                self.hold = Some(position);
                self.newest = position;
            }
        }
    }

    /// A record of one command.
    pub(crate) fn append(&mut self, database: u32, arguments: &[&[u8]]) {
        self.add(database, arguments);
        self.end_record();
    }

    /// What the reply to whatever was done since the last call has to wait for.
    pub(crate) fn take_hold(&mut self) -> Option<u64> {
        self.hold.take()
    }

    /// Gives back what [`Self::take_hold`] took for somebody else; what came since is later, and stays.
    pub(crate) fn put_hold(&mut self, before: Option<u64>) {
        self.hold = self.hold.max(before);
    }

    /// What has to be settled before anybody is told what the store is now.
    pub(crate) fn newest(&self) -> u64 {
        self.newest
    }

    /// Up to where replies may leave.
    pub(crate) fn settled(&self) -> u64 {
        self.journal.as_ref().map_or(u64::MAX, |journal| journal.settled().0)
    }

    /// Hands what was appended to the disk's thread.
    pub(crate) fn flush(&mut self) {
        if let Some(journal) = &mut self.journal {
            journal.flush();
        }
    }

    /// Whether whoever writes has to wait for the disk.
    pub(crate) fn is_congested(&mut self) -> bool {
        self.journal.as_mut().is_some_and(Journal::is_congested)
    }

    /// What is wrong with the disk.
    pub(crate) fn trouble(&self) -> Option<Arc<str>> {
        if let Some((why, _)) = &self.missing {
            return Some(Arc::clone(why));
        }
        self.journal.as_ref().and_then(Journal::trouble)
    }

    /// Whether writes have begun to be refused, and why, or are taken again: told once each.
    pub(crate) fn turned(&mut self) -> Option<Result<(), Arc<str>>> {
        let trouble = self.trouble();
        if trouble.is_some() == std::mem::replace(&mut self.was_in_trouble, trouble.is_some()) {
            return None;
        }
        Some(trouble.map_or(Ok(()), Err))
    }

    /// Whether changes are kept at all.
    pub(crate) fn is_on(&self) -> bool {
        self.journal.is_some()
    }

    /// Writes the whole store anew, and what `beside` gives, if that is worth it or `wanted`.
    pub(crate) fn rewrite(
        &mut self,
        store: &Store,
        moment: Moment,
        wanted: bool,
        beside: impl FnOnce(&mut dyn FnMut(&[&[u8]])),
    ) -> Result<(), RewriteError> {
        let Some(journal) = self.journal.as_mut().filter(|journal| wanted || journal.is_rewrite_due()) else {
            return Ok(());
        };
        let mut base = journal.begin_rewrite()?;
        store.dump(moment, &mut |database, arguments| base.command(database, arguments));
        beside(&mut |arguments| base.command(0, arguments));
        base.finish();
        Ok(())
    }

    /// Has the disk hold `store`, what `beside` gives, and nothing else, and waits for that: at most `limit`.
    pub(crate) fn write_anew(
        &mut self,
        store: &Store,
        moment: Moment,
        limit: Duration,
        beside: impl FnOnce(&mut dyn FnMut(&[&[u8]])),
    ) -> Result<(), String> {
        self.rewrite(store, moment, true, beside).map_err(|error| error.to_string())?;
        let end = Instant::now() + limit;
        while self.is_on() {
            match self.rewritten() {
                Some(Ok(_)) => break,
                Some(Err(error)) => return Err(error.to_string()),
                None if Instant::now() > end => return Err("the disk is too slow".to_owned()),
                None => std::thread::sleep(DRAIN_PAUSE),
            }
        }
        Ok(())
    }

    /// How the last rewrite ended, told once.
    pub(crate) fn rewritten(&mut self) -> Option<Result<crate::journal::Rewritten, RewriteError>> {
        self.journal.as_mut().and_then(Journal::rewritten)
    }

    /// Figures of the disk.
    pub(crate) fn figures(&self) -> crate::journal::Figures {
        self.journal.as_ref().map(Journal::figures).unwrap_or_default()
    }

    /// Goes on with a journal that was opened again.
    pub(crate) fn put(&mut self, journal: Journal) {
        self.journal = Some(journal);
        // Its positions begin anew, and what it holds is on disk.
        self.newest = 0;
        self.missing = None;
    }

    /// The journal cannot be had for now; it is to be tried again at `again`.
    pub(crate) fn miss(&mut self, why: &str, again: Tick) {
        self.missing = Some((why.into(), again));
    }

    /// When a journal that is missing is to be looked for again.
    pub(crate) fn again(&self) -> Option<Tick> {
        self.missing.as_ref().map(|(_, again)| *again)
    }

    /// Waits until the disk's thread has written everything it was given: at most `limit`, or until the disk fails.
    pub(crate) fn drain(&mut self, limit: Duration) -> Result<(), Arc<str>> {
        self.flush();
        let end = Instant::now() + limit;
        loop {
            if let Some(why) = self.trouble() {
                return Err(why);
            }
            if self.figures().pending_bytes == 0 {
                return Ok(());
            }
            if Instant::now() > end {
                return Err("the disk is too slow".into());
            }
            std::thread::sleep(DRAIN_PAUSE);
        }
    }

    /// Gives the journal up, everything written.
    pub(crate) fn take(&mut self) -> Option<Journal> {
        self.journal.take()
    }
}
