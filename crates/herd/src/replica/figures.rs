//! What a replica counts, for operators.

/// Counts since the replica was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReplicaFigures {
    /// Changes made here and spread.
    pub made: u64,
    /// Changes of others that changed something here.
    pub taken: u64,
    /// Changes of others that were known, or were older than what is here.
    pub stale: u64,
    /// Writes of this server that another server's write at the same time overwrote: what "last writer wins" has cost.
    pub concurrent_overwrites: u64,
    /// Changes that came from the future and wait, or waited.
    pub quarantined: u64,
    /// Changes that were refused: from too far in the future with no room to wait, unreadable, or no memory for them.
    pub refused: u64,
    /// Keys that are too large to be spread, each time they were written.
    pub oversized: u64,
    /// Deletions forgotten before their time, as there were too many.
    pub forgotten_early: u64,
    /// Comparisons and fetches that were completed.
    pub synced: u64,
    /// Those that were given up.
    pub abandoned: u64,
    /// Keys that they brought up to date.
    pub repaired: u64,
}

/// A replica at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplicaView {
    /// Counts.
    pub figures: ReplicaFigures,
    /// Keys of the herd that are there.
    pub keys: usize,
    /// Keys of which only the end is remembered.
    pub ended: usize,
    /// Equal on two servers where the keys, and who changed them when, are.
    pub digest: u64,
    /// Changes from the future that wait.
    pub waiting: usize,
    /// Bytes of what is known of keys, elements and counters apart.
    pub memory_bytes: usize,
}
