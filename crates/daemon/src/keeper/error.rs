//! What can go wrong between an arbiter and a keeper.

use std::time::Duration;

use remuda_sys::CallError;
use remuda_sys::socket::LinkError;
use remuda_sys::spawn::SpawnError;

/// Why a keeper did not do what was asked. Workers and sockets are not touched by any of these.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// Its abstract name cannot be had: another keeper may be waiting under it.
    #[error("start a keeper: {0}; there is none")]
    Listen(#[source] CallError),
    /// It cannot be started.
    #[error("start a keeper: {0}; there is none")]
    Spawn(#[from] SpawnError),
    /// It was started and could not set itself up.
    #[error("start a keeper: {0}; there is none")]
    SetUp(String),
    /// A name is none.
    #[error(
        "{0:?} cannot be kept: a name has 1 to 128 printable ASCII characters without space, quote and backslash"
    )]
    Name(String),
    /// It does not keep up.
    #[error(
        "{waiting} orders wait for the keeper (pid {pid}), which does not keep up; these were not added\nhint: start another one and give it everything"
    )]
    Overflow {
        /// The keeper.
        pid: u32,
        /// How many.
        waiting: usize,
    },
    /// It could not carry out an order.
    #[error("the keeper (pid {pid}) refused an order: {reason}; what the order named is not kept")]
    Refused {
        /// The keeper.
        pid: u32,
        /// Why.
        reason: String,
    },
    /// It has ended or closed the link.
    #[error("the keeper is gone; nothing is kept by it any more")]
    Gone,
    /// It does not answer in time.
    #[error("the keeper did not {what} within {limit:?}")]
    Late {
        /// What it had to do.
        what: &'static str,
        /// The time it had.
        limit: Duration,
    },
    /// Somebody else has the workers, or is about to.
    #[error("the workers are in the hands of pid {pid}")]
    Busy {
        /// Who.
        pid: u32,
    },
    /// The keeper ends the workers.
    #[error("the workers are being ended; nothing is handed over any more")]
    Stopping,
    /// Somebody else has the keeper's name.
    #[error("@{name} belongs to uid {uid}, not to us; it is not trusted")]
    Foreign {
        /// The abstract name.
        name: String,
        /// Whose it is.
        uid: u32,
    },
    /// It says what we do not understand.
    #[error("the keeper answered in a way this version does not understand; it goes on holding everything")]
    Unclear,
    /// The kernel refused something.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl From<LinkError> for KeeperError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Gone => Self::Gone,
            LinkError::Late(limit) => Self::Late { what: "answer", limit },
            LinkError::Size => Self::Unclear,
            LinkError::Call(error) => error.into(),
        }
    }
}
