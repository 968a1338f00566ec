//! Why a request was not answered by who should have, and how that is told.

use std::time::Duration;

use crate::balance::{Failure, Refusal};
use crate::server::{BodyError, Request, Response, error_response};

/// How far a request had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// No server was found for it yet.
    Queue,
    /// A connection was being made.
    Connect,
    /// It was sent, and no answer has come.
    FirstByte,
}

impl Stage {
    /// A word for pages and logs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Connect => "connect",
            Self::FirstByte => "first byte",
        }
    }
}

/// A request could not be passed on, or got no answer. Nothing of an answer was sent to the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// Nobody took it.
    #[error("{0}")]
    Refused(Refusal),
    /// No connection could be made.
    #[error("no connection to it could be made: {0}")]
    Connect(String),
    /// No connection was there in time.
    #[error("no connection to it was there within {0:?}")]
    ConnectLate(Duration),
    /// It ended the connection and gave no answer.
    #[error("it ended the connection before it answered")]
    Ended,
    /// It did not answer in time.
    #[error("it did not answer within {0:?}")]
    Late(Duration),
    /// Its answer is none.
    #[error("its answer is not valid: {0}")]
    Garbage(String),
    /// The request's own body could not be read.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The body could not be kept until it was whole.
    #[error("the body of the request could not be kept: {0}")]
    Spool(String),
}

impl UpstreamError {
    /// The status that says so.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Refused(_) | Self::Spool(_) => 503,
            Self::Connect(_) | Self::Ended | Self::Garbage(_) => 502,
            Self::ConnectLate(_) | Self::Late(_) => 504,
            Self::Body(error) => error.status(),
        }
    }

    /// How far it had come.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self {
            Self::Refused(_) | Self::Body(_) | Self::Spool(_) => Stage::Queue,
            Self::Connect(_) | Self::ConnectLate(_) => Stage::Connect,
            Self::Ended | Self::Late(_) | Self::Garbage(_) => Stage::FirstByte,
        }
    }

    /// A word for figures: lower case, with hyphens.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Refused(Refusal::Full) => "upstream-queue-full",
            Self::Refused(Refusal::Late) => "upstream-queue-late",
            Self::Refused(Refusal::Nobody) => "upstream-nobody",
            Self::Connect(_) => "upstream-connect-failed",
            Self::ConnectLate(_) => "upstream-connect-late",
            Self::Ended => "upstream-ended",
            Self::Late(_) => "upstream-late",
            Self::Garbage(_) => "upstream-garbage",
            Self::Body(_) => "upstream-request-broken",
            Self::Spool(_) => "upstream-spool-failed",
        }
    }

    /// What it means for trying again; `None`: it is not the server's doing.
    pub(super) fn failure(&self, is_stale: bool) -> Option<Failure> {
        match self {
            Self::Connect(_) | Self::ConnectLate(_) => Some(Failure::Connect),
            Self::Ended if is_stale => Some(Failure::Stale),
            Self::Ended => Some(Failure::Ended),
            Self::Late(_) => Some(Failure::Late),
            Self::Garbage(_) => Some(Failure::Garbage),
            Self::Refused(_) | Self::Body(_) | Self::Spool(_) => None,
        }
    }

    /// The page for the client: which upstream, which stage, and the number of the request to ask about. Addresses stay in
    /// the log.
    pub(super) fn response(&self, name: &str, request: &Request) -> Response {
        let detail = match self {
            Self::Body(error) => error.to_string(),
            Self::Connect(_) => {
                format!("{name} cannot be reached: no connection to it could be made (stage: connect)")
            }
            Self::Garbage(_) => {
                format!("{name} sent what is no valid answer (stage: first byte)")
            }
            Self::Spool(_) => format!("the body of the request for {name} could not be kept (stage: queue)"),
            other => format!("{name}: {other} (stage: {})", other.stage().word()),
        };
        let mut response = error_response(self.status(), &detail, request.id, Some(&request.head));
        if self.status() == 503 {
            response.head.fields.set("Retry-After", "1");
        }
        // What was not read of the request is nobody's.
        response.closes = matches!(self, Self::Body(_));
        response
    }
}
