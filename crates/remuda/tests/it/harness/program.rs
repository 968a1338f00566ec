//! A program beside an instance: a Python client of the hub that says a line when it has come to something, and reads a
//! line to go on.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Instant;

use remuda_model::hub::{Secret, token};
use rustix::process::Signal;

use super::peers::{hub_peers, hub_programs};
use super::{Instance, PATIENCE, process};

/// A running program; killed when the value goes.
#[derive(Debug)]
pub(crate) struct Program {
    name: String,
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Program {
    /// Starts `tests/peers/hub/NAME`, which finds the hub of `instance` in its variables.
    pub(crate) fn start(instance: &Instance, name: &str, arguments: &[&str]) -> Self {
        let mut command = instance.marked(&hub_peers().join("venv/bin/python").to_string_lossy());
        command.arg(hub_programs().join(name)).args(arguments);
        let tcp = |socket: &str| instance.address(socket);
        command
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("BUS", format!("tcp://{}", tcp("hub-bus-1")))
            .env("BUS_LOCAL", format!("ipc://{}", instance.runtime().join("bus.sock").display()))
            .env("STORE", instance.runtime().join("store.sock"))
            .env("TOKEN", service_token(instance, "web"))
            .env("STORE_TCP", tcp("hub-store-1"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { name: name.to_owned(), child, input, lines, said: Vec::new() }
    }

    /// Waits until it says a line that begins with `text`; the rest of the line.
    #[track_caller]
    pub(crate) fn hears(&mut self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.said.push(line.clone());
                    if let Some(rest) = line.strip_prefix(text) {
                        return rest.trim().to_owned();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    panic!("{}: it does not say {text:?}, but {:?}", self.name, self.said)
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let ended = self.child.wait();
                    panic!(
                        "{}: it ended ({ended:?}) before it said {text:?}; it said {:?}",
                        self.name, self.said
                    )
                }
            }
        }
    }

    /// Writes a line to it.
    #[track_caller]
    pub(crate) fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}")
            .unwrap_or_else(|error| panic!("{}: {error}; it said {:?}", self.name, self.said));
    }

    /// Waits until it has ended well.
    #[track_caller]
    pub(crate) fn ends_well(mut self) -> Vec<String> {
        let ended = process::wait_end(self.child.id(), PATIENCE);
        assert!(ended, "{} does not end; it said {:?}", self.name, self.said);
        let status = self.child.wait().unwrap();
        self.said.extend(self.lines.iter());
        assert!(status.success(), "{} ended with {status}; it said {:?}", self.name, self.said);
        std::mem::take(&mut self.said)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        process::signal(self.child.id(), Signal::KILL);
        // It is ours and was killed, or has ended.
        let _ = self.child.wait();
    }
}

/// The token of a service.
pub(crate) fn service_token(instance: &Instance, service: &str) -> String {
    let text = std::fs::read_to_string(instance.dir().join("state/hub.secret")).unwrap();
    let secret: Secret = text.trim_end().parse().unwrap();
    token(&secret, service)
}
