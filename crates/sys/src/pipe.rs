//! Pipes that carry a worker's output.

use std::os::fd::OwnedFd;

use rustix::fs::{FileType, Mode, OFlags, fcntl_getfl, fcntl_setfl};
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};

use crate::CallError;

/// Wanted capacity of a log pipe: what a worker may write while the arbiter is busy elsewhere.
pub const LOG_PIPE_BYTES: usize = 256 * 1024;
const FALLBACK_BYTES: usize = 64 * 1024;

/// A pipe with two ends.
#[derive(Debug)]
pub struct Pipe {
    /// The end to read from.
    pub reader: OwnedFd,
    /// The end to write to; blocks when the pipe is full.
    pub writer: OwnedFd,
}

/// A pipe whose ends both block, and are both close-on-exec: one that is read by a program that knows nothing of it.
///
/// # Errors
/// No descriptor left.
pub fn blocking() -> Result<Pipe, CallError> {
    let (reader, writer) =
        pipe_with(PipeFlags::CLOEXEC).map_err(|errno| CallError::new("create a pipe", errno))?;
    Ok(Pipe { reader, writer })
}

/// A pipe with a non-blocking reader and a blocking writer, both close-on-exec.
///
/// # Errors
/// No descriptor left.
pub fn plain() -> Result<Pipe, CallError> {
    let pipe = blocking()?;
    fcntl_getfl(&pipe.reader)
        .and_then(|flags| fcntl_setfl(&pipe.reader, flags | OFlags::NONBLOCK))
        .map_err(|errno| CallError::new("make a pipe's reader non-blocking", errno))?;
    Ok(pipe)
}

/// A pipe of [`LOG_PIPE_BYTES`], or 64 KiB where the user's share of pipe memory is used up
/// (`fs.pipe-user-pages-soft`), or whatever the kernel gives: a small pipe is better than no log.
///
/// # Errors
/// No descriptor left.
pub fn log() -> Result<Pipe, CallError> {
    let pipe = plain()?;
    if fcntl_setpipe_size(&pipe.writer, LOG_PIPE_BYTES).is_err() {
        // The kernel's default may be a single page by now; refused again, that page has to do.
        let _ = fcntl_setpipe_size(&pipe.writer, FALLBACK_BYTES);
    }
    Ok(pipe)
}

/// A new reading end, non-blocking, of the pipe that is descriptor `number` of process `pid`: what waits in it is read
/// through it, even if every other reading end was closed.
///
/// # Errors
/// There is no such process or descriptor, it is not ours to look at, or it is no pipe (`EINVAL`).
pub fn reopen(pid: u32, number: i32) -> Result<OwnedFd, CallError> {
    let path = format!("/proc/{pid}/fd/{number}");
    let attempt = || format!("open the pipe {path}");
    let status = rustix::fs::stat(&path).map_err(|errno| CallError::new(attempt(), errno))?;
    if FileType::from_raw_mode(status.st_mode) != FileType::Fifo {
        return Err(CallError::new(attempt(), rustix::io::Errno::INVAL));
    }
    rustix::fs::open(&path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| CallError::new(attempt(), errno))
}
