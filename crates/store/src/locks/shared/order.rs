//! What the machine of shared locks wants done, and what an engine is asked and answers.

use std::sync::Arc;
use std::time::Duration;

use super::super::{Asker, LockEvent};

/// A question to an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineAsk {
    /// The lock, if nobody has it.
    Acquire {
        /// The lock.
        name: Arc<[u8]>,
        /// For how long.
        ttl: Duration,
        /// What the holder calls itself.
        owner: Arc<[u8]>,
    },
    /// So much more time, if this acquisition has the lock still.
    Renew {
        /// The lock.
        name: Arc<[u8]>,
        /// The acquisition.
        fence: u64,
        /// For how long, from now on.
        ttl: Duration,
    },
    /// The lock is free, if this acquisition has it still.
    Release {
        /// The lock.
        name: Arc<[u8]>,
        /// The acquisition.
        fence: u64,
    },
}

/// What an engine answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineAnswer {
    /// The lock is acquired; the number is larger than that of any acquisition before.
    Acquired {
        /// The number.
        fence: u64,
    },
    /// Another has it, for so long at least where that is known.
    Taken {
        /// How long still, if it is not renewed.
        left: Option<Duration>,
    },
    /// A renewal or a release is done, or could not be: that acquisition has the lock no more.
    Done {
        /// Whether it is done.
        is_done: bool,
    },
    /// There is no answer, or it is an error: whether the engine did it is not known.
    Failed {
        /// Why.
        why: Arc<str>,
    },
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SharedOrder {
    /// The engine is to be asked; its answer belongs to this number.
    Ask {
        /// The number.
        number: u64,
        /// The question.
        ask: EngineAsk,
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
    /// A renewal or a release is done, or could not be.
    Done {
        /// Who asked for it.
        to: Asker,
        /// Whether it is done.
        is_done: bool,
    },
    /// There is no engine, or no answer.
    Refused {
        /// Who asked.
        to: Asker,
        /// Why.
        why: Arc<str>,
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
