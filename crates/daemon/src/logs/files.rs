//! Log files: a thread of their own writes them, behind a bounded queue, so that a slow disk delays nobody.
//!
//! When the queue is full the newest lines are dropped and counted; when the disk refuses, they are too, and the
//! next line tries again. What is wanted of the files stands beside the queue and not in it, the last word of each
//! service: a disk that hangs (a network mount without its server) may hold the thread for ever, and still nobody who
//! asks for anything waits for it.

mod destination;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use remuda_model::{LogFile, ServiceName};
use tokio::sync::Notify;

use super::LogLine;
use destination::Destination;

/// Batches of lines that wait for the disk. A batch is what one read of a pipe brought, 64 KiB at most.
const BATCHES_WAITING: usize = 256;
/// So long the end waits for the disk; then the thread is left behind with what it has not written.
const FINISHING: Duration = Duration::from_secs(3);
/// A disk that takes so long is told of, once lines are lost by it.
const HANGING: Duration = Duration::from_secs(2);

/// The files of all services. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct LogFiles {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// For the thread: there is something to do. For the end: the thread has ended.
    changed: Condvar,
    /// Wakes the loop when there is trouble.
    troubled: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Services that have a file.
    wanted: BTreeMap<ServiceName, LogFile>,
    /// Files to be opened, for the first time or anew. One that is not wanted any more still gets the last words.
    to_open: BTreeMap<ServiceName, LogFile>,
    batches: VecDeque<(ServiceName, Vec<Arc<LogLine>>)>,
    /// What the thread is doing.
    work: Option<Work>,
    dropped: BTreeMap<ServiceName, u64>,
    troubles: Vec<String>,
    /// Nothing more will come.
    is_ending: bool,
    has_ended: bool,
}

/// A file that is being opened or written.
#[derive(Debug)]
struct Work {
    service: ServiceName,
    path: PathBuf,
    since: Instant,
    /// That it takes long was told.
    is_told: bool,
}

impl LogFiles {
    /// Starts the thread.
    pub(crate) fn start() -> std::io::Result<Self> {
        let shared: Arc<Shared> = Arc::default();
        let of_thread = Arc::clone(&shared);
        let builder = std::thread::Builder::new().name("log files".into()).stack_size(256 * 1024);
        builder.spawn(move || of_thread.write_all())?;
        Ok(Self { shared })
    }

    /// Gives a service a file, another one, or none. It is opened soon, and trouble with that is told each time.
    pub(crate) fn open(&self, service: &ServiceName, file: Option<LogFile>) {
        let mut state = self.shared.lock();
        if let Some(file) = file {
            state.wanted.insert(service.clone(), file.clone());
            state.to_open.insert(service.clone(), file);
        } else {
            state.wanted.remove(service);
        }
        self.shared.changed.notify_all();
    }

    /// Has lines written after those before them, if their service has a file.
    pub(crate) fn write(&self, service: &ServiceName, lines: Vec<Arc<LogLine>>) {
        let mut state = self.shared.lock();
        if lines.is_empty() || state.is_ending || !state.wanted.contains_key(service) {
            return;
        }
        if state.batches.len() < BATCHES_WAITING {
            state.batches.push_back((service.clone(), lines));
            return self.shared.changed.notify_all();
        }
        *state.dropped.entry(service.clone()).or_default() += lines.len() as u64;
        if let Some(work) = &mut state.work
            && work.since.elapsed() > HANGING
            && !std::mem::replace(&mut work.is_told, true)
        {
            let told = format!("{}; lines for log files are dropped until it takes them again", work.words());
            state.troubles.push(told);
            self.shared.troubled.notify_one();
        }
    }

    /// Closes and opens all files anew: somebody has renamed them.
    pub(crate) fn reopen(&self) {
        let mut state = self.shared.lock();
        let again = state.wanted.clone();
        state.to_open.extend(again);
        self.shared.changed.notify_all();
    }

