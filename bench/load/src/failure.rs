//! Why a run has no figures.

use remuda_sys::CallError;

/// Why a run has no figures; nothing it started goes on after it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// Not JSON, or not a plan.
    #[error("cannot read the plan: {0}")]
    Plan(#[source] serde_json::Error),
    /// A number the program does not work with.
    #[error("the plan has {key} = {value}, allowed is {bounds}")]
    OutOfBounds {
        /// Of the plan.
        key: &'static str,
        /// As given.
        value: String,
        /// From and to.
        bounds: String,
    },
    /// The server is not there, or did not answer as its protocol wants.
    #[error("cannot {attempt} at {address}: {source}")]
    Connect {
        /// Connect, subscribe or greet.
        attempt: &'static str,
        /// As in the plan.
        address: String,
        /// What the socket said.
        source: std::io::Error,
    },
    /// The server answered with something else.
    #[error("cannot {attempt} at {address}: the server said {said:?}")]
    Refused {
        /// Connect, subscribe or greet.
        attempt: &'static str,
        /// As in the plan.
        address: String,
        /// Its first bytes.
        said: String,
    },
    /// Not all subscribers got a message in time.
    #[error("{missing} of {all} subscribers had no message after {seconds} s of trying")]
    NotReached {
        /// Without a message.
        missing: usize,
        /// Connected.
        all: usize,
        /// How long was tried.
        seconds: u64,
    },
    /// A message that nobody published, or one cut in two.
    #[error("a subscriber read {said:?}, which is no message of this run")]
    Foreign {
        /// Its first bytes.
        said: String,
    },
    /// The publisher's connection ended.
    #[error("the publisher's connection ended after {published} messages: {reason}")]
    PublisherLost {
        /// Messages handed to the kernel.
        published: u64,
        /// What the socket or the server said.
        reason: String,
    },
    /// Only Redis has patterns of keys.
    #[error("only the dialect redis can watch a pattern")]
    NoPatterns,
    /// The kernel refused something that is not about one connection.
    #[error(transparent)]
    Call(#[from] CallError),
    /// Stdin or /proc could not be read.
    #[error("cannot read {what}: {source}")]
    Read {
        /// Which file.
        what: &'static str,
        /// Why.
        source: std::io::Error,
    },
}

/// The start of what a server said, for a message.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    const SHOWN_BYTES: usize = 80;
    String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN_BYTES)]).into_owned()
}
