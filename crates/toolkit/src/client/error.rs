//! Why the hub could not be asked, or said no.

use std::io;
use std::time::Duration;

use remuda_wire::resp::RespError;

use super::AddressError;

/// A question to the hub came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The environment names no hub.
    #[error(
        "cannot find the hub: REDIS_URL is not set; remuda sets it for workers where [bus] or [store] is configured"
    )]
    NoHub,
    /// The address is none.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Nobody answers there. Nothing was sent.
    #[error("cannot connect to the hub at {place}: {source}")]
    Connect {
        /// Where.
        place: String,
        /// Why not.
        source: io::Error,
    },
    /// The hub turned us away, or does not speak as we do. Nothing was asked.
    #[error("the hub at {place} does not let us in: {reason}")]
    Refused {
        /// Where.
        place: String,
        /// In its words.
        reason: String,
    },
    /// The hub has no database of this number. Nothing was asked.
    #[error("the hub at {place} has no database {number}: {}", numbers(*count))]
    NoDatabase {
        /// Where.
        place: String,
        /// Which was meant.
        number: u32,
        /// How many there are, if the hub says so.
        count: Option<u32>,
    },
    /// The connection was lost; whether the hub did what was asked last is not known.
    #[error(
        "the connection to the hub at {place} is lost: {source}; whether it did what was asked last is not known"
    )]
    Lost {
        /// Where.
        place: String,
        /// Why.
        source: io::Error,
    },
    /// No reply in time; whether the hub did what was asked is not known. The connection is given up.
    #[error(
        "the hub at {place} did not answer within {waited:?}; whether it did what was asked is not known"
    )]
    Late {
        /// Where.
        place: String,
        /// How long it had.
        waited: Duration,
    },
    /// What came is no reply. The connection is given up.
    #[error("the hub at {place} does not speak RESP: {source}")]
    Malformed {
        /// Where.
        place: String,
        /// What is wrong with it.
        source: RespError,
    },
    /// The hub's answer is an error, in its own words, the code in front: `WRONGTYPE …`, `NOPERM …`.
    #[error("{0}")]
    Said(String),
    /// The hub's answer is none to this question.
    #[error("the hub answered {command} with something else than {expected}")]
    Unexpected {
        /// What was asked.
        command: &'static str,
        /// What an answer would be.
        expected: &'static str,
    },
    /// What was sent is longer than the hub takes; nothing was sent.
    #[error("{bytes} bytes are more than the {max} that one command to the hub may have")]
    TooLong {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        max: usize,
    },
}

/// Which databases there are.
fn numbers(count: Option<u32>) -> String {
    match count {
        Some(1) => "there is one, 0".to_owned(),
        Some(count) => format!("there are {count}, 0 to {}", count.saturating_sub(1)),
        None => "its number is too large".to_owned(),
    }
}

impl ClientError {
    /// The code in front of what the hub said: `WRONGTYPE`, `NOPERM`, `GAP`, `CALLFAILED`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Said(text) => text.split(' ').next(),
            _ => None,
        }
    }

    /// Whether the connection is as good as before: the hub said no, or was not asked. After any other failure replies
    /// may be left over that belong to earlier questions.
    pub(super) fn spares_connection(&self) -> bool {
        matches!(self, Self::Said(_) | Self::TooLong { .. })
    }

    /// Whether another try later may go well without anything being changed: the hub, or the engine of its locks, was
    /// away or slow.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::Lost { .. } | Self::Late { .. })
            || self.code() == Some("LOCKSENGINE")
    }
}
