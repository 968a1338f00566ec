//! What somebody asks of a lock, within its limits.

use std::time::Duration;

use super::{
    LOCK_NAME_MAX_BYTES, LOCK_OWNER_MAX_BYTES, LOCK_TTL_MAX, LOCK_TTL_MIN, LOCK_WAIT_MAX, LOCK_WAITERS_MAX,
    LOCKS_MAX,
};

/// Who asks: a client, and which of its questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asker {
    /// The client, by a number that is its own for as long as it is connected.
    pub client: u64,
    /// The question, by a number of the client's.
    pub ticket: u64,
}

/// Somebody wants a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockAsk<'a> {
    /// Who.
    pub who: Asker,
    /// Which: 1 to 512 bytes.
    pub name: &'a [u8],
    /// For how long without a renewal: 100 ms to 24 h.
    pub ttl: Duration,
    /// How long it waits for it; zero: not at all; 24 h at most.
    pub wait: Duration,
    /// What it calls itself, for people: at most 256 bytes.
    pub owner: &'a [u8],
    /// Whether the lock is free when its connection ends, before the lease does.
    pub is_session: bool,
}

impl LockAsk<'_> {
    pub(super) fn check(&self) -> Result<(), LockError> {
        if self.name.is_empty() || self.name.len() > LOCK_NAME_MAX_BYTES {
            return Err(LockError::Name);
        }
        if self.owner.len() > LOCK_OWNER_MAX_BYTES {
            return Err(LockError::Owner);
        }
        if self.wait > LOCK_WAIT_MAX {
            return Err(LockError::Wait);
        }
        check_ttl(self.ttl)
    }
}

pub(super) fn check_ttl(ttl: Duration) -> Result<(), LockError> {
    if (LOCK_TTL_MIN..=LOCK_TTL_MAX).contains(&ttl) { Ok(()) } else { Err(LockError::Ttl) }
}

/// Why a lock cannot be asked for; nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// No name, or too long.
    #[error("the name of a lock has 1 to {LOCK_NAME_MAX_BYTES} bytes")]
    Name,
    /// Too long.
    #[error("the owner of a lock has at most {LOCK_OWNER_MAX_BYTES} bytes")]
    Owner,
    /// Too short or too long.
    #[error("the ttl of a lock is {} to {} milliseconds", LOCK_TTL_MIN.as_millis(), LOCK_TTL_MAX.as_millis())]
    Ttl,
    /// Too long.
    #[error("the wait for a lock is 0 to {} milliseconds", LOCK_WAIT_MAX.as_millis())]
    Wait,
    /// As many as there may be.
    #[error("{LOCKS_MAX} locks are held, which is the most there may be")]
    TooManyLocks,
    /// As many as there may be.
    #[error("{LOCK_WAITERS_MAX} clients wait for locks, which is the most there may be")]
    TooManyWaiters,
    /// As many as there may be.
    #[error("the engine of the locks has too many questions to answer")]
    TooManyQuestions,
}
