//! What can go wrong between a client and an arbiter.

use std::io;
use std::path::PathBuf;

use remuda_model::Refusal;

use crate::sse::SseError;

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens at the socket.
    #[error("no remuda answers at {}: {source}", path.display())]
    NotRunning {
        /// The socket.
        path: PathBuf,
        /// Why the connection failed.
        source: io::Error,
    },
    /// The socket may not be connected to.
    #[error("connecting to {} is not allowed: {source}; only root and the user that runs the arbiter may", path.display())]
    NotAllowed {
        /// The socket.
        path: PathBuf,
        /// The kernel's error.
        source: io::Error,
    },
    /// The connection ended before the answer; an action may have been taken all the same.
    #[error("the connection to {} ended before the answer ({why}); what was asked may go on or be done", path.display())]
    Broken {
        /// The socket.
        path: PathBuf,
        /// How it ended.
        why: String,
    },
    /// No answer in time.
    #[error("the arbiter at {} did not answer within {seconds} s", path.display())]
    Late {
        /// The socket.
        path: PathBuf,
        /// How long was waited.
        seconds: u64,
    },
    /// What listens there does not speak this API.
    #[error("{} answered with status {status} and something else than this API's ({why}); is it another version?", path.display())]
    Unexpected {
        /// The socket.
        path: PathBuf,
        /// The status code.
        status: u16,
        /// What is wrong with the answer.
        why: String,
    },
    /// The request cannot be written.
    #[error("the request cannot be written: {why}")]
    Unwritable {
        /// Why.
        why: String,
    },
    /// The arbiter does not want to.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The arbiter cannot.
    #[error("{why}")]
    Failed {
        /// Why.
        why: String,
    },
    /// A stream broke and could not be resumed.
    #[error("the stream from {} broke and could not be resumed within {seconds} s: {last}", path.display())]
    StreamBroken {
        /// The socket.
        path: PathBuf,
        /// How long it was tried.
        seconds: u64,
        /// The last attempt's error.
        last: Box<ClientError>,
    },
    /// A stream has something that is no event.
    #[error("the stream from {} cannot be read: {source}", path.display())]
    BadStream {
        /// The socket.
        path: PathBuf,
        /// What is wrong with it.
        source: SseError,
    },
}
