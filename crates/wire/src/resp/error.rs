//! Why a stream of RESP cannot go on. A server sends the text as an error and closes, as Redis does.

/// What the other side did against the protocol or a limit. The texts are Redis' own, where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RespError {
    /// The number of arguments is no number, or above the limit.
    #[error("Protocol error: invalid multibulk length")]
    MultibulkLength,
    /// More arguments than a client may send that has not authenticated.
    #[error("Protocol error: unauthenticated multibulk length")]
    UnauthenticatedMultibulkLength,
    /// The length of an argument is no number, negative, or above the limit.
    #[error("Protocol error: invalid bulk length")]
    BulkLength,
    /// A longer argument than a client may send that has not authenticated.
    #[error("Protocol error: unauthenticated bulk length")]
    UnauthenticatedBulkLength,
    /// The line with the number of arguments does not end.
    #[error("Protocol error: too big mbulk count string")]
    MultibulkLine,
    /// The line with the length of an argument does not end.
    #[error("Protocol error: too big bulk count string")]
    BulkLine,
    /// An argument does not begin as one.
    #[error("Protocol error: expected '$', got '{}'", char::from(*found))]
    NotBulk {
        /// What it begins with; a byte that cannot be printed is `?`.
        found: u8,
    },
    /// An argument is not followed by the end of its line. Redis passes over these two bytes unseen, and so reads on
    /// in the wrong place.
    #[error("Protocol error: expected the end of a bulk string")]
    BulkEnd,
    /// A command in one line that does not end.
    #[error("Protocol error: too big inline request")]
    InlineTooBig,
    /// A quote that does not end, or ends in the middle of a word.
    #[error("Protocol error: unbalanced quotes in request")]
    UnbalancedQuotes,
    /// One command, or one reply, above [`Limits::query_max`](super::Limits::query_max).
    #[error("Protocol error: query larger than the limit")]
    QueryTooBig,
    /// A reply of a type that does not exist, or a part of one that is none.
    #[error("Protocol error: malformed reply: {fault}")]
    Reply {
        /// What is wrong with it.
        fault: &'static str,
    },
}
