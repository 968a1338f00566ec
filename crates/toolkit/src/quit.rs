//! The wish that everything ends, as every loop sees it.
//!
//! One wish, three ways to notice it: asked between two pieces of work ([`Quit::is_asked`]), slept on
//! ([`Quit::wait`]), or polled beside sockets (the descriptor becomes readable and stays so). It is made once and never
//! taken back.

use std::fmt;
use std::io::{self, PipeReader, PipeWriter, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use remuda_sys::event::wait_readable;

#[cfg(test)]
mod tests;

/// What ended a wait of [`Quit::wait_readable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Somebody asked to quit. It comes first, even when there is something to read too.
    Quit,
    /// There is something to read or accept, or the other side is gone.
    Readable,
    /// Neither, and the time is over.
    Elapsed,
}

/// A handle of the wish; clones share it.
#[derive(Clone)]
pub struct Quit {
    shared: Arc<Shared>,
}

struct Shared {
    /// Beside the writer, so that a busy loop can look at every turn without a lock.
    asked: AtomicBool,
    /// The pipe's writer, until somebody asks.
    writer: Mutex<Option<PipeWriter>>,
    bell: Condvar,
    reader: PipeReader,
}

impl Quit {
    /// Nobody has asked yet. A [`Daemon`](crate::Daemon) makes its own; this one is for loops that run without it, as
    /// in a test.
    ///
    /// # Errors
    /// No descriptor left.
    pub fn new() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        Ok(Self {
            shared: Arc::new(Shared {
                asked: AtomicBool::new(false),
                writer: Mutex::new(Some(writer)),
                bell: Condvar::new(),
                reader,
            }),
        })
    }

    fn writer(&self) -> MutexGuard<'_, Option<PipeWriter>> {
        self.shared.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks everybody to end. A loop may ask too: that is how a daemon ends itself in good order.
    pub fn ask(&self) {
        // First of all: whoever is woken by what follows, and looks, has to find it so.
        self.shared.asked.store(true, Ordering::Release);
        if let Some(mut writer) = self.writer().take() {
            // A byte beside the hang-up, for callers of poll(2) that look at POLLIN alone; an empty pipe has room.
            let _ = writer.write(b"q");
        }
        self.shared.bell.notify_all();
    }

    /// Whether somebody asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.shared.asked.load(Ordering::Acquire)
    }

    /// Sleeps for `time`, or less if somebody asks; says whether somebody did.
    pub fn wait(&self, time: Duration) -> bool {
        let waited = self.shared.bell.wait_timeout_while(self.writer(), time, |writer| writer.is_some());
        waited.unwrap_or_else(PoisonError::into_inner).0.is_none()
    }

    /// Waits for `time` until `fd` is readable or somebody asks: all that a loop on one socket needs. A listener others
    /// share has to be non-blocking, since they may be faster to accept.
    ///
    /// # Errors
    /// The kernel has no memory left.
    pub fn wait_readable(&self, fd: impl AsFd, time: Duration) -> io::Result<Wake> {
        let until = Instant::now().checked_add(time);
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            let woken = wait_readable([self, &fd], left);
            match woken.map_err(|error| io::Error::from_raw_os_error(error.errno))? {
                [true, _] => return Ok(Wake::Quit),
                [false, true] => return Ok(Wake::Readable),
                // A signal's handler of somebody else's may have cut the wait short.
                [false, false] if left.is_some_and(|left| left.is_zero()) => return Ok(Wake::Elapsed),
                [false, false] => {}
            }
        }
    }
}

impl AsFd for Quit {
    /// Readable from the moment somebody asks. Only to be polled: what is read from it is missing for the others.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.shared.reader.as_fd()
    }
}

impl fmt::Debug for Quit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quit").field("asked", &self.is_asked()).finish()
    }
}
