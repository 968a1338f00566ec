//! The head of a request as it goes on: written once, from what came.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use remuda_wire::http::{Fields, Method, tokens};

use super::forwarded::{self, Client, is_forwarded_field};
use crate::server::Request;

/// How the body of a request goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framed {
    /// There is none.
    Empty,
    /// So many bytes.
    Length(u64),
    /// In chunks.
    Chunked,
}

/// What is written instead of, or beside, what came.
#[derive(Debug)]
pub(super) struct Rewritten<'a> {
    pub(super) base: &'a str,
    pub(super) target: Option<&'a [u8]>,
    pub(super) host: Option<&'a str>,
    pub(super) framed: Framed,
    pub(super) is_trusted: bool,
    /// Whether the server is to say whether it wants the body.
    pub(super) expects: bool,
    /// Whether the connection may be used for more.
    pub(super) keeps: bool,
}

/// What becomes of a field.
enum Fate {
    /// It goes on.
    Stays,
    /// It is about the connection, or is written anew.
    Goes,
    /// It lists what goes.
    Lists,
}

/// Fields that are about one connection (RFC 9110 7.6.1), about framing, or that are written anew. `Proxy` is about
/// nothing: programs behind CGI's names take it for their proxy ("httpoxy").
fn fate(name: &[u8]) -> Fate {
    let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
    let goes = match name.len() {
        2 => is("te"),
        4 => is("host"),
        5 => is("proxy"),
        6 => is("expect"),
        7 => is("upgrade"),
        10 => {
            if is("connection") {
                return Fate::Lists;
            }
            is("keep-alive")
        }
        14 => is("content-length") || is("content_length") || is("http2-settings"),
        16 => is("proxy-connection"),
        17 => is("transfer-encoding") || is("transfer_encoding"),
        18 => is("proxy-authenticate"),
        19 => is("proxy-authorization"),
        _ => false,
    };
    if goes || is_forwarded_field(name) { Fate::Goes } else { Fate::Stays }
}

/// Writes the head that goes on for `request`.
pub(super) fn write(request: &Request, how: &Rewritten<'_>, out: &mut Vec<u8>) {
    let (head, fields) = (&request.head, request.head.fields());
    let upgrade = head.upgrade();
    out.extend_from_slice(head.method().as_str().as_bytes());
    out.push(b' ');
    let target = how.target.unwrap_or_else(|| head.origin_form());
    if target.first() == Some(&b'/') {
        out.extend_from_slice(how.base.as_bytes());
    }
    out.extend_from_slice(target);
    out.extend_from_slice(b" HTTP/1.1\r\nHost: ");
    out.extend_from_slice(how.host.map_or(head.host(), str::as_bytes));
    out.extend_from_slice(b"\r\n");
    let listed = listed(fields);
    for (name, value) in fields.iter() {
        if matches!(fate(name), Fate::Stays) && !listed.iter().any(|token| token.eq_ignore_ascii_case(name)) {
            field(out, name, value);
        }
    }
    match how.framed {
        Framed::Length(length) => {
            let mut number = itoa::Buffer::new();
            field(out, b"Content-Length", number.format(length).as_bytes());
        }
        Framed::Chunked => field(out, b"Transfer-Encoding", b"chunked"),
        // A server that needs to know waits for a length where there could be a body.
        Framed::Empty if matches!(head.method(), Method::Post | Method::Put | Method::Patch) => {
            field(out, b"Content-Length", b"0");
        }
        Framed::Empty => {}
    }
    if how.expects {
        field(out, b"Expect", b"100-continue");
    }
    let takes_trailers = fields.has_token("te", "trailers");
    if takes_trailers {
        field(out, b"TE", b"trailers");
    }
    let connection: &[&str] = match (upgrade.is_some(), how.keeps) {
        (true, _) => &["upgrade"],
        (false, false) => &["close"],
        (false, true) => &[],
    };
    if let Some(protocol) = upgrade {
        field(out, b"Upgrade", protocol);
    }
    if takes_trailers || !connection.is_empty() {
        let te: &[&str] = if takes_trailers { &["TE"] } else { &[] };
        field(out, b"Connection", [connection, te].concat().join(", ").as_bytes());
    }
    let id = Id::of(request.id.0);
    let arrived = SystemTime::now().checked_sub(request.arrived.elapsed()).unwrap_or(UNIX_EPOCH);
    let arrived = arrived.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let client = Client {
        address: request.peer.address,
        is_secure: request.peer.is_secure,
        host: head.host(),
        id: id.text(),
        arrived_us: u64::try_from(arrived.as_micros()).unwrap_or(u64::MAX),
    };
    forwarded::write(&client, fields, how.is_trusted, out);
    out.extend_from_slice(b"\r\n");
}

fn field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// What Connection lists beside its own words; without some fields a message means something else, whatever it says.
fn listed(fields: &Fields) -> Vec<&[u8]> {
    const OWN: [&str; 4] = ["close", "keep-alive", "upgrade", "te"];
    const ENDS_MEANT: [&str; 8] = [
        "content-type",
        "content-encoding",
        "authorization",
        "cookie",
        "cache-control",
        "range",
        "idempotency-key",
        "set-cookie",
    ];
    let is_one =
        |token: &[u8], names: &[&str]| names.iter().any(|name| token.eq_ignore_ascii_case(name.as_bytes()));
    let all = fields.iter().filter(|(name, _)| matches!(fate(name), Fate::Lists));
    all.flat_map(|(_, value)| tokens(value))
        .filter(|token| !is_one(token, &OWN) && !is_one(token, &ENDS_MEANT))
        .collect()
}

/// Takes out of an answer's head what was about the connection it came on.
pub(super) fn strip(fields: &mut Fields) {
    let others: Vec<Vec<u8>> = listed(fields).into_iter().map(<[u8]>::to_vec).collect();
    fields.retain(|name, _| {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        let goes = match name.len() {
            5 => is("proxy"),
            7 => is("upgrade"),
            10 => is("connection") || is("keep-alive"),
            16 => is("proxy-connection"),
            17 => is("transfer-encoding"),
            _ => false,
        };
        !goes && !others.iter().any(|other| name.eq_ignore_ascii_case(other))
    });
}

/// A request's number in text, without memory of its own.
struct Id([u8; 16]);

impl Id {
    fn of(number: u64) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 16];
        for (place, digit) in text.iter_mut().enumerate() {
            *digit = DIGITS[usize::try_from((number >> (60 - 4 * place)) & 15).unwrap_or(0)];
        }
        Self(text)
    }

    fn text(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}
