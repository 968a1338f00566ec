//! A single wait for a few descriptors, without an epoll instance to keep.

use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::CallError;

/// Waits at most `timeout` (for ever when absent) until one of `fds` is readable, hung up or in error, and says which
/// are. A signal may end the wait early, with none.
///
/// # Errors
/// No memory, or more descriptors than the process may open.
pub fn wait_readable<const N: usize>(
    fds: [&dyn AsFd; N],
    timeout: Option<Duration>,
) -> Result<[bool; N], CallError> {
    let timeout = timeout.map(|timeout| Timespec {
        tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(timeout.subsec_nanos()),
    });
    let mut polled = fds.map(|fd| PollFd::from_borrowed_fd(fd.as_fd(), PollFlags::IN));
    match poll(&mut polled, timeout.as_ref()) {
        Ok(_) => Ok(polled.map(|each| !each.revents().is_empty())),
        Err(Errno::INTR) => Ok([false; N]),
        Err(errno) => Err(CallError::new("wait for a descriptor", errno)),
    }
}
