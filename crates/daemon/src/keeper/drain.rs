//! The log pipes of an orphan: emptied, so that nobody who writes blocks or is killed for it.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use remuda_sys::event::{Interest, Poller, Token};
use remuda_sys::{CallError, memfd};

use super::policy::Policy;
use super::protocol::{Holding, SPILL};

/// Read at once, in bytes: a pipe's usual capacity.
const READ_BYTES: usize = 64 * 1024;

/// Watches the pipes and keeps what was read from them, up to the limits of the policy.
#[derive(Debug)]
pub(super) struct Drain {
    poller: Poller,
    pipes: Vec<Pipe>,
    buffer: Vec<u8>,
    /// What one pipe may still spill at most, and all together, in bytes.
    each: u64,
    left: u64,
}

#[derive(Debug)]
struct Pipe {
    name: String,
    reader: File,
    spill: Option<File>,
    /// No more is kept, so that what is kept has no gap.
    is_full: bool,
    spilled: u64,
    dropped: u64,
    ended: bool,
}

impl Drain {
    /// Watches nothing yet.
    pub(super) fn new() -> Result<Self, CallError> {
        Ok(Self { poller: Poller::new()?, pipes: Vec::new(), buffer: Vec::new(), each: 0, left: 0 })
    }

    /// Begins to empty `pipes`. What cannot be watched is only held.
    pub(super) fn begin(&mut self, pipes: impl Iterator<Item = (String, OwnedFd)>, policy: &Policy) {
        self.pipes = pipes.map(|(name, fd)| Pipe::new(name, fd)).collect();
        for (token, pipe) in (0..).zip(&self.pipes) {
            let _ = self.poller.add(&pipe.reader, Token(token), Interest::Read);
        }
        self.buffer = vec![0; READ_BYTES];
        (self.each, self.left) = (policy.spill_each, policy.spill_total);
    }

    /// Readable when a pipe is.
    pub(super) fn poller(&self) -> BorrowedFd<'_> {
        self.poller.as_fd()
    }

    /// Reads once from every pipe that has something.
    pub(super) fn read(&mut self) -> Result<(), CallError> {
        let Self { poller, pipes, buffer, each, left } = self;
        let ready: Vec<Token> = poller.wait(Some(Duration::ZERO))?.map(|readiness| readiness.token).collect();
        for Token(token) in ready {
            let Some(pipe) = usize::try_from(token).ok().and_then(|at| pipes.get_mut(at)) else { continue };
            match pipe.reader.read(buffer) {
                Ok(length @ 1..) => *left -= pipe.spill(&buffer[..length], *each, *left),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Ok(0) | Err(_) => {
                    pipe.ended = true;
                    // The arbiter that died may not be the only other holder of the reading end.
                    let _ = poller.remove(&pipe.reader);
                }
            }
        }
        Ok(())
    }

    /// Everything to hand over: the pipes, and what was read from them.
    pub(super) fn entries(&self) -> impl Iterator<Item = (String, Holding, BorrowedFd<'_>)> {
        self.pipes.iter().flat_map(|pipe| {
            let holding =
                Holding { spilled: pipe.spilled, dropped: pipe.dropped, ended: pipe.ended, alive: None };
            let spill = pipe.spill.as_ref().filter(|_| pipe.spilled > 0);
            let spill = spill.map(|file| (format!("{SPILL}{}", pipe.name), holding.clone(), file.as_fd()));
            std::iter::once((pipe.name.clone(), holding, pipe.reader.as_fd())).chain(spill)
        })
    }
}

impl Pipe {
    fn new(name: String, fd: OwnedFd) -> Self {
        let reader = File::from(fd);
        Self { name, reader, spill: None, is_full: false, spilled: 0, dropped: 0, ended: false }
    }

    /// Keeps `bytes` as far as this pipe may spill `each` bytes in all and `left` now; returns how many were kept.
    fn spill(&mut self, bytes: &[u8], each: u64, left: u64) -> u64 {
        let room = usize::try_from(each.saturating_sub(self.spilled).min(left)).unwrap_or(usize::MAX);
        let wanted = if self.is_full { 0 } else { bytes.len().min(room) };
        let kept = self.append(&bytes[..wanted]);
        self.is_full |= kept < bytes.len();
        let (kept, all) = (count(kept), count(bytes.len()));
        self.spilled += kept;
        self.dropped += all - kept;
        kept
    }

    /// Writes to the spill; returns how much went in. Short of memory, what does not go in is dropped.
    fn append(&mut self, bytes: &[u8]) -> usize {
        if bytes.is_empty() {
            return 0;
        }
        if self.spill.is_none() {
            self.spill = memfd::with_content("remuda-spill", b"").ok().map(File::from);
        }
        let Some(file) = &mut self.spill else { return 0 };
        let mut written = 0;
        while written < bytes.len() {
            match file.write(&bytes[written..]) {
                Ok(length @ 1..) => written += length,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => break,
            }
        }
        written
    }
}

fn count(bytes: usize) -> u64 {
    u64::try_from(bytes).expect("no buffer is longer than 64 bits can count")
}
