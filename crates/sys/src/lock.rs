//! One daemon per lock file.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::CallError;

/// Most files that are locked and found to be removed, before it is given up.
const REMOVED_MAX: u32 = 16;

/// A held lock; dropped, it is free again. The file stays, unless [`Lock::remove`] takes it away.
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
    for _ in 0..REMOVED_MAX {
        if let Some(lock) = hold(open(path)?, path)? {
            lock.write_pid(path)?;
            return Ok(lock);
        }
    }
    let attempt = format!("lock {}, which is removed again and again", path.display());
    Err(CallError::new(attempt, Errno::AGAIN).into())
}

fn open(path: &Path) -> Result<File, CallError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o644)
        .open(path)
        .map_err(|error| CallError::new(format!("lock {}", path.display()), error))
}

/// Locks a file that was opened at `path`; `None` when it is no longer there. The last holder may have removed it
/// meanwhile, and who locks the file that is there now would not meet us.
fn hold(file: File, path: &Path) -> Result<Option<Lock>, LockError> {
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(Lock { file }).filter(|lock| lock.is_at(path))),
        Err(Errno::WOULDBLOCK) => {
            let mut text = String::new();
            // An unreadable pid leaves the holder unnamed; that it is held is known all the same.
            let pid = (&file).take(32).read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
            Err(LockError::Held { path: path.into(), pid })
        }
        Err(errno) => Err(CallError::new(format!("lock {}", path.display()), errno).into()),
    }
}

impl Lock {
    /// Removes the lock's file, if it is still the one at `path`, and lets go of the lock. Whoever opened the file
    /// before and locks it now finds that it is gone, and takes the next one.
    pub fn remove(self, path: &Path) {
        if self.is_at(path) {
            // A file that stays is an old lock file, which the next holder takes.
            let _ = std::fs::remove_file(path);
        }
    }

    fn is_at(&self, path: &Path) -> bool {
        let same = |ours: Metadata, there: Metadata| (ours.dev(), ours.ino()) == (there.dev(), there.ino());
        let ours = self.file.metadata();
        ours.and_then(|ours| Ok(same(ours, std::fs::metadata(path)?))).unwrap_or(false)
    }

    fn write_pid(&self, path: &Path) -> Result<(), CallError> {
        let text = format!("{}\n", std::process::id());
        let mut file = &self.file;
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.write_all(text.as_bytes()))
            .map_err(|error| CallError::new(format!("write our pid to {}", path.display()), error))
    }
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

#[cfg(test)]
mod tests;
