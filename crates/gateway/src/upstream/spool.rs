//! A request's body that is kept until it is whole, so that a slow client holds up nobody but itself.
//!
//! Some of it is kept in memory, the rest in a file without a name. What is too much even for that is not kept: the
//! request goes on with what there is, and the rest is passed on as it comes.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};

use super::failure::UpstreamError;
use crate::server::RequestBody;

/// Most bytes of one body that are kept in a file.
const FILE_MAX: u64 = 1 << 30;
/// Bytes that are written to the file, or read from it, at once.
const PIECE: usize = 64 << 10;

/// What was kept of a body.
#[derive(Debug, Default)]
pub(super) struct Spool {
    memory: Vec<u8>,
    file: Option<File>,
    in_file: u64,
    /// Whether the body ended with it.
    pub(super) is_whole: bool,
    read: u64,
}

impl Spool {
    /// Keeps `body`, `memory_max` bytes of it in memory.
    pub(super) async fn keep(body: &mut RequestBody, memory_max: usize) -> Result<Self, UpstreamError> {
        let mut spool = Self::default();
        while spool.memory.len() < memory_max {
            if body.read(&mut spool.memory).await? == 0 {
                spool.is_whole = true;
                return Ok(spool);
            }
        }
        let failed = |error: io::Error| UpstreamError::Spool(error.to_string());
        let mut file = nameless().map_err(failed)?;
        let mut piece = Vec::with_capacity(PIECE);
        while !spool.is_whole && spool.in_file < FILE_MAX {
            while piece.len() < PIECE && !spool.is_whole {
                spool.is_whole = body.read(&mut piece).await? == 0;
            }
            let (at, bytes) = (spool.in_file, std::mem::take(&mut piece));
            spool.in_file += bytes.len() as u64;
            let written = tokio::task::spawn_blocking(move || (file.write_all_at(&bytes, at), file, bytes));
            let (result, same, mut bytes) = written.await.map_err(|error| failed(io::Error::other(error)))?;
            result.map_err(failed)?;
            bytes.clear();
            (file, piece) = (same, bytes);
        }
        spool.file = Some(file);
        Ok(spool)
    }

    /// Bytes that are kept.
    pub(super) fn len(&self) -> u64 {
        self.memory.len() as u64 + self.in_file
    }

    /// From the beginning again.
    pub(super) fn rewind(&mut self) {
        self.read = 0;
    }

    /// Adds some of it to `out`; 0: there is no more. It was written a moment ago, and is in the kernel's memory. A disk
    /// that fails makes it end early, which its receiver sees by its length.
    pub(super) fn read(&mut self, out: &mut Vec<u8>) -> usize {
        let in_memory = self.memory.len() as u64;
        let len = if self.read < in_memory {
            let from = usize::try_from(self.read).unwrap_or(usize::MAX);
            let rest = &self.memory[from..];
            let rest = &rest[..rest.len().min(PIECE)];
            out.extend_from_slice(rest);
            rest.len()
        } else {
            let (Some(file), at) = (&self.file, self.read - in_memory) else { return 0 };
            let from = out.len();
            let left = usize::try_from(self.in_file - at).unwrap_or(usize::MAX).min(PIECE);
            out.resize(from + left, 0);
            let len = file.read_at(&mut out[from..], at).unwrap_or(0);
            out.truncate(from + len);
            len
        };
        self.read += len as u64;
        len
    }
}

/// A file that nobody can find, and that is gone with its descriptor.
fn nameless() -> io::Result<File> {
    let folder = std::env::temp_dir();
    for _ in 0..8 {
        let random = remuda_sys::random::bytes().map_err(io::Error::other)?;
        let path = folder.join(format!("remuda-body-{:016x}", u64::from_le_bytes(random)));
        match OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => {
                std::fs::remove_file(&path)?;
                return Ok(file);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}
