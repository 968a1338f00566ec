//! The number by which `/proc` names a socket.

use std::os::fd::AsFd;

use rustix::fs::fstat;

/// The inode of a socket; `None` when the kernel does not tell.
#[must_use]
pub fn inode(socket: impl AsFd) -> Option<u64> {
    fstat(socket).ok().map(|stat| stat.st_ino)
}