    /// Lines that did not get into their file, by service, since the start.
    pub(crate) fn dropped(&self) -> BTreeMap<ServiceName, u64> {
        self.shared.lock().dropped.clone()
    }

    /// Resolves when [`Self::take_troubles`] has something.
    pub(crate) async fn troubled(&self) {
        self.shared.troubled.notified().await;
    }

    /// What went wrong since the last call.
    pub(crate) fn take_troubles(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.lock().troubles)
    }

    /// Writes what waits and ends the thread; waits 3 s at most. What could not be written then is in the troubles.
    pub(crate) fn finish(&self) {
        let mut state = self.shared.lock();
        state.is_ending = true;
        self.shared.changed.notify_all();
        let waited = self.shared.changed.wait_timeout_while(state, FINISHING, |state| !state.has_ended);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if !state.has_ended {
            let lines: usize = state.batches.iter().map(|(_, lines)| lines.len()).sum();
            let why = state.work.as_ref().map_or_else(|| "the disk is too slow".to_owned(), Work::words);
            state.troubles.push(format!("{why}; {lines} more lines for log files are lost"));
        }
    }
}

impl Work {
    fn words(&self) -> String {
        let (path, seconds) = (self.path.display(), self.since.elapsed().as_secs());
        format!("log file {path} of {} has not answered for {seconds} s", self.service)
    }
}

/// What the thread has to do next.
enum Task {
    Open(ServiceName, LogFile),
    Write(ServiceName, Vec<Arc<LogLine>>),
    /// Files of other services than these are done with.
    Rest(BTreeSet<ServiceName>),
    End,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread.
    fn write_all(&self) {
        let mut files: BTreeMap<ServiceName, Destination> = BTreeMap::new();
        loop {
            match self.next_task(&files) {
                Task::Open(service, spec) => {
                    let file = files.entry(service.clone()).insert_entry(Destination::new(spec)).into_mut();
                    self.work(&service, file, "open", Destination::open);
                }
                Task::Write(service, lines) => {
                    let Some(file) = files.get_mut(&service) else { continue };
                    if !self.work(&service, file, "write", |file| file.write(&lines)) {
                        *self.lock().dropped.entry(service).or_default() += lines.len() as u64;
                    }
                }
                Task::Rest(wanted) => files.retain(|service, _| wanted.contains(service)),
                Task::End => break,
            }
        }
        self.lock().has_ended = true;
        self.changed.notify_all();
    }

    /// Waits until there is something to do.
    fn next_task(&self, files: &BTreeMap<ServiceName, Destination>) -> Task {
        let mut state = self.lock();
        loop {
            if let Some((service, spec)) = state.to_open.pop_first() {
                return Task::Open(service, spec);
            }
            if let Some((service, lines)) = state.batches.pop_front() {
                return Task::Write(service, lines);
            }
            // Only now has a service that lost its file had its last words written.
            if files.keys().any(|service| !state.wanted.contains_key(service)) {
                return Task::Rest(state.wanted.keys().cloned().collect());
            }
            if state.is_ending {
                return Task::End;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Does something with a file that may take for ever, and tells of trouble that is news. Says whether it worked.
    fn work(
        &self,
        service: &ServiceName,
        file: &mut Destination,
        verb: &str,
        act: impl FnOnce(&mut Destination) -> std::io::Result<()>,
    ) -> bool {
        let path = file.spec.path.clone();
        let work = Work { service: service.clone(), path, since: Instant::now(), is_told: false };
        self.lock().work = Some(work);
        let outcome = act(file);
        let is_news = file.is_news(&outcome);
        let mut state = self.lock();
        state.work = None;
        if let Err(error) = &outcome
            && is_news
        {
            let path = file.spec.path.display();
            state.troubles.push(format!(
                "{verb} log file {path} of {service}: {error}; its lines are kept in memory only until it can be written"
            ));
            self.troubled.notify_one();
        }
        outcome.is_ok()
    }
}

#[cfg(test)]
mod tests;
