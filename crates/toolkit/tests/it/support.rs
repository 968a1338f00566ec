//! Children that are surely gone at the end of a test, and waits that surely end.

use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use remuda_model::Signal;
use remuda_sys::process::{pidfd_open, send_signal};
use tempfile::TempDir;

/// No single wait takes longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The program under test.
pub(crate) fn subject() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_toolkit-subject"));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    for variable in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID"] {
        command.env_remove(variable);
    }
    command
}

/// A running child, killed when dropped, and the lines of its stderr.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

/// How it ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) text: String,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        // It ends with the child, which closes the pipe.
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, lines, seen: Vec::new() }
    }

    /// Waits for a line of stderr that contains `words`.
    pub(crate) fn wait_line(&mut self, words: &str) -> String {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(words) {
                        return line;
                    }
                }
                Err(error) => panic!("no line with {words:?} ({error}); there is {:#?}", self.seen),
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        send_signal(pidfd_open(self.child.id()).unwrap(), signal).unwrap();
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Outcome {
        let mut seen = std::mem::take(&mut self.seen);
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => seen.push(line),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
                Err(error) => panic!("it does not end ({error}); there is {seen:#?}"),
            }
        }
        // Its stderr is closed: nothing but its exit is left.
        Outcome { code: self.child.wait().unwrap().code(), text: seen.join("\n") }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A notify socket.
pub(crate) struct Supervisor {
    pub(crate) path: PathBuf,
    socket: UnixDatagram,
    _folder: TempDir,
}

impl Supervisor {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { path, socket, _folder: folder }
    }

    /// The next message.
    pub(crate) fn hear(&self) -> String {
        let mut buffer = [0; 4096];
        let length = self.socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    /// Reads messages until `wanted`.
    pub(crate) fn hear_until(&self, wanted: &str) {
        while self.hear() != wanted {}
    }

    /// All messages that wait, or come within `time`.
    pub(crate) fn hear_for(&self, time: Duration) -> Vec<String> {
        let until = std::time::Instant::now() + time;
        let mut all = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let left = until.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                return all;
            }
            self.socket.set_read_timeout(Some(left)).unwrap();
            if let Ok(length) = self.socket.recv(&mut buffer) {
                all.push(String::from_utf8(buffer[..length].to_vec()).unwrap());
            }
        }
    }
}
