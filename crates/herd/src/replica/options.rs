//! The limits of a replica.

/// Its limits; the defaults suit a herd of some dozens of servers with some millions of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaOptions {
    /// How far a stamp of another server may be ahead of the own clock. Default 500 ms.
    pub ahead_max_ms: u64,
    /// Changes from the future that wait for their time. Default 10,000; further ones are refused, and fetched later.
    pub quarantine_max: usize,
    /// Bytes of those changes. Default 16 MiB.
    pub quarantine_max_bytes: usize,
    /// How long it is remembered that a key or an element was deleted. Default 24 h.
    pub grace_ms: u64,
    /// How many deletions are remembered; the oldest are forgotten first. Default 1,000,000.
    pub ended_max: usize,
    /// Largest change that is spread, in bytes; a key with a larger whole value stays on its server. Default 8 MiB.
    pub change_max_bytes: usize,
    /// Time between two comparisons with some peer, half of it more or less by chance. Default 60 s.
    pub compare_ms: u64,
    /// A peer that does not answer for so long is asked anew at the next comparison. Default 30 s.
    pub patience_ms: u64,
    /// A check whose question or answer may be lost, as nothing was heard for so long, begins anew. Default 2 s.
    pub check_again_ms: u64,
    /// About how large a message may be that could be split. Default 64 KiB.
    pub message_bytes: usize,
    /// Recent changes remembered at least, whatever the number of keys. Default 65,536, at 24 bytes each.
    pub recent_min: usize,
}

impl Default for ReplicaOptions {
    fn default() -> Self {
        Self {
            ahead_max_ms: 500,
            quarantine_max: 10_000,
            quarantine_max_bytes: 16 << 20,
            grace_ms: 24 * 3_600_000,
            ended_max: 1_000_000,
            change_max_bytes: 8 << 20,
            compare_ms: 60_000,
            patience_ms: 30_000,
            check_again_ms: 2_000,
            message_bytes: 64 << 10,
            recent_min: 65_536,
        }
    }
}
