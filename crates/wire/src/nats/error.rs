//! Why what a NATS server said cannot be read on.

/// What the server did against the protocol or a limit; nothing more can be read from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NatsError {
    /// A line that names no operation.
    #[error("the server said something that is no operation of NATS' client protocol")]
    UnknownOperation,
    /// A line above [`Limits::line_max`](super::Limits::line_max).
    #[error("the server sent a line of more than {0} bytes")]
    LineTooLong(usize),
    /// The line of a message has too few or too many words, or one that is no number.
    #[error("the server sent a message whose first line cannot be read")]
    MalformedMessage,
    /// A message above [`Limits::message_max`](super::Limits::message_max).
    #[error("the server sent a message of {bytes} bytes, more than {bytes_max}")]
    MessageTooLong {
        /// Its length, headers included.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// A message is not followed by the end of a line.
    #[error("the server sent a message that does not end where its first line says")]
    MessageEnd,
}
