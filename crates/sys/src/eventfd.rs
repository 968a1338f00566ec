//! A bell between a thread and an event loop.
//!
//! A thread that finished something rings, the loop that polls the descriptor wakes up. Rings that nobody has heard
//! yet are one: a slow loop costs neither memory nor a blocked thread.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;

use crate::CallError;

/// An eventfd(2), non-blocking and close-on-exec.
#[derive(Debug)]
pub struct EventFd {
    fd: OwnedFd,
}

impl EventFd {
    /// A silent one.
    ///
    /// # Errors
    /// No descriptor left.
    pub fn new() -> Result<Self, CallError> {
        let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|errno| CallError::new("create an eventfd", errno))?;
        Ok(Self { fd })
    }

    /// Makes the descriptor readable, until [`EventFd::clear`].
    pub fn ring(&self) {
        // The one failure of a valid descriptor is a full counter (EAGAIN), and then it is readable already.
        let _ = rustix::io::retry_on_intr(|| rustix::io::write(&self.fd, &1_u64.to_ne_bytes()));
    }

    /// Whether it was rung since the last call.
    #[must_use = "what was rung for has to be looked at"]
    pub fn clear(&self) -> bool {
        let mut count = [0; 8];
        match rustix::io::retry_on_intr(|| rustix::io::read(&self.fd, &mut count)) {
            Ok(_) => true,
            Err(errno) => errno != Errno::AGAIN,
        }
    }
}

impl AsFd for EventFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests;
