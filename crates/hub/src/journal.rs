//! The store on the disk: every change as a command, in files that outlive a crash at any byte.
//!
//! A folder holds a *base* (the store at one moment, as commands) and the *logs* since, named by a manifest; the format
//! is in `docs/store-format.md`. The loop appends [records](Journal::append), hands them over once a turn
//! ([`Journal::flush`]), and a thread writes and syncs them (`writer`). Under [`Fsync::Always`] a reply waits until
//! its record is [settled](Journal::settled), which a descriptor tells.
//!
//! When the disk is full or fails, nothing is lost and nothing is skipped: what was appended stays in memory and is
//! tried again, [`Journal::trouble`] says what is wrong, and whoever owns the journal refuses further changes meanwhile.
//! When the disk is merely slow, [`Journal::is_congested`] says when to stop reading from those who write.

mod batch;
mod checksum;
mod commands;
mod failure;
mod manifest;
mod options;
mod recovery;
mod report;
mod rewrite;
mod scan;
mod seal;
mod segment;
mod shared;
#[cfg(test)]
mod tests;
mod writer;

use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use remuda_sys::eventfd::EventFd;
use remuda_sys::lock::{Lock, try_lock};

use batch::{CHUNK_BYTES, Gathering};
use segment::Segment;
use shared::{Item, Shared};
use writer::Writer;

pub use failure::{CloseError, OpenError};
pub use options::{Fsync, Options};
pub use recovery::Recovery;
pub use report::{Damage, Report, Torn};
pub use rewrite::{BaseWriter, RewriteError, Rewritten};

/// The lock's name in the folder: two hubs never write one journal.
const LOCK: &str = "lock";
/// How long a dropped journal tries to write what is left.
const DROP_PATIENCE: Duration = Duration::from_secs(2);
/// How long no rewrite is due after one that failed.
const REWRITE_PAUSE: Duration = Duration::from_secs(60);

/// The place of a record: they are counted from 1, anew with each start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position(pub u64);

/// Figures for whoever watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Records appended since the start.
    pub records: u64,
    /// Bytes of the base, and of the logs behind it.
    pub base_bytes: u64,
    /// See above.
    pub log_bytes: u64,
    /// Bytes of records that wait for the disk.
    pub pending_bytes: u64,
    /// Bytes of a base that wait for the disk, while one is written: as many as the store's commands have at most.
    pub base_pending_bytes: u64,
    /// Successful calls of fdatasync(2).
    pub syncs: u64,
    /// Calls that failed, retries included.
    pub failures: u64,
    /// How often the journal became congested.
    pub congestions: u64,
}

/// An open journal. Dropped, it tries for two seconds to write what is left; [`Journal::close`] tells how that went.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    options: Options,
    mark: seal::Mark,
    shared: Arc<Shared>,
    gathering: Gathering,
    appended: u64,
    /// The number of the last log that was begun or asked for, and how many stand behind the base.
    last_log: u64,
    logs: usize,
    /// The thread that writes a base, while there is one.
    rewriting: Option<rewrite::Running>,
    rewrite_pause: Option<Instant>,
    is_congested: bool,
    congestions: u64,
    thread: Option<JoinHandle<Result<(), String>>>,
    /// Held until all is written.
    _lock: Lock,
}

impl Journal {
    /// Opens the journal in `folder`, which is made if it is not there, and locks it. The first thing to do is
    /// [`Recovery::replay`].
    ///
    /// # Errors
    /// Another process has it, or its files cannot be read.
    pub fn open(folder: &Path, options: Options) -> Result<Recovery, OpenError> {
        std::fs::create_dir_all(folder)
            .map_err(|source| OpenError::Write { path: folder.to_owned(), source })?;
        let lock = try_lock(&folder.join(LOCK))?;
        let mut damage = Vec::new();
        let manifest = recovery::manifest(folder, &mut damage)?;
        Ok(Recovery { folder: folder.to_owned(), options, lock, manifest, damage })
    }

