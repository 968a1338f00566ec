//! What work has cost: time, processor, and bytes that the kernel was made to write.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::failure::BenchError;

/// `TMPFS_MAGIC` of statfs(2).
const TMPFS: u64 = 0x0102_1994;
/// A block as stat(2) counts them.
const BLOCK_BYTES: u64 = 512;

/// A moment of this process.
#[derive(Debug)]
pub(crate) struct Meter {
    began: Instant,
    processor: Duration,
    written: u64,
}

/// What went by since a [`Meter`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) time: Duration,
    /// User and system time of all threads, those that have ended included: what getrusage(2) says, in nanoseconds.
    pub(crate) processor: Duration,
    /// `write_bytes` of proc_pid_io(5): pages made dirty, whole, once for each time they go to the disk. What the file
    /// system writes for itself is not in it.
    pub(crate) written: u64,
}

impl Meter {
    pub(crate) fn start() -> Result<Self, BenchError> {
        Ok(Self { began: Instant::now(), processor: processor(), written: written()? })
    }

    pub(crate) fn read(&self) -> Result<Cost, BenchError> {
        Ok(Cost {
            time: self.began.elapsed(),
            processor: processor().saturating_sub(self.processor),
            written: written()? - self.written,
        })
    }
}

/// Bytes of the blocks that all files below `folder` occupy.
pub(crate) fn occupied(folder: &Path) -> Result<u64, BenchError> {
    let failed = |source| BenchError::file(folder, source);
    let mut bytes = 0;
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let metadata = entry.metadata().map_err(failed)?;
        bytes += if metadata.is_dir() { occupied(&entry.path())? } else { metadata.blocks() * BLOCK_BYTES };
    }
    Ok(bytes)
}

/// Makes `folder`, and fails when nothing in it ever comes to a disk.
pub(crate) fn refuse_memory(folder: &Path) -> Result<(), BenchError> {
    fs::create_dir_all(folder).map_err(|source| BenchError::file(folder, source))?;
    let found = rustix::fs::statfs(folder).map_err(|errno| BenchError::file(folder, errno.into()))?;
    match u64::try_from(found.f_type) {
        Ok(TMPFS) => Err(BenchError::Memory(folder.to_owned())),
        _ => Ok(()),
    }
}

fn processor() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

fn written() -> Result<u64, BenchError> {
    const PATH: &str = "/proc/self/io";
    let text = fs::read_to_string(PATH).map_err(|source| BenchError::file(PATH, source))?;
    let number = text.lines().find_map(|line| line.strip_prefix("write_bytes: ")?.parse().ok());
    number.ok_or_else(|| BenchError::file(PATH, io::Error::other("it has no write_bytes")))
}
