//! Descriptors of kinds the runtime does not know, watched by it.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use tokio::io::unix::AsyncFd;

/// Has the runtime watch what does not block and owns its descriptor.
///
/// # Errors
/// Those of epoll_ctl(2).
#[expect(
    deprecated,
    reason = "the new constructor is unsafe, and unsafe code is for remuda-sys; who has a descriptor to lend owns it"
)]
pub(crate) fn watched<T: AsFd + AsRawFd>(thing: T) -> io::Result<AsyncFd<T>> {
    AsyncFd::new(thing)
}
