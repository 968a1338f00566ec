//! Log files: a thread of their own writes them, behind a bounded queue, so that a slow disk delays nobody.
//!
//! When the queue is full the newest lines are dropped and counted; when the disk refuses, they are too, and the
//! next line tries again.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use remuda_model::{LogFile, ServiceName};

use super::LogLine;

/// Batches of lines that wait for the disk. A batch is what one read of a pipe brought, 64 KiB at most.
const BATCHES_WAITING: usize = 256;

/// `O_NONBLOCK` (Linux, every architecture but alpha, mips, parisc and sparc).
const NONBLOCK: i32 = 0o4000;

enum Message {
    Open(ServiceName, Option<LogFile>),
    Lines(ServiceName, Vec<Arc<LogLine>>),
    Reopen,
}

/// The files of all services.
#[derive(Debug)]
pub(crate) struct LogFiles {
    sender: Mutex<Option<SyncSender<Message>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    shared: Arc<Mutex<Told>>,
}

#[derive(Debug, Default)]
struct Told {
    /// Services that have a file.
    open: BTreeMap<ServiceName, bool>,
    dropped: BTreeMap<ServiceName, u64>,
    troubles: Vec<String>,
}

impl LogFiles {
    /// Starts the thread.
    pub(crate) fn start() -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(BATCHES_WAITING);
        let shared: Arc<Mutex<Told>> = Arc::default();
        let told = Arc::clone(&shared);
        let builder = std::thread::Builder::new().name("log files".into()).stack_size(256 * 1024);
        let thread = builder.spawn(move || write_all(&receiver, &told))?;
        Ok(Self { sender: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)), shared })
    }

    /// Gives a service a file, another one, or none.
    pub(crate) fn open(&self, service: &ServiceName, file: Option<LogFile>) {
        lock(&self.shared).open.insert(service.clone(), file.is_some());
        self.send(Message::Open(service.clone(), file));
    }

    pub(crate) fn write(&self, service: &ServiceName, lines: Vec<Arc<LogLine>>) {
        if lines.is_empty() || lock(&self.shared).open.get(service) != Some(&true) {
            return;
        }
        let count = lines.len() as u64;
        let sender = lock(&self.sender);
        let Some(sender) = sender.as_ref() else { return };
        if let Err(TrySendError::Full(_)) = sender.try_send(Message::Lines(service.clone(), lines)) {
            *lock(&self.shared).dropped.entry(service.clone()).or_default() += count;
        }
    }

    /// Closes and opens all files anew: somebody has renamed them.
    pub(crate) fn reopen(&self) {
        self.send(Message::Reopen);
    }

    /// Lines that did not get into their file, by service, since the start.
    pub(crate) fn dropped(&self) -> BTreeMap<ServiceName, u64> {
        lock(&self.shared).dropped.clone()
    }

    /// What went wrong since the last call.
    pub(crate) fn take_troubles(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.shared).troubles)
    }

    /// Writes what waits and ends the thread.
    pub(crate) fn finish(&self) {
        drop(lock(&self.sender).take());
        if let Some(thread) = lock(&self.thread).take() {
            // The thread returns nothing, and its panic has been reported where it happened.
            let _ = thread.join();
        }
    }

    /// For messages that are few and must not be lost: waits for room, which a living disk soon makes.
    fn send(&self, message: Message) {
        let sender = lock(&self.sender).clone();
        if let Some(sender) = sender {
            // It fails only when the thread has ended, and then nobody is left to be told.
            let _ = sender.send(message);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Open {
    spec: LogFile,
    file: Option<File>,
    size: u64,
    /// It is a plain file. A device or a pipe (`/dev/null`, `/dev/stderr`) has no size, and is never renamed.
    is_plain: bool,
    /// The trouble that was told last, so that it is told once.
    trouble: Option<std::io::ErrorKind>,
}

fn write_all(receiver: &Receiver<Message>, told: &Mutex<Told>) {
    let mut files: BTreeMap<ServiceName, Open> = BTreeMap::new();
    while let Ok(message) = receiver.recv() {
        match message {
            Message::Open(service, Some(spec)) => {
                let open = Open { spec, file: None, size: 0, is_plain: false, trouble: None };
                files.insert(service, open);
            }
            Message::Open(service, None) => drop(files.remove(&service)),
            Message::Reopen => files.values_mut().for_each(|open| open.file = None),
            Message::Lines(service, lines) => {
                let Some(open) = files.get_mut(&service) else { continue };
                if let Err(error) = open.write(&lines) {
                    let mut told = lock(told);
                    *told.dropped.entry(service.clone()).or_default() += lines.len() as u64;
                    if open.trouble != Some(error.kind()) {
                        open.trouble = Some(error.kind());
                        let path = open.spec.path.display();
                        told.troubles.push(format!(
                            "write log file {path} of {service}: {error}; its lines are kept in memory only until it can be written"
                        ));
                    }
                } else {
                    open.trouble = None;
                }
            }
        }
    }
}

impl Open {
    /// Appends lines, as many at once as fit. A file beyond its limit holds a single line that is longer than it.
    fn write(&mut self, lines: &[Arc<LogLine>]) -> std::io::Result<()> {
        let mut text = String::new();
        for line in lines {
            self.file()?;
            let before = self.size + text.len() as u64;
            let after = before + line.text.len() as u64 + 1;
            if self.is_plain && self.spec.max_size > 0 && after > self.spec.max_size && before > 0 {
                self.append(&std::mem::take(&mut text))?;
                self.file = None;
                rotate(&self.spec.path, self.spec.keep)?;
            }
            text.push_str(&line.text);
            text.push('\n');
        }
        self.append(&text)
    }

    fn append(&mut self, text: &str) -> std::io::Result<()> {
        let written = self.file()?.write_all(text.as_bytes());
        self.size += text.len() as u64;
        if written.is_err() {
            self.file = None;
        }
        written
    }

    /// The open file; opening it finds out its size.
    fn file(&mut self) -> std::io::Result<&mut File> {
        match &mut self.file {
            Some(file) => Ok(file),
            none => {
                // A pipe that nobody reads from must not hold up the files of others: it is an error like any other.
                let mut options = OpenOptions::new();
                options.append(true).create(true).custom_flags(NONBLOCK);
                let file = options.open(&self.spec.path)?;
                let metadata = file.metadata()?;
                (self.size, self.is_plain) = (metadata.len(), metadata.is_file());
                Ok(none.insert(file))
            }
        }
    }
}

/// `x.log.4` becomes `x.log.5` …, `x.log` becomes `x.log.1`; what is beyond `keep` goes.
fn rotate(path: &Path, keep: u32) -> std::io::Result<()> {
    let numbered = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    };
    if keep == 0 {
        return std::fs::remove_file(path);
    }
    for number in (1..keep).rev() {
        match std::fs::rename(numbered(number), numbered(number + 1)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    std::fs::rename(path, numbered(1))
}
