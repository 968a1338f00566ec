//! A snapshot of the store in the place of a long log.
//!
//! The loop dumps the store into a [`BaseWriter`] in the same turn in which it asked for one: at that moment the next
//! log begins, so base and log together are the store, whatever happens meanwhile. The loop does not wait for the disk:
//! what the disk has not taken yet stays in memory, which is the store once more at most, is counted, and goes as the
//! file grows. A thread of its own writes and syncs the file under a name that no reader knows; when it is whole it gets its name, the manifest names it, and what
//! it replaces is removed. Until that very step the old base and all logs are the journal.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::as_u64;
use super::batch::{CHUNK_BYTES, Gathering};
use super::seal::{Mark, Seal};
use super::segment::{Name, Segment, sync_folder};
use super::shared::{BaseEnd, Shared};

/// A finished rewrite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rewritten {
    /// Bytes of the new base.
    pub base_bytes: u64,
    /// From the call of [`Journal::begin_rewrite`](super::Journal::begin_rewrite) to the removal of the old files.
    pub took: Duration,
}

/// Why there is no new base. The journal goes on with the old one and all its logs.
#[derive(Debug, thiserror::Error)]
pub enum RewriteError {
    /// One at a time.
    #[error("begin a rewrite: one is on its way")]
    Running,
    /// Too many failed.
    #[error("begin a rewrite: {0} logs stand behind the last base, which is the most there may be")]
    TooManyLogs(usize),
    /// The file of the new base.
    #[error("write the new base {path}: {source}; the old one and its logs stay")]
    Write {
        /// Where it was to be.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// No thread for it.
    #[error("start the thread that writes a base: {0}; the old one and its logs stay")]
    Thread(#[source] io::Error),
    /// The writer was dropped before it was finished.
    #[error("the rewrite was given up before its end; the old base and its logs stay")]
    GivenUp,
}

/// Takes the store's content as commands; [`BaseWriter::finish`] makes it count, dropping it gives it up.
#[derive(Debug)]
pub struct BaseWriter {
    gathering: Gathering,
    chunks: Sender<Chunk>,
    passage: Arc<Passage>,
}

/// What is known of the chunks on their way.
#[derive(Debug, Default)]
struct Passage {
    /// Bytes that were handed over and are not written.
    pending: AtomicU64,
    /// Nobody wants the base any more, however much of it waits.
    is_given_up: AtomicBool,
}

#[derive(Debug)]
enum Chunk {
    Commands(Vec<u8>),
    Last(Vec<u8>),
    GiveUp,
}

/// The journal's hold on the thread.
#[derive(Debug)]
pub(super) struct Running {
    chunks: Sender<Chunk>,
    passage: Arc<Passage>,
    thread: JoinHandle<()>,
}

impl Running {
    /// Bytes that wait for the disk.
    pub(super) fn pending_bytes(&self) -> u64 {
        self.passage.pending.load(Ordering::Relaxed)
    }

    /// Gives the base up unless it is whole, and waits until the thread touches the folder no more.
    pub(super) fn end(self) {
        self.passage.is_given_up.store(true, Ordering::Relaxed);
        // It wakes a thread that has written all it was given. One that is gone has told how it ended, and so does one
        // that panics: nobody is left to hear it.
        let _ = self.chunks.send(Chunk::GiveUp);
        let _ = self.thread.join();
    }
}

/// The thread's side.
#[derive(Debug)]
struct Task {
    folder: PathBuf,
    number: u64,
    mark: Mark,
    began: Instant,
    chunks: Receiver<Chunk>,
    passage: Arc<Passage>,
}

impl BaseWriter {
    pub(super) fn begin(
        shared: Arc<Shared>,
        folder: &Path,
        number: u64,
        mark: Mark,
    ) -> Result<(Self, Running), RewriteError> {
        let (chunks, receiver) = channel();
        let passage = Arc::new(Passage::default());
        let task = Task {
            folder: folder.to_owned(),
            number,
            mark,
            began: Instant::now(),
            chunks: receiver,
            passage: Arc::clone(&passage),
        };
        let thread = thread::Builder::new()
            .name("journal base".into())
            .spawn(move || shared.end_base(task.run()))
            .map_err(RewriteError::Thread)?;
        let running = Running { chunks: chunks.clone(), passage: Arc::clone(&passage), thread };
        Ok((Self { gathering: Gathering::default(), chunks, passage }, running))
    }

    /// Adds a command on `database`, without a wait. After a failure what is added is thrown away; the failure
    /// comes out of [`Journal::rewritten`](super::Journal::rewritten).
    pub fn command(&mut self, database: u32, arguments: &[&[u8]]) {
        self.gathering.command(database, arguments);
        if self.gathering.len() >= CHUNK_BYTES {
            let chunk = self.gathering.take(Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 4));
            self.hand_over(Chunk::Commands, chunk);
        }
    }

    /// That was everything. Returns at once; [`Journal::rewritten`](super::Journal::rewritten) tells the end.
    pub fn finish(mut self) {
        let last = self.gathering.take(Vec::new());
        self.hand_over(Chunk::Last, last);
    }

    fn hand_over(&self, kind: fn(Vec<u8>) -> Chunk, bytes: Vec<u8>) {
        let length = as_u64(bytes.len());
        self.passage.pending.fetch_add(length, Ordering::Relaxed);
        if self.chunks.send(kind(bytes)).is_err() {
            // The thread is gone when it failed, which it has told already.
            self.passage.pending.fetch_sub(length, Ordering::Relaxed);
        }
    }
}

impl Drop for BaseWriter {
    fn drop(&mut self) {
        // After the last chunk nobody listens any more.
        let _ = self.chunks.send(Chunk::GiveUp);
    }
}

impl Task {
    fn run(self) -> BaseEnd {
        let name = Name::Base(self.number);
        let path = self.folder.join(name.to_string());
        let part = self.folder.join(format!("{name}.part"));
        let result = self.write(&part, name).and_then(|length| {
            let Some(length) = length else { return Err(RewriteError::GivenUp) };
            std::fs::rename(&part, &path)
                .and_then(|()| sync_folder(&self.folder))
                .map_err(|source| RewriteError::Write { path: path.clone(), source })?;
            Ok(length)
        });
        match result {
            Ok(length) => BaseEnd::Finished { number: self.number, length, began: self.began },
            Err(error) => {
                // One that stays is removed by the next start.
                let _ = std::fs::remove_file(&part);
                BaseEnd::Failed(error)
            }
        }
    }