    fn start(
        recovery: Recovery,
        segment: Segment,
        bell: EventFd,
        log_bytes: u64,
        is_damaged: bool,
    ) -> Result<Self, OpenError> {
        let Recovery { folder, options, lock, manifest, .. } = recovery;
        let shared = Arc::new(Shared::new(bell));
        shared.log_bytes.store(log_bytes, Ordering::Relaxed);
        shared.base_bytes.store(manifest.base.map_or(0, |(_, length)| length), Ordering::Relaxed);
        shared.wants_rewrite.store(is_damaged, Ordering::Relaxed);
        let (mark, last_log, logs) = (manifest.mark, manifest.last(), manifest.logs.len());
        let writer = Writer::new(Arc::clone(&shared), folder.clone(), options.fsync, manifest, segment);
        let thread = thread::Builder::new()
            .name("journal".into())
            .spawn(move || writer.run())
            .map_err(OpenError::Thread)?;
        Ok(Self {
            folder,
            options,
            mark,
            shared,
            gathering: Gathering::default(),
            appended: 0,
            last_log,
            logs,
            rewriting: None,
            rewrite_pause: None,
            is_congested: false,
            congestions: 0,
            thread: Some(thread),
            _lock: lock,
        })
    }

    /// Appends a record: all effects of one command or group, encoded as commands on `database`, none of which is a
    /// `SELECT`. It is replayed as a whole or not at all. One copy; nothing is handed over before
    /// [`Journal::flush`], or 64 KiB.
    pub fn append(&mut self, database: u32, commands: &[u8]) -> Position {
        self.gathering.raw(database, commands);
        self.end_record()
    }

    /// Adds one command to the record that [`Journal::end_record`] ends: for effects that are not encoded yet, and for
    /// those on several databases.
    pub fn add(&mut self, database: u32, arguments: &[&[u8]]) {
        self.gathering.command(database, arguments);
    }

    /// Ends the record of the commands that were added.
    pub fn end_record(&mut self) -> Position {
        self.appended += 1;
        if self.gathering.len() >= CHUNK_BYTES {
            self.hand_over();
        }
        Position(self.appended)
    }

    /// Hands what was appended to the thread; once per turn of the loop, and without a wait. A record that was not
    /// ended must not stand open then.
    pub fn flush(&mut self) {
        if self.gathering.len() > 0 {
            self.hand_over();
        }
    }

    fn hand_over(&mut self) {
        let bytes = self.gathering.take(self.shared.spare());
        self.shared.pending.fetch_add(as_u64(bytes.len()), Ordering::AcqRel);
        self.shared.push(Item::Records { bytes, position: self.appended });
    }

    /// Up to where replies may be sent: what is on disk under [`Fsync::Always`], else everything appended.
    #[must_use]
    pub fn settled(&self) -> Position {
        match self.options.fsync {
            Fsync::Always => Position(self.shared.settled.load(Ordering::Acquire)),
            Fsync::Every(_) | Fsync::Never => Position(self.appended),
        }
    }

    /// Makes the descriptor ([`AsFd`]) silent. It becomes readable when more is settled, when the disk fails or comes
    /// back, when congestion ends and when a rewrite has ended. Call it before looking at these.
    pub fn clear(&self) {
        // Whoever calls looks at everything anyway.
        let _ = self.shared.bell.clear();
    }

    /// What is wrong with the disk; none while all is well. As long as there is something, refuse changes: they would
    /// pile up in memory.
    #[must_use]
    pub fn trouble(&self) -> Option<Arc<str>> {
        if !self.shared.is_in_trouble.load(Ordering::Acquire) {
            return None;
        }
        self.shared.lock().trouble.clone()
    }

    /// Whether more waits for the disk than the options allow. Then stop reading from clients that write, until it
    /// says no again, which is below half of that. What is appended all the same is kept.
    pub fn is_congested(&mut self) -> bool {
        let pending = self.shared.pending.load(Ordering::Acquire) + as_u64(self.gathering.len());
        let limit = if self.is_congested {
            self.options.pending_max_bytes / 2
        } else {
            self.options.pending_max_bytes
        };
        let before = std::mem::replace(&mut self.is_congested, pending > limit);
        self.congestions += u64::from(self.is_congested && !before);
        self.is_congested
    }

