//! The thread that drains the pipes of all workers.
//!
//! It reads, splits and stores, and never waits for anything else: terminals, files and API clients pull from the
//! store, or take from bounded queues, so a worker's write blocks only while the pipe itself (256 KiB) is full.
//! Each ready pipe gets one read in its turn, so one that floods does not starve the others.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use regex_lite::Regex;
use remuda_model::{ServiceName, WorkerId};
use remuda_sys::CallError;
use remuda_sys::event::{Interest, Poller, Token};
use remuda_sys::{clock, pipe};
use tokio::sync::Notify;

use super::files::LogFiles;
use super::splitter::{Cut, Splitter};
use super::{LogLine, LogStore, Stream};
use crate::record::BegunLine;

/// Bytes taken from one pipe in its turn.
const CHUNK_BYTES: usize = 64 * 1024;
/// Bytes taken from the pipes of a worker that has ended, so that its last words are in its exit event.
const LAST_WORDS_MAX_BYTES: usize = 1024 * 1024;
/// The token of the pipe whose end tells the thread to end; pipes count up from the next.
const STOP: Token = Token(0);

/// The capture of all workers' outputs.
#[derive(Debug)]
pub(crate) struct Capture {
    shared: Arc<Shared>,
    /// Dropping it ends the thread.
    stop: Option<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    /// Watches the pipes. Taken after `pipes` where both are, and never waited on while held.
    poller: Mutex<Poller>,
    pipes: Mutex<Pipes>,
    store: LogStore,
    files: LogFiles,
    /// Wakes the loop when a line made a worker ready.
    matched: Notify,
}

#[derive(Debug, Default)]
struct Pipes {
    by_token: BTreeMap<u64, Pipe>,
    next_token: u64,
    buffer: Vec<u8>,
    patterns: BTreeMap<WorkerId, Sought>,
    ready: Vec<WorkerId>,
}

/// A pattern whose match in its output makes a worker ready.
#[derive(Debug)]
struct Sought {
    pattern: Regex,
    /// It has matched before anybody waited for it: a program may speak before we are told that it runs.
    matched: bool,
    /// Somebody waits for it.
    awaited: bool,
}

#[derive(Debug)]
struct Pipe {
    file: File,
    writer: Writer,
    splitter: Splitter,
}

/// Whose output a pipe carries.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    pub(crate) worker: Option<WorkerId>,
    pub(crate) service: ServiceName,
    pub(crate) slot: u32,
    pub(crate) pid: u32,
    pub(crate) stream: Stream,
}

impl Capture {
    /// Starts the thread.
    pub(crate) fn start(store: LogStore, files: LogFiles) -> Result<Self, CallError> {
        let poller = Poller::new()?;
        let waiter = Poller::new()?;
        let stop = pipe::plain()?;
        waiter.add(&poller, Token(1), Interest::Read)?;
        waiter.add(&stop.reader, STOP, Interest::Read)?;
        let pipes = Mutex::new(Pipes { next_token: 1, buffer: vec![0; CHUNK_BYTES], ..Pipes::default() });
        let poller = Mutex::new(poller);
        let shared = Arc::new(Shared { poller, pipes, store, files, matched: Notify::new() });
        let drained = Arc::clone(&shared);
        let held = stop.reader;
        let thread = std::thread::Builder::new()
            .name("logs".into())
            .stack_size(256 * 1024)
            .spawn(move || drain(&drained, waiter, &held))
            .map_err(|error| CallError::new("start the thread that drains logs", error))?;
        Ok(Self { shared, stop: Some(stop.writer), thread: Some(thread) })
    }

    /// Drains `fd` from now on, until its last writer is gone.
    pub(crate) fn add(&self, fd: OwnedFd, writer: Writer, line_max: u64) -> Result<(), CallError> {
        self.add_after(&[], fd, writer, line_max)
    }

    /// Like [`Self::add`], for a pipe of which others have read `before`.
    pub(crate) fn add_after(
        &self,
        before: &[u8],
        fd: OwnedFd,
        writer: Writer,
        line_max: u64,
    ) -> Result<(), CallError> {
        let mut pipes = self.shared.lock();
        let token = pipes.next_token;
        pipes.next_token += 1;
        let mut pipe = Pipe { file: File::from(fd), writer, splitter: Splitter::new(line_max) };
        let mut cuts = Vec::new();
        pipe.splitter.take(before, |cut| cuts.push(cut));
        self.shared.keep(&pipe.writer, cuts);
        self.shared.poller().add(&pipe.file, Token(token), Interest::Read)?;
        pipes.by_token.insert(token, pipe);
        Ok(())
    }

    /// Takes in the last output of a writer whose pipe is gone.
    pub(crate) fn finish_output(&self, output: &[u8], writer: &Writer, line_max: u64) {
        let (mut splitter, mut cuts) = (Splitter::new(line_max), Vec::new());
        splitter.take(output, |cut| cuts.push(cut));
        splitter.finish(|cut| cuts.push(cut));
        self.shared.keep(writer, cuts);
    }

