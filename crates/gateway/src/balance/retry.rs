//! Which requests may be tried again (RFC 9110 9.2.2).
//!
//! What a server may have done already must not be done twice. A request that reached nobody is safe whatever it is; one
//! that may have is safe if doing it twice is as doing it once. And none can be sent again whose body is gone.

/// How an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No connection could be made: nothing was sent.
    Connect,
    /// A connection that had been used before ended before a byte of an answer came: it was closed while nobody looked.
    Stale,
    /// A new connection ended before an answer came.
    Ended,
    /// No answer came in time. It may still be at work, and asking another doubles the load of a group that is slow.
    Late,
    /// What came is no answer.
    Garbage,
}

/// An attempt that failed.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// How.
    pub failure: Failure,
    /// Whether doing it twice is as doing it once: by its method, or because Idempotency-Key says so.
    pub is_idempotent: bool,
    /// Whether all of the request can be sent again: nothing of its body was taken, or all of it is kept.
    pub is_replayable: bool,
    /// Whether anything was sent.
    pub was_sent: bool,
    /// Attempts so far, this one among them.
    pub tries: u32,
    /// How often a connection was stale.
    pub stale: u32,
    /// Attempts there may be.
    pub tries_max: u32,
    /// Whether there is a member that was not tried.
    pub has_other: bool,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Nothing: the client is told.
    No,
    /// Again at once, on a new connection: it was nobody's fault.
    Fresh,
    /// Again, at another member, if the budget allows it.
    Other,
}

/// Whether and where `attempt` may be made again.
#[must_use]
pub fn retry(attempt: &Attempt) -> Retry {
    let is_safe = attempt.is_idempotent || !attempt.was_sent;
    if !attempt.is_replayable || !is_safe {
        return Retry::No;
    }
    if attempt.failure == Failure::Stale && attempt.stale <= 1 {
        return Retry::Fresh;
    }
    match attempt.failure {
        Failure::Late | Failure::Garbage => Retry::No,
        Failure::Connect | Failure::Stale | Failure::Ended => {
            if attempt.has_other && attempt.tries < attempt.tries_max { Retry::Other } else { Retry::No }
        }
    }
}
