//! The plain error: one attempt, one refusal of the kernel.

use std::io;

use crate::errno;

/// The kernel refused what was tried; nothing was changed unless the text says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{attempt}: {}", errno::describe(*errno))]
pub struct CallError {
    /// What was tried, on what: `open /run/a.pid`.
    pub attempt: String,
    /// The kernel's error number; 0 when the failure was not the kernel's (a short read, a text that is no number).
    pub errno: i32,
}

impl CallError {
    /// `attempt` failed with `error`.
    pub fn new(attempt: impl Into<String>, error: impl Into<io::Error>) -> Self {
        Self { attempt: attempt.into(), errno: error.into().raw_os_error().unwrap_or(0) }
    }

    /// `attempt` failed with what the C library left in `errno`.
    pub(crate) fn last(attempt: impl Into<String>) -> Self {
        Self::new(attempt, io::Error::last_os_error())
    }
}

/// The result of a C call that says failure by a negative number.
pub(crate) fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// [`checked`] for calls made through `syscall(2)`.
pub(crate) fn checked_long(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
