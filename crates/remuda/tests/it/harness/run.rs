//! Commands that surely end.

use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde::de::DeserializeOwned;

use super::{PATIENCE, process};

/// What a command said, and how it ended.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    /// Its exit code; 128 and the signal's number when one ended it.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Said {
    /// Fails the test unless it ended with 0.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        self.exits(0)
    }

    /// Fails the test unless it ended with `code`.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "out: {}\nerr: {}", self.out, self.err);
        self
    }

    /// Standard output, a JSON document.
    #[track_caller]
    pub(crate) fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Standard output, a JSON document a line.
    #[track_caller]
    pub(crate) fn json_lines<T: DeserializeOwned>(&self) -> Vec<T> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.out.lines().map(parse).collect()
    }
}

/// Runs a command to its end; one that takes too long is killed and fails the test.
#[track_caller]
pub(crate) fn run(mut command: Command) -> Said {
    let what = format!("{command:?}");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap_or_else(|error| panic!("{what}: {error}"));
    let pid = child.id();
    let output = std::thread::spawn(move || child.wait_with_output());
    let ended = process::wait_end(pid, PATIENCE);
    if !ended {
        process::signal(pid, Signal::KILL);
    }
    let output = output.join().unwrap().unwrap();
    assert!(ended, "{what} took too long; it said {output:?}");
    let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
    Said {
        code: output.status.code().or(signal.map(|signal| 128 + signal)).unwrap(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
