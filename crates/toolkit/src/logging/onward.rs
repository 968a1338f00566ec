//! The thread that delivers lines to a sink.

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use log::Level;

use super::line::Line;
use super::queue::Queue;
use crate::backoff::Backoff;

/// A line is offered so often; then it is the line's fault, and the next one's turn.
const TRIES: u32 = 3;
/// Longest wait between two tries: a log that is down for long should be back soon after.
const TRY_AGAIN_CAP: Duration = Duration::from_secs(5);

/// Where lines go.
pub trait Sink: Send + fmt::Debug {
    /// Delivers one line; may take its time, nobody but the lines behind waits for it.
    ///
    /// # Errors
    /// Not delivered; it will be offered again, after a pause, and given up after three tries.
    fn deliver(&mut self, line: &Line) -> io::Result<()>;
}

/// A sink that writes lines as they look on stderr, to any writer.
#[derive(Debug)]
pub struct Lines<W>(pub W);

impl<W: Write + Send + fmt::Debug> Sink for Lines<W> {
    fn deliver(&mut self, line: &Line) -> io::Result<()> {
        self.0.write_all(line.to_string().as_bytes())?;
        self.0.flush()
    }
}

/// What has become of lines that should go onwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delivery {
    /// Taken by the sink.
    pub delivered: u64,
    /// Dropped from a full queue, or refused by the sink for good, or still waiting at the end.
    pub lost: u64,
}

/// A queue, its thread and what it has done.
pub(super) struct Onward {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    queue: Queue<Line>,
    delivered: AtomicU64,
    refused: AtomicU64,
    /// Open while the thread runs.
    ended: Queue<()>,
}

impl Onward {
    pub(super) fn start(daemon: &str, sink: Box<dyn Sink>, limit: usize) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            queue: Queue::new(limit),
            delivered: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            ended: Queue::new(1),
        });
        let (daemon, of_thread) = (daemon.to_owned(), Arc::clone(&shared));
        let thread = std::thread::Builder::new().name("logging".into()).spawn(move || {
            let ended = Ended(Arc::clone(&of_thread));
            Courier { shared: of_thread, sink, daemon, told: 0, failing: false }.run();
            drop(ended);
        })?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    pub(super) fn push(&self, line: Line) {
        if !self.shared.queue.push(line) {
            self.shared.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn delivery(&self) -> Delivery {
        let lost = self.shared.queue.dropped() + self.shared.refused.load(Ordering::Relaxed);
        Delivery { delivered: self.shared.delivered.load(Ordering::Relaxed), lost }
    }

    pub(super) fn finish(&self, within: Duration) -> Delivery {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = thread.take() {
            self.shared.queue.close();
            if self.shared.ended.rest(within) {
                let _ = running.join();
            } else {
                // The sink holds the thread in a call that nothing ends but the process' exit.
                self.shared.queue.clear();
                let _ = writeln!(
                    io::stderr(),
                    "WARN  logging: the sink did not take its last line within {within:.1?}; lines are lost"
                );
            }
        }
        self.delivery()
    }
}

/// Says that the thread has ended, even if its sink panics.
struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        // Nobody will take what comes from now on.
        self.0.queue.close();
        self.0.queue.clear();
        self.0.ended.close();
    }
}

struct Courier {
    shared: Arc<Shared>,
    sink: Box<dyn Sink>,
    daemon: String,
    /// Dropped lines that the sink has been told of.
    told: u64,
    failing: bool,
}

impl Courier {
    fn run(&mut self) {
        while let Some((line, dropped)) = self.shared.queue.pop() {
            if dropped > self.told {
                let lost = format_args!("{} lines were lost here: the queue was full", dropped - self.told)
                    .to_string();
                let notice = Line::new(SystemTime::now(), Level::Warn, &self.daemon, "logging", &lost);
                if self.sink.deliver(&notice).is_ok() {
                    self.told = dropped;
                }
            }
            let counter = if self.offer(&line) { &self.shared.delivered } else { &self.shared.refused };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Offers a line until the sink takes it or nothing is left to hope for.
    fn offer(&mut self, line: &Line) -> bool {
        let mut backoff = Backoff::new(u64::from(std::process::id())).cap(TRY_AGAIN_CAP);
        let start = Instant::now();
        for _ in 0..TRIES {
            match self.sink.deliver(line) {
                Ok(()) => {
                    if std::mem::take(&mut self.failing) {
                        tell(&self.daemon, format_args!("the sink takes lines again"));
                    }
                    return true;
                }
                Err(error) => {
                    if !std::mem::replace(&mut self.failing, true) {
                        tell(&self.daemon, format_args!("the sink takes no lines: {error}; trying again"));
                    }
                }
            }
            // At the end of the process there is one try for each line and no wait.
            if self.shared.queue.rest(backoff.failed(start.elapsed())) {
                return false;
            }
        }
        false
    }
}

/// To stderr alone: through the logger it would come back into the queue.
fn tell(daemon: &str, what: fmt::Arguments<'_>) {
    let line = Line::new(SystemTime::now(), Level::Warn, daemon, "logging", &what);
    let _ = io::stderr().lock().write_all(line.to_string().as_bytes());
}
