//! Keepers and workers that are surely gone at the end of a test, and waits that surely end.

use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use remuda_daemon::{Keeper, Orphans, keeper_name};
use remuda_model::Signal;
use remuda_sys::event::{Interest, Poller, Token};
use remuda_sys::process::{pidfd_open, send_signal};
use remuda_sys::socket::Link;

/// No single wait takes longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const EXECUTABLE: &str = env!("CARGO_BIN_EXE_daemon-keeper");

/// A name of this process and this test alone.
pub(crate) fn name(test: &str) -> String {
    keeper_name(Path::new(&format!("/test/{}/{test}", std::process::id())))
}

/// A process that is killed when dropped.
pub(crate) struct Doomed(pub(crate) OwnedFd);

impl Doomed {
    pub(crate) fn of(pid: u32) -> Self {
        Self(pidfd_open(pid).unwrap())
    }

    pub(crate) fn wait(&self) {
        wait_for(self.0.as_fd());
    }

    pub(crate) fn has_ended(&self) -> bool {
        is_readable(self.0.as_fd(), Duration::ZERO)
    }
}

impl Drop for Doomed {
    fn drop(&mut self) {
        let _ = send_signal(&self.0, Signal::KILL);
    }
}

/// A keeper with us as its arbiter.
pub(crate) struct Kept {
    pub(crate) keeper: Keeper,
    pub(crate) process: Doomed,
    pub(crate) name: String,
}

/// A keeper whose arbiter is dead.
pub(crate) struct Orphaned {
    pub(crate) process: Doomed,
    pub(crate) name: String,
}

impl Kept {
    pub(crate) fn new(test: &str) -> Self {
        let name = name(test);
        let keeper = Keeper::spawn(Path::new(EXECUTABLE), &name).unwrap();
        let process = Doomed(keeper.pidfd().try_clone_to_owned().unwrap());
        Self { keeper, process, name }
    }

    /// All the keeper can see of our death is that the link is closed.
    pub(crate) fn die(mut self) -> Orphaned {
        self.keeper.sync().unwrap();
        drop(self.keeper);
        Orphaned { process: self.process, name: self.name }
    }
}

impl Orphaned {
    pub(crate) fn find(&self) -> Orphans {
        Orphans::find(&self.name).unwrap().expect("the keeper waits")
    }
}

pub(crate) fn is_readable(fd: BorrowedFd<'_>, limit: Duration) -> bool {
    let mut poller = Poller::new().unwrap();
    poller.add(fd, Token(0), Interest::Read).unwrap();
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if poller.wait(Some(left)).unwrap().next().is_some() {
            return true;
        }
        if left.is_zero() {
            return false;
        }
    }
}

/// Waits until there is something to read from `fd`, or fails the test.
pub(crate) fn wait_for(fd: BorrowedFd<'_>) {
    assert!(is_readable(fd, PATIENCE), "nothing came in time");
}

/// A worker: a shell script that has printed its first line.
pub(crate) struct Worker {
    pub(crate) child: Child,
    pub(crate) process: Doomed,
}

impl Worker {
    pub(crate) fn start(script: &str) -> Self {
        let mut command = Command::new("/bin/sh");
        let mut child = command.args(["-c", script]).stdout(Stdio::piped()).spawn().unwrap();
        let process = Doomed::of(child.id());
        let mut first = [0_u8; 1];
        child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
        Self { child, process }
    }

    pub(crate) fn idle() -> Self {
        Self::start("echo; exec sleep 600")
    }
}

/// A visitor that says what it likes.
pub(crate) fn visitor(name: &str) -> Link {
    Link::connect(name, PATIENCE).unwrap().expect("the keeper listens")
}

/// All that is left to read from a non-blocking pipe until nobody can write to it any more.
pub(crate) fn read_all(pipe: &OwnedFd) -> Vec<u8> {
    let mut file = std::fs::File::from(pipe.try_clone().unwrap());
    let mut all = Vec::new();
    let mut part = vec![0; 64 * 1024];
    loop {
        wait_for(pipe.as_fd());
        match file.read(&mut part).unwrap() {
            0 => return all,
            length => all.extend(&part[..length]),
        }
    }
}

/// Bytes whose every stretch tells where it is from.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0_u32..).flat_map(u32::to_le_bytes).take(length).collect()
}
