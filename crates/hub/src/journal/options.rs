//! How a journal is kept: when it is synced, when it is rewritten, how much may wait.

use std::time::Duration;

/// When what is appended is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fsync {
    /// Before it is settled: a settled record survives a power failure. Replies wait for the disk, together.
    Always,
    /// Within about so long after it was written: a crash of the hub loses what was not handed to the kernel yet, a
    /// power failure what was written since the last sync.
    Every(Duration),
    /// When the kernel likes, which is within half a minute on most machines.
    Never,
}

impl Default for Fsync {
    /// Every second, as Redis has it.
    fn default() -> Self {
        Self::Every(Duration::from_secs(1))
    }
}

/// How a journal is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Default: every second.
    pub fsync: Fsync,
    /// A rewrite is due when base and logs together are this many times the base; default 2.
    pub rewrite_growth: f64,
    /// And not below so many bytes; default 64 MiB.
    pub rewrite_min_bytes: u64,
    /// Records that wait for the disk, above which the journal is congested; default 64 MiB.
    pub pending_max_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            fsync: Fsync::default(),
            rewrite_growth: 2.0,
            rewrite_min_bytes: 64 << 20,
            pending_max_bytes: 64 << 20,
        }
    }
}
