//! Pages that may connect.
//!
//! A browser lets any page open a WebSocket anywhere, with the cookies of there; only the server can refuse. So a page of
//! another origin is refused unless the route names it. Clients that are no browsers send no origin.

use remuda_wire::http::Head;

use crate::server::Response;

/// What a request's origin may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has none, or the page is of this host.
    Own,
    /// Another that is named.
    Named(String),
    /// Another.
    Refused,
}

/// Judges the origin of `head`; `origins` are patterns in which `*` stands for any text.
pub(super) fn judge(origins: &[String], head: &Head) -> Verdict {
    let Some(origin) = head.fields().get("origin") else { return Verdict::Own };
    let Ok(origin) = str::from_utf8(origin) else { return Verdict::Refused };
    let host = origin.split_once("://").map(|(_, host)| host);
    if host.is_some_and(|host| host.as_bytes().eq_ignore_ascii_case(head.host())) {
        return Verdict::Own;
    }
    if origins.iter().any(|pattern| matches(pattern, origin)) {
        return Verdict::Named(origin.to_owned());
    }
    Verdict::Refused
}

/// Whether `text` is what `pattern` says, case aside.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let Some(rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    let mut rest = rest;
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Tells the browser of a page of `origin` that it may read the answer.
pub(super) fn allow(response: Response, origin: &str) -> Response {
    response
        .field("Access-Control-Allow-Origin", origin)
        .field("Access-Control-Allow-Credentials", "true")
        .field("Vary", "Origin")
}

/// Answers a browser that asks before it asks.
pub(super) fn preflight(origin: &str) -> Response {
    allow(Response::new(204), origin)
        .field("Access-Control-Allow-Methods", "GET, POST")
        .field("Access-Control-Allow-Headers", "Content-Type, Authorization")
        .field("Access-Control-Max-Age", "600")
}

/// Refuses.
pub(super) fn refused() -> Response {
    Response::with_body(403, "application/json", r#"{"code":4,"message":"Forbidden"}"#)
        .field("Cache-Control", "no-store")
}

#[cfg(test)]
mod tests;
