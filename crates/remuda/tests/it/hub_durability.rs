//! What the disk keeps: across crashes at any moment, full disks, and damage, as clients of the whole program see it.

mod crashes;
mod damage;
mod full_disk;
mod moving;

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use remuda_model::view::ServicePhase;
use rustix::process::Signal;

use crate::harness::{Instance, PATIENCE, process};

/// A client of the store that sees every byte.
#[derive(Debug)]
pub(crate) struct Wire(UnixStream);

impl Wire {
    /// Connects to the store of `instance`.
    pub(crate) fn new(instance: &Instance) -> Self {
        let stream = UnixStream::connect(instance.runtime().join("store.sock")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    /// Sends bytes as they are.
    #[track_caller]
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    /// Reads exactly what is expected.
    #[track_caller]
    pub(crate) fn expect(&mut self, expected: &str) {
        let mut bytes = vec![0; expected.len()];
        let mut filled = 0;
        while filled < bytes.len() {
            match self.0.read(&mut bytes[filled..]) {
                Ok(0) | Err(_) => break,
                Ok(count) => filled += count,
            }
            if !expected.as_bytes().starts_with(&bytes[..filled]) {
                break;
            }
        }
        assert_eq!(String::from_utf8_lossy(&bytes[..filled]), expected);
    }

    /// Nothing comes any more.
    #[track_caller]
    pub(crate) fn expect_end(&mut self) {
        let mut bytes = Vec::new();
        self.0.read_to_end(&mut bytes).unwrap();
        assert_eq!(String::from_utf8_lossy(&bytes), "");
    }

    /// One line of a reply, without its end.
    #[track_caller]
    pub(crate) fn line(&mut self) -> String {
        let mut line = Vec::new();
        let mut byte = [0];
        while !line.ends_with(b"\r\n") {
            assert_eq!(
                self.0.read(&mut byte).unwrap(),
                1,
                "it closed after {:?}",
                String::from_utf8_lossy(&line)
            );
            line.push(byte[0]);
        }
        line.truncate(line.len() - 2);
        String::from_utf8(line).unwrap()
    }

    /// Sends a command in words, and reads the first line of the reply.
    #[track_caller]
    pub(crate) fn ask(&mut self, command: &str) -> String {
        self.send(format!("{command}\r\n").as_bytes());
        self.line()
    }

    /// A command whose reply is one string.
    #[track_caller]
    pub(crate) fn text(&mut self, command: &str) -> Option<String> {
        let head = self.ask(command);
        (head != "$-1").then(|| self.line())
    }

    /// [`Self::ask`] of somebody who may be gone.
    pub(crate) fn try_ask(&mut self, command: &str) -> Option<String> {
        self.0.write_all(format!("{command}\r\n").as_bytes()).ok()?;
        let mut bytes = [0; 512];
        let count = self.0.read(&mut bytes).ok().filter(|count| *count > 0)?;
        Some(String::from_utf8_lossy(&bytes[..count]).trim_end().to_owned())
    }

    /// Reads a reply of one string and lets it go; its length.
    #[track_caller]
    pub(crate) fn skip_text(&mut self) -> usize {
        let head = self.line();
        let length: usize = head.strip_prefix('$').unwrap_or_else(|| panic!("{head}")).parse().unwrap();
        let mut bytes = vec![0; length + 2];
        self.0.read_exact(&mut bytes).unwrap();
        length
    }

    /// A section of `INFO`.
    #[track_caller]
    pub(crate) fn info(&mut self, section: &str) -> String {
        let length = self.ask(&format!("INFO {section}"));
        let length: usize = length.strip_prefix('$').unwrap().parse().unwrap();
        let mut bytes = vec![0; length + 2];
        self.0.read_exact(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    /// Sends a command with an argument of any bytes.
    #[track_caller]
    pub(crate) fn put(&mut self, words: &[&[u8]]) {
        let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            bytes.extend_from_slice(word);
            bytes.extend_from_slice(b"\r\n");
        }
        self.send(&bytes);
    }

    /// Nothing comes for a while.
    #[track_caller]
    pub(crate) fn stays_silent(&mut self, time: Duration) {
        self.0.set_read_timeout(Some(time)).unwrap();
        let mut byte = [0];
        let read = self.0.read(&mut byte);
        assert!(read.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock), "{read:?}");
        self.0.set_read_timeout(Some(PATIENCE)).unwrap();
    }
}

/// The hub's process.
#[track_caller]
pub(crate) fn hub(instance: &Instance) -> u32 {
    instance.pids("hub")[0]
}

/// Kills the hub, and waits until another one serves.
#[track_caller]
pub(crate) fn kill_hub(instance: &Instance) {
    let before = hub(instance);
    process::signal(before, Signal::KILL);
    instance.wait_status("another hub", |view| {
        view.services.iter().any(|service| {
            service.name.as_str() == "hub"
                && service.phase == ServicePhase::Running
                && service.workers_ready == 1
                && service.workers.iter().any(|worker| worker.pid.is_some_and(|pid| pid != before))
        })
    });
}
