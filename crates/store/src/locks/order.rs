//! What the machine of locks wants done, in this order.

use std::sync::Arc;
use std::time::Duration;

use super::Asker;

/// One thing to do. Nothing is told before what stands in front of it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockOrder {
    /// The disk is to know that this acquisition has the lock, in place of any other.
    Keep {
        /// The lock.
        name: Arc<[u8]>,
        /// The acquisition.
        fence: u64,
        /// For how long.
        ttl: Duration,
        /// Whose it is.
        owner: Arc<[u8]>,
    },
    /// The disk is to know that this acquisition has the lock no more.
    Forget {
        /// The lock.
        name: Arc<[u8]>,
        /// The acquisition.
        fence: u64,
    },
    /// Who asked has the lock.
    Granted {
        /// Who.
        to: Asker,
        /// The lock.
        name: Arc<[u8]>,
        /// The number of the acquisition.
        fence: u64,
    },
    /// Who asked does not get the lock in its time.
    Denied {
        /// Who.
        to: Asker,
    },
    /// For whoever listens.
    Tell {
        /// The lock.
        name: Arc<[u8]>,
        /// What happened.
        event: LockEvent,
        /// To which acquisition.
        fence: u64,
        /// Whose it is, or was.
        owner: Arc<[u8]>,
    },
}

/// What happens to a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockEvent {
    /// Somebody has it now.
    Acquired,
    /// Its holder gave it back, or ended with its connection.
    Released,
    /// Its lease ended.
    Expired,
}

impl LockEvent {
    /// As it is told.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Acquired => "acquired",
            Self::Released => "released",
            Self::Expired => "expired",
        }
    }
}
