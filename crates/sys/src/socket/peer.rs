//! Who is at the other end of a Unix connection.
//!
//! Asked without rustix, whose process id is never 0: that is what the kernel says of a process in another pid namespace.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd};

use crate::CallError;
use crate::failure::checked;

/// The user of credentials that were never set.
const NOBODY: u32 = u32::MAX;

/// The user that connected; `None` when the kernel does not tell.
#[must_use]
pub fn peer_user(connection: impl AsFd) -> Option<u32> {
    peer_process(connection).map(|(_, user)| user)
}

/// Process and user at the other end of a Unix socket, as they were when it connected; the process is 0 if it is in a pid
/// namespace that we do not see. `None`: it is no Unix socket, or none that is connected.
#[must_use]
pub fn peer_process(connection: impl AsFd) -> Option<(u32, u32)> {
    credentials(connection).ok().flatten()
}

/// Process and user; `None` when there is no other end.
pub(super) fn credentials(connection: impl AsFd) -> Result<Option<(u32, u32)>, CallError> {
    let mut found = MaybeUninit::<libc::ucred>::zeroed();
    let mut size = libc::socklen_t::try_from(size_of::<libc::ucred>()).expect("a small structure");
    let fd = connection.as_fd().as_raw_fd();
    let (level, option) = (libc::SOL_SOCKET, libc::SO_PEERCRED);
    // SAFETY: the pointer leads to `size` bytes of room.
    checked(unsafe { libc::getsockopt(fd, level, option, found.as_mut_ptr().cast(), &raw mut size) })
        .map_err(|error| CallError::new("ask who is at the other end of a socket", error))?;
    // SAFETY: zeroed is a valid ucred, and so is whatever part of it the kernel wrote.
    let found = unsafe { found.assume_init() };
    let pid = u32::try_from(found.pid).unwrap_or(0);
    Ok((found.uid != NOBODY).then_some((pid, found.uid)))
}
