//! One daemon per lock file.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::CallError;

/// A held lock; dropped, it is free again. The file stays, because removing it would let two holders in.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// Why the lock was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Somebody has it.
    #[error("{path} is locked by {}", holder(*pid))]
    Held {
        /// The lock file.
        path: PathBuf,
        /// Who, as the file says.
        pid: Option<u32>,
    },
    /// The file cannot be opened, locked or written.
    #[error(transparent)]
    Call(#[from] CallError),
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".into(), |pid| format!("pid {pid}"))
}

/// Takes the lock `path` without waiting and writes our pid into it. The lock is the open file description's: it
/// survives `execve` when its descriptor does, and ends with the process.
///
/// # Errors
/// [`LockError::Held`] names the holder; otherwise the file's own failure.
pub fn try_lock(path: &Path) -> Result<Lock, LockError> {
    let attempt = || format!("lock {}", path.display());
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o644)
        .open(path)
        .map_err(|error| CallError::new(attempt(), error))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => {
            let mut text = String::new();
            // An unreadable pid leaves the holder unnamed; that it is held is known all the same.
            let pid = (&file).take(32).read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
            return Err(LockError::Held { path: path.into(), pid });
        }
        Err(errno) => return Err(CallError::new(attempt(), errno).into()),
    }
    let text = format!("{}\n", std::process::id());
    file.set_len(0)
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .and_then(|_| file.write_all(text.as_bytes()))
        .map_err(|error| CallError::new(format!("write our pid to {}", path.display()), error))?;
    Ok(Lock { file })
}

impl AsFd for Lock {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl From<std::os::fd::OwnedFd> for Lock {
    /// A lock that came through `execve` with its descriptor.
    fn from(fd: std::os::fd::OwnedFd) -> Self {
        Self { file: File::from(fd) }
    }
}
