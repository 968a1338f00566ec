//! Heads of HTTP/2 as those of HTTP/1, and back.

use http::header::{HeaderName, HeaderValue};
use http::request::Parts;
use remuda_wire::http::{Fields, Head, HeadFault, Method, ResponseHead, Version};

#[cfg(test)]
mod tests;

/// What a client of HTTP/1 sends to have a WebSocket, and one of HTTP/2 does not: it has nothing to prove, the key is only
/// there to be answered.
const WEBSOCKET_KEY: &str = "cmVtdWRhIG9uIGh0dHAvMg==";

/// The head of a request.
///
/// # Errors
/// It breaks the rules a request of HTTP/1.1 has to keep.
pub(super) fn request(parts: &Parts, fields_max: usize) -> Result<Head, HeadFault> {
    if parts.headers.len() > fields_max {
        return Err(HeadFault::TooManyFields);
    }
    let authority = parts.uri.authority().map(|authority| authority.as_str().as_bytes());
    let host = parts.headers.get(http::header::HOST).map(HeaderValue::as_bytes);
    match (authority, host) {
        (None, None) => return Err(HeadFault::MissingHost),
        (Some(authority), Some(host)) if !authority.eq_ignore_ascii_case(host) => {
            return Err(HeadFault::SeveralHosts);
        }
        _ => {}
    }
    let websocket = is_websocket(parts);
    let method = if websocket { Method::Get } else { Method::from_token(parts.method.as_str()) };
    let target = match (&method, parts.uri.path_and_query()) {
        (Method::Connect, _) => authority.unwrap_or_default(),
        (_, Some(path)) => path.as_str().as_bytes(),
        (_, None) => b"/",
    };
    let version = if websocket { Version::Http11 } else { Version::Http2 };
    // A cookie may come in pieces, which are one field for everybody else (RFC 9113 8.2.3).
    let cookie = join(parts.headers.get_all(http::header::COOKIE).iter().map(HeaderValue::as_bytes));
    let is_cookie = |name: &HeaderName| name == http::header::COOKIE;
    let fields = parts.headers.iter().filter(|(name, _)| !is_cookie(name));
    let fields = fields.map(|(name, value)| (name.as_str(), value.as_bytes()));
    let cookie = cookie.iter().map(|cookie| ("cookie", cookie.as_slice()));
    let upgrade: [(&str, &[u8]); 3] = [
        ("connection", b"upgrade"),
        ("upgrade", b"websocket"),
        ("sec-websocket-key", WEBSOCKET_KEY.as_bytes()),
    ];
    let upgrade = upgrade.into_iter().filter(|_| websocket);
    Head::compose(version, method, target, authority, fields.chain(cookie).chain(upgrade))
}

/// Whether it is a CONNECT that wants a WebSocket (RFC 8441).
pub(super) fn is_websocket(parts: &Parts) -> bool {
    let protocol = parts.extensions.get::<h2::ext::Protocol>();
    parts.method == http::Method::CONNECT && protocol.is_some_and(|protocol| protocol.as_str() == "websocket")
}

fn join<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let pieces: Vec<_> = pieces.collect();
    (!pieces.is_empty()).then(|| pieces.join(&b"; "[..]))
}

/// The head of an answer, without what is about a connection of HTTP/1.
pub(super) fn response(head: &ResponseHead) -> http::Response<()> {
    let mut response = http::Response::new(());
    *response.status_mut() = http::StatusCode::from_u16(head.status).unwrap_or_default();
    *response.headers_mut() = headers(&head.fields);
    response
}

/// Fields in the form `h2` takes them.
pub(super) fn headers(fields: &Fields) -> http::HeaderMap {
    let mut headers = http::HeaderMap::with_capacity(fields.len() + 2);
    for (name, value) in fields.iter() {
        // What cannot be said is left out, as it would break the whole answer.
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
            && !is_of_connection(&name)
        {
            headers.append(name, value);
        }
    }
    headers
}

/// Trailers, as everybody else has them.
pub(super) fn trailers(headers: &http::HeaderMap) -> Fields {
    let mut fields = Fields::new();
    for (name, value) in headers {
        fields.append(name.as_str(), value.as_bytes());
    }
    fields
}

fn is_of_connection(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection" | "keep-alive" | "proxy-connection" | "transfer-encoding" | "upgrade"
    )
}
