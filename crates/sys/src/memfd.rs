//! Files that live in memory only.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

use crate::CallError;

/// An unnamed file with `content`, read from its start; `name` shows in `/proc/PID/fd`.
///
/// # Errors
/// No descriptor or no memory left.
pub fn with_content(name: &str, content: &[u8]) -> Result<OwnedFd, CallError> {
    let fd = memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)
        .map_err(|errno| CallError::new(format!("create the memory file {name}"), errno))?;
    let mut file = File::from(fd);
    let written = file.write_all(content).and_then(|()| file.seek(SeekFrom::Start(0)));
    written.map_err(|error| {
        CallError::new(format!("write {} bytes to the memory file {name}", content.len()), error)
    })?;
    Ok(file.into())
}

/// Like [`with_content`], and nobody can change it any more.
///
/// # Errors
/// As for [`with_content`].
pub fn sealed(name: &str, content: &[u8]) -> Result<OwnedFd, CallError> {
    let fd = with_content(name, content)?;
    fcntl_add_seals(&fd, SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE)
        .map_err(|errno| CallError::new(format!("seal the memory file {name}"), errno))?;
    Ok(fd)
}

/// Reads all of `fd` from its start, at most `limit` bytes.
///
/// # Errors
/// The descriptor does not read or seek; longer than `limit` is `EFBIG`.
pub fn content(fd: &impl AsFd, limit: usize) -> Result<Vec<u8>, CallError> {
    let attempt = "read a memory file";
    let fd = fd.as_fd().try_clone_to_owned().map_err(|error| CallError::new(attempt, error))?;
    let mut file = File::from(fd);
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut content = Vec::new();
    file.seek(SeekFrom::Start(0))
        .and_then(|_| file.take(bound).read_to_end(&mut content))
        .map_err(|error| CallError::new(attempt, error))?;
    if content.len() > limit {
        return Err(CallError::new(attempt, rustix::io::Errno::FBIG));
    }
    Ok(content)
}
