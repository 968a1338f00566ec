//! What bounds a bus and its members.

use std::time::Duration;

/// What a bus may hold, and where it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusOptions {
    /// Members at once; 10,000.
    pub members_max: usize,
    /// Subscriptions of one member, the same prefix twice counted once; 10,000.
    pub subscriptions_per_member_max: usize,
    /// Subscriptions of all members; 1,000,000.
    pub subscriptions_max: usize,
    /// Length of one subscription in bytes; 1 KiB, and 8 KiB at most whatever stands here.
    pub subscription_bytes_max: usize,
    /// Length of a message made of a topic and a payload in bytes; 64 MiB, and 1 GiB at most whatever stands here.
    pub message_bytes_max: usize,
    /// Bytes of work that wait while no consumer has room; 8 MiB. What comes beyond is dropped and counted.
    pub backlog_bytes_max: usize,
    /// Whether work waits before the first consumer has come; no: who uses no consumers should not pay for a backlog.
    pub backlog_from_start: bool,
    /// Bytes of memory blocks that are kept for little of their contents, before that is copied out; 64 MiB.
    pub sparse_bytes_max: usize,
    /// The sequence number of the first message; 1. After a restart: one more than the last that was given.
    pub first_sequence: u64,
    /// What is kept for those who come late; nothing. 64 at most, more are left out.
    pub rings: Vec<RingSpec>,
    /// Whether messages come back from another system that carries them; no. If so, publishing gives consumers no work,
    /// [`Bus::give_work`](crate::Bus::give_work) does, and it is noted which filters come and go, for
    /// [`Bus::take_asked`](crate::Bus::take_asked).
    pub is_relayed: bool,
    /// Whether others elsewhere hear what is published here, and the other way round; no. If so, it is noted which filters
    /// come and go, for [`Bus::take_asked`](crate::Bus::take_asked), and what they publish is given to
    /// [`Bus::hear`](crate::Bus::hear).
    pub is_shared: bool,
    /// Seed of the tables' hashing; 0. One that clients cannot know keeps them from making the tables slow.
    pub hash_seed: u64,
}

/// What is kept of the messages of some topics, to be asked for again by sequence number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RingSpec {
    /// Topics that begin with these bytes.
    pub prefix: bytes::Bytes,
    /// Messages kept; the oldest go first.
    pub messages_max: usize,
    /// Bytes kept, [`RingSpec::MESSAGE_COST`] counted for each message beside its own.
    pub bytes_max: usize,
}

/// Bounds of one member's queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLimits {
    /// Bytes that may wait behind the segment being written; 8 MiB. One message alone may be larger.
    pub bytes_max: usize,
    /// What happens to messages that do not fit.
    pub overflow: Overflow,
    /// How long publishers are held for this member while it is behind; 100 ms, and as long again for each quarter of
    /// the bound it takes in that time. Zero: not at all.
    pub patience: Duration,
}

/// What happens to messages that do not fit a member's queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// The oldest go, and are counted; never one that is partly written. The default for ZMTP members.
    DropOldest,
    /// The new ones go, and are counted.
    DropNewest,
    /// The member goes: it is named by [`Bus::take_doomed`](crate::Bus::take_doomed). The default for Redis members, as
    /// Redis does with its output buffer limits.
    Disconnect,
}

impl RingSpec {
    /// What a message costs in a ring beside its bytes.
    pub const MESSAGE_COST: usize = 32;
}

impl Default for BusOptions {
    fn default() -> Self {
        Self {
            members_max: 10_000,
            subscriptions_per_member_max: 10_000,
            subscriptions_max: 1_000_000,
            subscription_bytes_max: 1024,
            message_bytes_max: 64 * 1024 * 1024,
            backlog_bytes_max: 8 * 1024 * 1024,
            backlog_from_start: false,
            sparse_bytes_max: 64 * 1024 * 1024,
            first_sequence: 1,
            rings: Vec::new(),
            is_relayed: false,
            is_shared: false,
            hash_seed: 0,
        }
    }
}

impl QueueLimits {
    /// The default bounds with this policy.
    #[must_use]
    pub fn new(overflow: Overflow) -> Self {
        Self { bytes_max: 8 * 1024 * 1024, overflow, patience: Duration::from_millis(100) }
    }
}