    /// Whether the logs have grown so much that a rewrite is worth it, or damage or a failed sync asks for one.
    #[must_use]
    pub fn is_rewrite_due(&self) -> bool {
        if self.rewriting.is_some() || self.rewrite_pause.is_some_and(|until| Instant::now() < until) {
            return false;
        }
        let Figures { base_bytes, log_bytes, .. } = self.figures();
        let Options { rewrite_growth, rewrite_min_bytes, .. } = self.options;
        self.shared.wants_rewrite.load(Ordering::Acquire)
            || rewrite::is_worth_it(base_bytes, log_bytes, rewrite_growth, rewrite_min_bytes)
    }

    /// Begins a rewrite: give the writer the whole store before anything else is appended, and finish it.
    /// What else has to outlast the old files, such as the last revision, belongs into it too.
    ///
    /// # Errors
    /// One is on its way, too many have failed, or there is no thread; nothing has changed then, but that none is due for a
    /// minute after the latter two.
    pub fn begin_rewrite(&mut self) -> Result<BaseWriter, RewriteError> {
        if self.rewriting.is_some() {
            return Err(RewriteError::Running);
        }
        let begun = self.try_rewrite();
        if begun.is_err() {
            self.rewrite_pause = Some(Instant::now() + REWRITE_PAUSE);
        }
        begun
    }

    fn try_rewrite(&mut self) -> Result<BaseWriter, RewriteError> {
        if self.logs >= manifest::LOGS_MAX {
            return Err(RewriteError::TooManyLogs(self.logs));
        }
        self.flush();
        let number = self.last_log + 1;
        let (writer, running) = BaseWriter::begin(Arc::clone(&self.shared), &self.folder, number, self.mark)?;
        self.shared.push(Item::Turn { number });
        self.last_log = number;
        self.logs += 1;
        self.rewriting = Some(running);
        Ok(writer)
    }

    /// How the rewrite ended, told once; none while it is on its way. After a failure none is due for a minute.
    pub fn rewritten(&mut self) -> Option<Result<Rewritten, RewriteError>> {
        let outcome = self.shared.lock().rewritten.take()?;
        self.rewriting = None;
        match outcome {
            Ok(_) => self.logs = 1,
            Err(_) => self.rewrite_pause = Some(Instant::now() + REWRITE_PAUSE),
        }
        Some(outcome)
    }

    /// Figures as they are now.
    #[must_use]
    pub fn figures(&self) -> Figures {
        Figures {
            records: self.appended,
            base_bytes: self.shared.base_bytes.load(Ordering::Relaxed),
            log_bytes: self.shared.log_bytes.load(Ordering::Relaxed),
            pending_bytes: self.shared.pending.load(Ordering::Relaxed) + as_u64(self.gathering.len()),
            base_pending_bytes: self.rewriting.as_ref().map_or(0, rewrite::Running::pending_bytes),
            syncs: self.shared.syncs.load(Ordering::Relaxed),
            failures: self.shared.failures.load(Ordering::Relaxed),
            congestions: self.congestions,
        }
    }

    /// Writes and syncs everything, whatever [`Fsync`] says, and gives the folder free: for a stop, or for a successor.
    /// Waits for the disk, at most `patience` when it fails.
    ///
    /// # Errors
    /// Something is still not on the disk.
    pub fn close(mut self, patience: Duration) -> Result<(), CloseError> {
        self.end(patience)
    }

    fn end(&mut self, patience: Duration) -> Result<(), CloseError> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        self.flush();
        if let Some(running) = self.rewriting.take() {
            running.end();
        }
        self.shared.close(Instant::now() + patience);
        let result = thread.join().unwrap_or_else(|_| Err("the writing thread ended early".to_owned()));
        let records = self.appended - self.shared.settled.load(Ordering::Acquire);
        result.map_err(|why| CloseError { why, records })
    }
}

impl AsFd for Journal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.shared.bell.as_fd()
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // Who wants to know calls `close`.
        let _ = self.end(DROP_PATIENCE);
    }
}

fn as_u64(length: usize) -> u64 {
    u64::try_from(length).expect("a length in memory fits")
}
