//! Answers as HTTP responses, and the status codes of replies.

use std::convert::Infallible;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use remuda_daemon::Gone;
use remuda_model::{Refusal, Reply};
use serde::Serialize;

use crate::hub::HubError;
use crate::server::stream::Feed;

/// The body of an answer.
pub type Body = UnsyncBoxBody<Bytes, Infallible>;
pub(crate) type Answer = Response<Body>;

/// A JSON document.
pub(crate) fn json(status: StatusCode, document: &impl Serialize) -> Answer {
    let (status, mut text) = match serde_json::to_vec(document) {
        Ok(text) => (status, text),
        Err(error) => {
            let why = format!("the answer cannot be written as JSON: {error}");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                serde_json::json!({"result": "failed", "lines": [why]}).to_string().into(),
            )
        }
    };
    text.push(b'\n');
    finish(status, "application/json", Full::new(Bytes::from(text)).boxed_unsync())
}

/// A text of some media type.
pub(crate) fn text(media_type: &'static str, text: String) -> Answer {
    finish(StatusCode::OK, media_type, Full::new(Bytes::from(text)).boxed_unsync())
}

/// A stream of server-sent events.
pub(crate) fn stream(feed: Feed) -> Answer {
    let mut response = finish(StatusCode::OK, "text/event-stream", feed.into_body().boxed_unsync());
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn finish(status: StatusCode, content_type: &'static str, body: Body) -> Answer {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

pub(crate) fn reply(reply: &Reply) -> Answer {
    json(status_of(reply), reply)
}

pub(crate) fn refused(refusal: Refusal) -> Answer {
    reply(&Reply::Refused(refusal))
}

/// A request the router has no place for.
pub(crate) fn misplaced(status: StatusCode, reason: String) -> Answer {
    json(status, &Reply::Refused(Refusal::Malformed { reason }))
}

pub(crate) fn method_not_allowed(reason: String, allowed: &str) -> Answer {
    let mut response = misplaced(StatusCode::METHOD_NOT_ALLOWED, reason);
    if let Ok(allowed) = HeaderValue::from_str(allowed) {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}

/// Nobody is there to answer, or too many ask.
pub(crate) fn unavailable(line: String) -> Answer {
    json(StatusCode::SERVICE_UNAVAILABLE, &Reply::Failed { lines: vec![line] })
}

/// The answer to a request that goes no further.
#[derive(Debug)]
pub(crate) struct Declined(Box<Answer>);

impl Declined {
    pub(crate) fn new(answer: Answer) -> Self {
        Self(Box::new(answer))
    }

    pub(crate) fn malformed(reason: String) -> Self {
        Self::new(refused(Refusal::Malformed { reason }))
    }

    pub(crate) fn into_answer(self) -> Answer {
        *self.0
    }
}

impl From<HubError> for Declined {
    fn from(error: HubError) -> Self {
        match error {
            HubError::Malformed(reason) => Self::malformed(reason),
            HubError::NoKey { .. } => Self::new(misplaced(StatusCode::NOT_FOUND, error.to_string())),
            HubError::None | HubError::Said(_) => {
                Self::new(reply(&Reply::Failed { lines: vec![error.to_string()] }))
            }
            HubError::Late | HubError::Away(_) => Self::new(unavailable(error.to_string())),
        }
    }
}

impl From<Gone> for Declined {
    fn from(gone: Gone) -> Self {
        Self::new(unavailable(gone.to_string()))
    }
}

fn status_of(reply: &Reply) -> StatusCode {
    match reply {
        Reply::Done { .. } => StatusCode::OK,
        Reply::Failed { .. } => StatusCode::CONFLICT,
        Reply::Refused(refusal) => match refusal {
            Refusal::NoSuchService { .. } | Refusal::NoSuchSlot { .. } => StatusCode::NOT_FOUND,
            Refusal::NotRunning { .. }
            | Refusal::NotHeld { .. }
            | Refusal::NoSocket { .. }
            | Refusal::OutOfBounds { .. }
            | Refusal::Singleton { .. }
            | Refusal::FixedWorkers { .. }
            | Refusal::Stopping => StatusCode::CONFLICT,
            Refusal::TooMany { .. }
            | Refusal::HeldTooLong { .. }
            | Refusal::Malformed { .. }
            | Refusal::BadConfig { .. } => StatusCode::BAD_REQUEST,
            Refusal::NotAllowed { .. } => StatusCode::FORBIDDEN,
        },
    }
}