    /// Calls `each` with every pipe of a worker.
    pub(crate) fn each_pipe(&self, mut each: impl FnMut(WorkerId, Stream, BorrowedFd<'_>)) {
        for pipe in self.shared.lock().by_token.values() {
            if let Some(worker) = pipe.writer.worker {
                each(worker, pipe.writer.stream, pipe.file.as_fd());
            }
        }
    }

    /// Looks for a match in all lines of a worker from now on; see [`Self::watch`].
    pub(crate) fn seek(&self, worker: WorkerId, pattern: Regex) {
        let sought = Sought { pattern, matched: false, awaited: false };
        self.shared.lock().patterns.insert(worker, sought);
    }

    /// Whether a line of the worker has matched already; if not, [`Self::take_ready`] will tell when one does.
    pub(crate) fn watch(&self, worker: WorkerId) -> bool {
        let mut pipes = self.shared.lock();
        let Some(sought) = pipes.patterns.get_mut(&worker) else { return false };
        sought.awaited = true;
        sought.matched
    }

    pub(crate) fn unwatch(&self, worker: WorkerId) {
        self.shared.lock().patterns.remove(&worker);
    }

    /// Resolves when [`Self::take_ready`] has something.
    pub(crate) async fn matched(&self) {
        self.shared.matched.notified().await;
    }

    /// Workers whose pattern has matched since the last call.
    pub(crate) fn take_ready(&self) -> Vec<WorkerId> {
        std::mem::take(&mut self.shared.lock().ready)
    }

    /// Takes in what a worker that has ended wrote last. Its pipes stay if a process it left behind holds them.
    pub(crate) fn last_words(&self, worker: WorkerId) {
        let mut pipes = self.shared.lock();
        let of_worker = |(token, pipe): (&u64, &Pipe)| (pipe.writer.worker == Some(worker)).then_some(*token);
        let tokens: Vec<u64> = pipes.by_token.iter().filter_map(of_worker).collect();
        for token in tokens {
            let mut taken = 0;
            while taken < LAST_WORDS_MAX_BYTES {
                match self.shared.read(&mut pipes, token) {
                    Some(bytes) => taken += bytes,
                    None => break,
                }
            }
        }
    }

    pub(crate) fn files(&self) -> &LogFiles {
        &self.shared.files
    }

    /// Ends the thread; what workers write from now on waits in their pipes. Returns the lines they had begun.
    pub(crate) fn stop(&mut self) -> Vec<BegunLine> {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // The thread returns nothing, and its panic has been reported where it happened.
            let _ = thread.join();
        }
        let pipes = self.shared.lock();
        let begun = pipes.by_token.values().filter_map(|pipe| {
            let (worker, stream) = (pipe.writer.worker?, pipe.writer.stream);
            let bytes = pipe.splitter.begun().to_vec();
            (!bytes.is_empty()).then_some(BegunLine { worker, stream, bytes })
        });
        begun.collect()
    }

    /// Drains what is there and ends the thread.
    pub(crate) fn finish(mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // The thread returns nothing, and its panic has been reported where it happened.
            let _ = thread.join();
        }
        self.shared.files.finish();
    }
}

fn drain(shared: &Shared, mut waiter: Poller, _stop: &OwnedFd) {
    loop {
        let Ok(woken) = waiter.wait(None) else { return };
        let mut woken = woken;
        let stopping = woken.any(|news| news.token == STOP);
        loop {
            let tokens = shared.ready_tokens();
            if tokens.is_empty() {
                break;
            }
            for token in tokens {
                shared.read(&mut shared.lock(), token);
            }
            if stopping {
                break;
            }
        }
        if stopping {
            return;
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Pipes> {
        self.pipes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ready_tokens(&self) -> Vec<u64> {
        let mut poller = self.poller();
        poller
            .wait(Some(Duration::ZERO))
            .map(|ready| ready.map(|news| news.token.0).collect())
            .unwrap_or_default()
    }

    fn poller(&self) -> MutexGuard<'_, Poller> {
        self.poller.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One read of one pipe. `None` when there is nothing more for now, or ever.
    fn read(&self, pipes: &mut Pipes, token: u64) -> Option<usize> {
        let Pipes { by_token, buffer, patterns, ready, .. } = pipes;
        let pipe = by_token.get_mut(&token)?;
        let mut cuts: Vec<Cut> = Vec::new();
        let outcome = match pipe.file.read(buffer.as_mut_slice()) {
            Ok(0) => {
                pipe.splitter.finish(|cut| cuts.push(cut));
                None
            }
            Ok(bytes) => {
                pipe.splitter.take(buffer.get(..bytes).unwrap_or_default(), |cut| cuts.push(cut));
                Some(bytes)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                return None;
            }
            Err(_) => None,
        };
        if let Some(worker) = pipe.writer.worker
            && let Some(sought) = patterns.get_mut(&worker).filter(|sought| !sought.matched)
        {
            sought.matched = cuts.iter().any(|cut| sought.pattern.is_match(&cut.text));
            if sought.matched && sought.awaited {
                ready.push(worker);
                self.matched.notify_one();
            }
        }
        self.keep(&pipe.writer, cuts);
        if outcome.is_none()
            && let Some(pipe) = by_token.remove(&token)
        {
            // The descriptor is ours alone, so closing it ends the watch; removing first keeps the order plain.
            let _ = self.poller().remove(&pipe.file);
        }
        outcome
    }
    /// Stores lines of a writer.
    fn keep(&self, writer: &Writer, cuts: Vec<Cut>) {
        let time_ms = u64::try_from(clock::realtime().as_millis()).unwrap_or(u64::MAX);
        let lines = cuts.into_iter().map(|cut| LogLine {
            seq: 0,
            time_ms,
            service: writer.service.clone(),
            slot: writer.slot,
            pid: writer.pid,
            stream: writer.stream,
            text: cut.text,
            partial: cut.partial,
        });
        let kept = self.store.push(lines);
        self.files.write(&writer.service, kept);
    }
}
