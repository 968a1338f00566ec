//! What a daemon says about itself: lines on stderr, and onwards.
//!
//! The words come through the `log` facade, because the libraries a daemon is made of speak through it already. Every
//! line goes to stderr at once, with level, daemon and loop (the thread's name), without a time: whoever collects a
//! worker's stderr adds one. The same line may go onwards, to syslog or any other [`Sink`], and that must never hold up
//! a loop: a thread of its own delivers from a bounded queue whose oldest lines are dropped, counted, and told.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use log::{LevelFilter, Log, Metadata, Record};

mod line;
mod onward;
mod queue;
mod syslog;

pub use line::{Line, MESSAGE_LIMIT_BYTES};
pub use onward::{Delivery, Lines, Sink};
pub use syslog::{Syslog, rfc5424};

use onward::Onward;

/// Lines that wait to go onwards, unless told otherwise; with lines of 8 KiB at most, 8 MiB.
pub const QUEUE_LINES: usize = 1024;
/// How long [`Logging`] waits for its last lines when it is dropped.
pub const FINISH_WITHIN: Duration = Duration::from_secs(1);

/// A logger that is not installed yet.
#[derive(Debug)]
#[must_use = "a logger hears nothing before it is installed"]
pub struct Logger {
    daemon: String,
    level: LevelFilter,
    queue_lines: usize,
    sink: Option<Box<dyn Sink>>,
}

/// The logger was not installed.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// There is one already; it stays in use.
    #[error("install the logger of {daemon}: this process has one already")]
    Second {
        /// The daemon.
        daemon: String,
    },
    /// The thread that delivers onwards could not be started.
    #[error("install the logger of {daemon}: start a thread: {source}")]
    Thread {
        /// The daemon.
        daemon: String,
        /// Why.
        source: io::Error,
    },
}

impl Logger {
    /// A logger for `daemon` that hears info, warnings and errors.
    pub fn new(daemon: &str) -> Self {
        Self { daemon: daemon.into(), level: LevelFilter::Info, queue_lines: QUEUE_LINES, sink: None }
    }

    /// What is heard. Default: info and graver.
    pub fn level(mut self, level: LevelFilter) -> Self {
        self.level = level;
        self
    }

    /// Lines go to `sink` too.
    pub fn onward(mut self, sink: impl Sink + 'static) -> Self {
        self.sink = Some(Box::new(sink));
        self
    }

    /// So many lines may wait to go onwards, at least one. Default [`QUEUE_LINES`].
    pub fn queue_lines(mut self, lines: usize) -> Self {
        self.queue_lines = lines.max(1);
        self
    }

    /// Becomes the process' logger. Keep what is returned until the end of `main`: it delivers the last lines.
    ///
    /// # Errors
    /// There is a logger already, or no thread for the sink.
    pub fn install(self) -> Result<Logging, LoggingError> {
        let daemon = self.daemon.clone();
        let onward = match self.sink {
            Some(sink) => Some(Arc::new(
                Onward::start(&daemon, sink, self.queue_lines)
                    .map_err(|source| LoggingError::Thread { daemon: daemon.clone(), source })?,
            )),
            None => None,
        };
        let installed = Installed { daemon: self.daemon, level: self.level, onward: onward.clone() };
        let logging = Logging { onward };
        match log::set_boxed_logger(Box::new(installed)) {
            Ok(()) => {
                log::set_max_level(self.level);
                Ok(logging)
            }
            Err(_) => Err(LoggingError::Second { daemon }),
        }
    }
}

/// The installed logger's way onwards. Dropped, it delivers what waits, for at most [`FINISH_WITHIN`].
#[must_use = "dropped, it ends the delivery onwards"]
pub struct Logging {
    onward: Option<Arc<Onward>>,
}

impl Logging {
    /// What has become of the lines so far; all zero without a sink.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        self.onward.as_ref().map(|onward| onward.delivery()).unwrap_or_default()
    }

    /// Delivers what waits, for at most `within`, and ends the delivery; later lines go to stderr alone. Says what has
    /// become of all lines: those that still wait then count as lost.
    pub fn finish(self, within: Duration) -> Delivery {
        self.onward.as_ref().map(|onward| onward.finish(within)).unwrap_or_default()
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        if let Some(onward) = &self.onward {
            onward.finish(FINISH_WITHIN);
        }
    }
}

impl fmt::Debug for Logging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logging").field("delivery", &self.delivery()).finish()
    }
}

struct Installed {
    daemon: String,
    level: LevelFilter,
    onward: Option<Arc<Onward>>,
}

impl Log for Installed {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= self.level
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let thread = std::thread::current();
        // The first thread has no loop of its own.
        let loop_name = thread.name().filter(|name| *name != "main").unwrap_or_default();
        let line = Line::new(SystemTime::now(), record.level(), &self.daemon, loop_name, record.args());
        // Whoever read our stderr may be gone, and there is nobody left to tell.
        let _ = io::stderr().lock().write_all(line.to_string().as_bytes());
        if let Some(onward) = &self.onward {
            onward.push(line);
        }
    }

    /// Nothing waits before stderr; [`Logging::finish`] is for what waits before the sink.
    fn flush(&self) {}
}