    /// The length of the whole base; `None` when it was given up.
    fn write(&self, part: &Path, name: Name) -> Result<Option<u64>, RewriteError> {
        let failed = |source| RewriteError::Write { path: part.to_owned(), source };
        let mut segment = Segment::create(part, name, self.mark).map_err(failed)?;
        while let Ok(chunk) = self.chunks.recv() {
            if self.passage.is_given_up.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let (mut bytes, is_last) = match chunk {
                Chunk::Commands(bytes) => (bytes, false),
                Chunk::Last(bytes) => (bytes, true),
                Chunk::GiveUp => return Ok(None),
            };
            let length = as_u64(bytes.len());
            if !bytes.is_empty() {
                Seal::write(self.mark, name, segment.length(), 0, &mut bytes);
                segment.write(&bytes).map_err(failed)?;
            }
            self.passage.pending.fetch_sub(length, Ordering::Relaxed);
            if is_last {
                segment.sync().map_err(failed)?;
                return Ok(Some(segment.length()));
            }
        }
        Ok(None)
    }
}

/// Whether files of these lengths are worth a rewrite.
pub(super) fn is_worth_it(base_bytes: u64, log_bytes: u64, growth: f64, min_bytes: u64) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "a ratio of lengths; the last digits do not matter")]
    let grown = (base_bytes + log_bytes) as f64 >= base_bytes as f64 * growth;
    base_bytes + log_bytes >= min_bytes && grown && log_bytes > 0
}
