//! Which of the endpoint's requests this is, and what it is answered with when it is none.

use std::fmt::Write as _;
use std::rc::Rc;

use remuda_wire::engineio::PROTOCOL;
use remuda_wire::http::{Head, Method};
use remuda_wire::websocket::Handshake;

use super::super::letters::quoted;
use super::super::origin::{self, Verdict};
use super::super::{Carriers, Sid};
use super::Endpoint;
use crate::server::{Body, Request, Response};

/// Why a request is refused, with the numbers Engine.IO has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Transport,
    UnknownSession,
    Method,
    BadRequest,
    Version,
    Full,
}

impl Refusal {
    pub(super) fn response(self) -> Response {
        let (status, code, message) = match self {
            Self::Transport => (400, 0, "Transport unknown"),
            Self::UnknownSession => (400, 1, "Session ID unknown"),
            Self::Method => (400, 2, "Bad handshake method"),
            Self::BadRequest => (400, 3, "Bad request"),
            Self::Version => (400, 5, "Unsupported protocol version"),
            Self::Full => (503, 4, "Forbidden"),
        };
        let body = format!(r#"{{"code":{code},"message":"{message}"}}"#);
        let mut response =
            Response::with_body(status, "application/json", body).field("Cache-Control", "no-store");
        if self == Self::Full {
            response = response.field("Retry-After", "5");
        }
        response
    }
}

/// What stands in the query.
#[derive(Debug, Default)]
struct Query<'a> {
    version: Option<&'a [u8]>,
    transport: Option<&'a [u8]>,
    sid: Option<&'a [u8]>,
}

impl<'a> Query<'a> {
    fn read(head: &'a Head) -> Self {
        let mut query = Self::default();
        for pair in head.query().unwrap_or_default().split(|byte| *byte == b'&') {
            let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
                Some(at) => (&pair[..at], &pair[at + 1..]),
                None => (pair, &[][..]),
            };
            match name {
                b"EIO" => query.version = Some(value),
                b"transport" => query.transport = Some(value),
                b"sid" => query.sid = Some(value),
                _ => {}
            }
        }
        query
    }
}

/// What a request wants.
enum Wanted {
    Open,
    Poll(Sid),
    Post(Sid),
    WebSocket(Option<Sid>),
}

impl Endpoint {
    /// Answers a request to this endpoint, whatever its path.
    pub async fn handle(self: &Rc<Self>, request: &mut Request) -> Response {
        match origin::judge(&self.options.origins, &request.head) {
            Verdict::Refused => origin::refused(),
            Verdict::Named(origin) if *request.head.method() == Method::Options => origin::preflight(&origin),
            Verdict::Named(origin) => {
                let response = self.answer(request).await;
                if matches!(response.body, Body::TakeOver(_)) {
                    response
                } else {
                    origin::allow(response, &origin)
                }
            }
            Verdict::Own => self.answer(request).await,
        }
    }

    async fn answer(self: &Rc<Self>, request: &mut Request) -> Response {
        let wanted = match self.wanted(&request.head) {
            Ok(wanted) => wanted,
            Err(refusal) => return refusal.response(),
        };
        let sid = match &wanted {
            Wanted::Poll(sid) | Wanted::Post(sid) | Wanted::WebSocket(Some(sid)) => Some(*sid),
            Wanted::Open | Wanted::WebSocket(None) => None,
        };
        if let Some(sid) = sid
            && sid.owner != self.owner
        {
            return match &self.passing {
                Some(passing) => passing.pass(sid.owner, request),
                None => Refusal::UnknownSession.response(),
            };
        }
        let client = sid.and_then(|sid| self.crowd.borrow().find(&sid));
        match (wanted, client) {
            (Wanted::Open, _) => self.open(request),
            (Wanted::Poll(_), Some(client)) => self.poll(client).await,
            (Wanted::Post(_), Some(client)) => self.post(client, request).await,
            (Wanted::WebSocket(None), _) => self.upgrade(request, None),
            (Wanted::WebSocket(Some(_)), Some(client)) => self.upgrade(request, Some(client)),
            (_, None) => Refusal::UnknownSession.response(),
        }
    }

    fn wanted(&self, head: &Head) -> Result<Wanted, Refusal> {
        let query = Query::read(head);
        if query.version != Some(PROTOCOL.to_string().as_bytes()) {
            return Err(Refusal::Version);
        }
        let sid = match query.sid {
            Some(text) => Some(Sid::parse(text).ok_or(Refusal::UnknownSession)?),
            None => None,
        };
        match (query.transport, self.options.carriers) {
            (Some(b"websocket"), Carriers::Both | Carriers::WebSocket) => {
                if Handshake::read(head).is_err() {
                    return Err(Refusal::BadRequest);
                }
                Ok(Wanted::WebSocket(sid))
            }
            (Some(b"polling"), Carriers::Both | Carriers::Polling) => match (head.method(), sid) {
                (Method::Get, None) => Ok(Wanted::Open),
                (Method::Get, Some(sid)) => Ok(Wanted::Poll(sid)),
                (Method::Post, Some(sid)) => Ok(Wanted::Post(sid)),
                _ => Err(Refusal::Method),
            },
            _ => Err(Refusal::Transport),
        }
    }

    /// Who a client is, as fields of JSON for workers, each with a comma before it.
    pub(super) fn origin(&self, request: &Request) -> String {
        let mut origin = String::new();
        if let Some(address) = request.peer.address {
            // Writing to a string does not fail.
            let _written = write!(origin, r#","address":"{}""#, address.ip());
        }
        if self.options.told_fields.is_empty() {
            return origin;
        }
        let query = String::from_utf8_lossy(request.head.query().unwrap_or_default());
        let told = self.options.told_fields.iter().filter_map(|name| {
            let value = request.head.fields().get(name)?;
            Some(format!("{}:{}", quoted(name), quoted(&String::from_utf8_lossy(value))))
        });
        let told: Vec<String> = told.collect();
        let _written = write!(origin, r#","query":{},"headers":{{{}}}"#, quoted(&query), told.join(","));
        origin
    }
}
