//! What a store is made with: its limits, and what happens at them.

/// What gives way when the store is as large as it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Eviction {
    /// Nothing: commands that would make it larger are refused.
    #[default]
    Refuse,
    /// The key of a sample that was not used for the longest time.
    LeastRecentlyUsed,
    /// The key whose deadline is next; when no key has one, commands are refused.
    SoonestExpiry,
}

impl Eviction {
    /// Redis' name of the same policy, for clients that ask.
    #[must_use]
    pub fn redis_name(self) -> &'static str {
        match self {
            Self::Refuse => "noeviction",
            Self::LeastRecentlyUsed => "allkeys-lru",
            Self::SoonestExpiry => "volatile-ttl",
        }
    }
}

/// The limits of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOptions {
    /// Number of databases, 1 to 1024. Default 16.
    pub databases: u32,
    /// Bytes the keys and values may take by the store's own estimate; none for no limit, the default.
    pub memory_max_bytes: Option<u64>,
    /// What gives way at that limit. Default: nothing.
    pub eviction: Eviction,
    /// Seed of the hash functions and of every random choice: the same seed and commands give the same answers.
    pub seed: u64,
    /// Changes remembered for watchers that come back. Default 65,536.
    pub changes_kept: usize,
    /// Bytes of key names remembered with those changes. Default 8 MiB.
    pub changes_bytes: usize,
    /// Largest string value in bytes, and largest element. Default 64 MiB.
    pub value_max_bytes: usize,
    /// Clients that may wait in blocking commands at once. Default 65,536.
    pub blocked_max: usize,
    /// Keys one client may watch. Default 16,384.
    pub watched_max: usize,
    /// Whether effects are kept for a log. Default: yes.
    pub keeps_effects: bool,
    /// Bytes of effects that one transaction or script may leave. Default 256 MiB.
    pub effects_max_bytes: usize,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            databases: 16,
            memory_max_bytes: None,
            eviction: Eviction::Refuse,
            seed: 0,
            changes_kept: 65_536,
            changes_bytes: 8 << 20,
            value_max_bytes: 64 << 20,
            blocked_max: 65_536,
            watched_max: 16_384,
            keeps_effects: true,
            effects_max_bytes: 256 << 20,
        }
    }
}
