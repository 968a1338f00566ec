//! Everything an arbiter wrote, as it comes: events, lines of workers, and the rest.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use remuda_daemon::LogLine;
use remuda_model::Record;

use super::PATIENCE;

/// What was written so far. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Transcript(Arc<(Mutex<Written>, Condvar)>);

#[derive(Debug, Default)]
pub(crate) struct Written {
    /// Events, in order.
    pub(crate) events: Vec<Record>,
    /// Lines of workers, in order.
    pub(crate) lines: Vec<LogLine>,
    /// What is neither: all of standard error.
    pub(crate) other: Vec<String>,
    /// Outputs that are still open.
    open: usize,
}

impl Transcript {
    /// Reads `output` on a thread of its own until it ends.
    pub(crate) fn follow(&self, output: impl Read + Send + 'static) {
        self.locked().open += 1;
        let transcript = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                transcript.take(&String::from_utf8_lossy(&line));
            }
            transcript.locked().open -= 1;
            transcript.0.1.notify_all();
        });
    }

    fn take(&self, line: &str) {
        let mut written = self.locked();
        if let Ok(record) = serde_json::from_str(line) {
            written.events.push(record);
        } else if let Ok(line) = serde_json::from_str(line) {
            written.lines.push(line);
        } else {
            written.other.push(line.to_owned());
        }
        self.0.1.notify_all();
    }

    /// What there is now.
    pub(crate) fn locked(&self) -> MutexGuard<'_, Written> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `found` finds something in what was written; fails the test when the output ends before, or takes
    /// too long. `found` may be slow: it must not ask for the transcript itself.
    pub(crate) fn wait<T>(&self, what: &str, mut found: impl FnMut(&Written) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut written = self.locked();
        loop {
            if let Some(found) = found(&written) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let why = if left.is_zero() { "it took too long" } else { "the arbiter ended" };
            if left.is_zero() || written.open == 0 {
                drop(written);
                panic!("waited for {what}: {why}");
            }
            let waited = self.0.1.wait_timeout(written, left);
            written = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until there are more than `seen` events, or the output has ended.
    pub(crate) fn wait_for_news(&self, seen: usize, deadline: Instant) {
        let left = deadline.saturating_duration_since(Instant::now());
        let quiet = |written: &mut Written| written.events.len() <= seen && written.open > 0;
        drop(self.0.1.wait_timeout_while(self.locked(), left, quiet));
    }

    /// Waits until all outputs have ended.
    pub(crate) fn wait_end(&self) {
        let open = |written: &mut Written| written.open > 0;
        drop(self.0.1.wait_timeout_while(self.locked(), PATIENCE, open));
    }

    /// Prints it, for the report of a failed test.
    #[expect(clippy::print_stdout, reason = "the test harness shows it with the failure")]
    pub(crate) fn print(&self) {
        let written = self.locked();
        println!("--- what remuda wrote");
        for line in &written.other {
            println!("{line}");
        }
        println!("--- its events");
        for record in &written.events {
            println!("{}", serde_json::to_string(record).unwrap_or_default());
        }
        println!("--- its workers' last lines");
        for line in written.lines.iter().rev().take(100).rev() {
            println!("{}.{} {:?} | {}", line.service, line.slot, line.stream, line.text);
        }
    }
}
