//! The thread that writes.
//!
//! It takes what is queued, seals it into batches, writes them with one call and syncs them with another: while a sync
//! is on its way the loop queues more, and the next one settles it all (group commit). What fails stays in memory, is
//! cut off the file again, and is tried anew, ever more rarely; nothing is skipped and nothing is written twice.
//!
//! After a failed fdatasync(2) the kernel may have dropped the pages and call the next one a success. Under
//! [`Fsync::Always`] the batch is still here and is written again; otherwise what was written since the last sync is
//! not, and the journal asks for a rewrite, which puts the whole store on the disk once more.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::batch::CHUNK_BYTES;
use super::manifest::Manifest;
use super::rewrite::Rewritten;
use super::seal::Seal;
use super::segment::{Name, Segment, sync_folder};
use super::shared::{BaseEnd, Item, Shared};
use super::{Fsync, as_u64};

/// What is written with one call, unless a single record is longer: large enough that calls do not matter, small
/// enough that a waiting reply is not held up by those behind it.
const WRITE_BYTES: usize = 1024 * 1024;
/// The first wait after a failure, doubled up to the longest: room on a disk comes back when somebody makes it.
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_LONGEST: Duration = Duration::from_secs(2);

/// The thread's side.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) folder: PathBuf,
    pub(super) fsync: Fsync,
    pub(super) manifest: Manifest,
    pub(super) segment: Segment,
    /// Batches, sealed for the place where the segment ends.
    staged: Vec<u8>,
    /// The last record in `staged`, and the bytes that the queue counts for them.
    staged_position: u64,
    staged_pending: u64,
    /// Since when something is written that was not synced.
    unsynced: Option<Instant>,
    retry: Duration,
    is_failing: bool,
}

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        folder: PathBuf,
        fsync: Fsync,
        manifest: Manifest,
        segment: Segment,
    ) -> Self {
        Self {
            shared,
            folder,
            fsync,
            manifest,
            segment,
            staged: Vec::new(),
            staged_position: 0,
            staged_pending: 0,
            unsynced: None,
            retry: RETRY_FIRST,
            is_failing: false,
        }
    }

    /// Works until the journal is closed; what could not be written by then is the error.
    pub(super) fn run(mut self) -> Result<(), String> {
        let shared = Arc::clone(&self.shared);
        loop {
            // What failed is tried again without being asked.
            let until = if self.is_failing { Some(Instant::now()) } else { self.sync_due() };
            let queue = shared.wait(until);
            let closing = queue.closing;
            let idle = queue.items.is_empty() && queue.base.is_none() && self.staged.is_empty();
            drop(queue);
            let result = match closing {
                Some(_) if idle => self.sync().map_err(|error| self.describe("sync", &error)),
                _ => self.work(),
            };
            match result {
                Ok(()) if closing.is_some() && idle => return Ok(()),
                Ok(()) => self.succeed(),
                Err(trouble) => self.fail(trouble)?,
            }
        }
    }

    fn sync_due(&self) -> Option<Instant> {
        match self.fsync {
            Fsync::Every(time) => self.unsynced.map(|since| since + time),
            Fsync::Always | Fsync::Never => None,
        }
    }

    /// Does what is queued and due, until nothing is or something fails.
    fn work(&mut self) -> Result<(), String> {
        loop {
            self.end_rewrite()?;
            if self.staged.is_empty() {
                self.stage();
            }
            if !self.staged.is_empty() {
                self.write_staged()?;
            } else if !self.perform_first()? {
                break;
            }
            self.sync_if_due()?;
        }
        self.sync_if_due()
    }

    fn sync_if_due(&mut self) -> Result<(), String> {
        if self.sync_due().is_some_and(|due| due <= Instant::now()) {
            self.sync().map_err(|error| self.describe("sync", &error))?;
        }
        Ok(())
    }

    /// Seals the records at the head of the queue.
    fn stage(&mut self) {
        let mut start = 0;
        while self.staged.len() < WRITE_BYTES {
            let mut queue = self.shared.lock();
            let Some(Item::Records { .. }) = queue.items.front() else { break };
            let Some(Item::Records { bytes, position }) = queue.items.pop_front() else { break };
            drop(queue);
            self.staged.extend_from_slice(&bytes);
            self.staged_position = position;
            self.staged_pending += as_u64(bytes.len());
            self.shared.give_back(bytes);
            if self.staged.len() - start >= CHUNK_BYTES {
                start = self.seal(start);
            }
        }
        if start < self.staged.len() {
            self.seal(start);
        }
    }

    fn seal(&mut self, start: usize) -> usize {
        let offset = self.segment.length() + as_u64(start);
        Seal::write(self.manifest.mark, self.segment.name, offset, start, &mut self.staged);
        self.staged.len()
    }

    fn write_staged(&mut self) -> Result<(), String> {
        let before = self.segment.length();
        self.segment.write(&self.staged).map_err(|error| self.describe("write to", &error))?;
        if self.fsync == Fsync::Always {
            if let Err(error) = self.segment.sync() {
                self.segment.withdraw(before);
                return Err(self.describe("sync", &error));
            }
            self.shared.syncs.fetch_add(1, Ordering::Relaxed);
        } else if self.unsynced.is_none() {
            self.unsynced = Some(Instant::now());
        }
        self.shared.log_bytes.fetch_add(as_u64(self.staged.len()), Ordering::Relaxed);
        self.staged.clear();
        self.staged.shrink_to(2 * WRITE_BYTES);
        self.shared.pending.fetch_sub(std::mem::take(&mut self.staged_pending), Ordering::AcqRel);
        self.shared.settled.store(self.staged_position, Ordering::Release);
        self.shared.bell.ring();
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.unsynced.is_none() {
            return Ok(());
        }
        if let Err(error) = self.segment.sync() {
            self.shared.wants_rewrite.store(true, Ordering::Release);
            return Err(error);
        }
        self.shared.syncs.fetch_add(1, Ordering::Relaxed);
        self.unsynced = None;
        Ok(())
    }

    /// Turns to the next log if that is the first thing in the queue; whether it was.
    fn perform_first(&mut self) -> Result<bool, String> {
        let first = self.shared.lock().items.front().and_then(|item| match item {
            Item::Turn { number } => Some(*number),
            Item::Records { .. } => None,
        });
        let Some(number) = first else { return Ok(!self.shared.lock().items.is_empty()) };
        self.turn(number).map_err(|error| self.describe("end", &error))?;
        self.shared.lock().items.pop_front();
        Ok(true)
    }

    /// Takes a finished base over, or tells that there is none.
    fn end_rewrite(&mut self) -> Result<(), String> {
        let end = self.shared.lock().base.take();
        let outcome = match end {
            None => return Ok(()),
            Some(BaseEnd::Finished { number, length, began }) => {
                let adopted =
                    if number > self.manifest.last() { Ok(false) } else { self.adopt(number, length) };
                if !matches!(adopted, Ok(true)) {
                    self.shared.lock().base = Some(BaseEnd::Finished { number, length, began });
                }
                match adopted {
                    Ok(true) => Ok(Rewritten { base_bytes: length, took: began.elapsed() }),
                    // The log of its number has not begun: that stands in the queue.
                    Ok(false) => return Ok(()),
                    Err(error) => return Err(self.describe("let a snapshot replace", &error)),
                }
            }
            Some(BaseEnd::Failed(error)) => Err(error),
        };
        self.shared.lock().rewritten = Some(outcome);
        self.shared.bell.ring();
        Ok(())
    }

    /// Closes the log and begins the next; until the manifest names it nothing is written to it.
    fn turn(&mut self, number: u64) -> io::Result<()> {
        self.sync()?;
        let name = Name::Log(number);
        let next = Segment::create(&self.folder.join(name.to_string()), name, self.manifest.mark)?;
        next.sync()?;
        let mut manifest = self.manifest.clone();
        if let Some(last) = manifest.logs.last_mut() {
            last.1.get_or_insert(self.segment.length());
        }
        manifest.logs.push((number, None));
        manifest.write(&self.folder).map_err(io::Error::other)?;
        self.shared.log_bytes.fetch_add(next.length(), Ordering::Relaxed);
        self.manifest = manifest;
        self.segment = next;
        Ok(())
    }

    /// Names the base, and removes what it replaces.
    fn adopt(&mut self, number: u64, length: u64) -> io::Result<bool> {
        let mut manifest = self.manifest.clone();
        manifest.base = Some((number, length));
        manifest.logs.retain(|(log, _)| *log >= number);
        manifest.write(&self.folder).map_err(io::Error::other)?;
        let replaced: Vec<Name> = self.manifest.files().map(|(name, _)| name).collect();
        self.manifest = manifest;
        for name in replaced {
            if self.manifest.files().all(|(kept, _)| kept != name) {
                // A file that stays is removed by the next start: no manifest names it.
                let _ = std::fs::remove_file(self.folder.join(name.to_string()));
            }
        }
        self.shared.base_bytes.store(length, Ordering::Relaxed);
        let logs = self.manifest.logs.iter().filter_map(|(_, length)| *length).sum::<u64>();
        self.shared.log_bytes.store(logs + self.segment.length(), Ordering::Relaxed);
        self.shared.wants_rewrite.store(false, Ordering::Release);
        // The manifest is on disk and says what counts; when the removals are there does not matter.
        let _ = sync_folder(&self.folder);
        Ok(true)
    }

    fn succeed(&mut self) {
        self.retry = RETRY_FIRST;
        self.is_failing = false;
        if self.shared.is_in_trouble.load(Ordering::Acquire) {
            self.shared.set_trouble(None);
        }
    }

    /// Tells the trouble and waits for the next try; the trouble comes back when the time is over.
    fn fail(&mut self, trouble: String) -> Result<(), String> {
        self.shared.failures.fetch_add(1, Ordering::Relaxed);
        self.is_failing = true;
        let until = Instant::now() + self.retry;
        self.retry = (self.retry * 2).min(RETRY_LONGEST);
        self.shared.set_trouble(Some(trouble.clone()));
        let closing = self.shared.pause(until).closing;
        let Some(by) = closing else { return Ok(()) };
        let left = by.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(trouble);
        }
        std::thread::sleep(left.min(RETRY_FIRST));
        Ok(())
    }

    fn describe(&self, attempt: &str, error: &io::Error) -> String {
        let path = self.folder.join(self.segment.name.to_string());
        let reason = error.raw_os_error().map_or_else(|| error.to_string(), remuda_sys::errno::describe);
        format!("{attempt} {}: {reason}", path.display())
    }
}
