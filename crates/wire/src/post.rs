//! HTTP/1.1 as a client speaks it with an engine: a request with a body, and whole responses, one after the other.
//!
//! No redirects, no `100 Continue`, no upgrades: an engine that answers with those is none.

use bytes::{Buf as _, BytesMut};

/// Longest head of a response, in bytes: what common servers send is a tenth of it.
pub const HEAD_MAX_BYTES: usize = 16 << 10;
/// Most header fields of a response.
const FIELDS_MAX: usize = 64;
/// Longest line that says how long a chunk is, with its extensions.
const CHUNK_LINE_MAX_BYTES: usize = 256;

/// A whole response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// `200` and its like.
    pub status: u16,
    /// What it says.
    pub body: Vec<u8>,
}

/// Why what arrived is no response that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The head is none.
    #[error("what it says is no HTTP: {0}")]
    Head(httparse::Error),
    /// Longer than [`HEAD_MAX_BYTES`].
    #[error("the head of its response has more than {HEAD_MAX_BYTES} bytes")]
    LongHead,
    /// Longer than the caller takes.
    #[error("the body of its response has more than {max} bytes")]
    LongBody {
        /// How many it may have.
        max: usize,
    },
    /// A length that is none, or two that differ.
    #[error("the length of its response is not to be understood")]
    Length,
    /// A response of which the end cannot be known.
    #[error("its response has no length")]
    Endless,
    /// A chunk without its length, or without its end.
    #[error("its response is cut into chunks wrongly")]
    Chunk,
}

/// How the body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Bytes(usize),
    Chunked,
}

/// Writes a `POST` of JSON; the connection stays.
pub fn encode_post(host: &str, path: &str, fields: &[(&str, &str)], json: &[u8], out: &mut BytesMut) {
    let length = json.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
    );
    out.extend_from_slice(head.as_bytes());
    for (name, value) in fields {
        out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(json);
}

/// Takes the first response out of `input` once it is all there; its body may have `body_max` bytes.
///
/// # Errors
/// [`HttpError`]; nothing that follows can be understood.
pub fn take_response(input: &mut BytesMut, body_max: usize) -> Result<Option<Response>, HttpError> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut head = httparse::Response::new(&mut fields);
    let start = match head.parse(input).map_err(HttpError::Head)? {
        httparse::Status::Complete(start) if start <= HEAD_MAX_BYTES => start,
        httparse::Status::Partial if input.len() <= HEAD_MAX_BYTES => return Ok(None),
        httparse::Status::Complete(_) | httparse::Status::Partial => return Err(HttpError::LongHead),
    };
    let status = head.code.unwrap_or_default();
    let rest = &input[start..];
    let taken = match extent(status, head.headers)? {
        Extent::Bytes(length) if length > body_max => return Err(HttpError::LongBody { max: body_max }),
        Extent::Bytes(length) => rest.get(..length).map(|body| (body.to_vec(), length)),
        Extent::Chunked => chunks(rest, body_max)?,
    };
    let Some((body, length)) = taken else { return Ok(None) };
    input.advance(start + length);
    Ok(Some(Response { status, body }))
}

fn extent(status: u16, fields: &[httparse::Header<'_>]) -> Result<Extent, HttpError> {
    let mut found = None;
    for field in fields {
        let value = std::str::from_utf8(field.value).unwrap_or_default().trim();
        let said = if field.name.eq_ignore_ascii_case("content-length") {
            let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
            let length = value.parse().ok().filter(|_| is_number);
            Extent::Bytes(length.ok_or(HttpError::Length)?)
        } else if field.name.eq_ignore_ascii_case("transfer-encoding") {
            if !value.eq_ignore_ascii_case("chunked") {
                return Err(HttpError::Length);
            }
            Extent::Chunked
        } else {
            continue;
        };
        if found.replace(said).is_some_and(|before| before != said) {
            return Err(HttpError::Length);
        }
    }
    match found {
        _ if status == 204 || status == 304 => Ok(Extent::Bytes(0)),
        _ if (100..200).contains(&status) => Err(HttpError::Endless),
        Some(extent) => Ok(extent),
        None => Err(HttpError::Endless),
    }
}

/// The body that comes in chunks, and how long all of it is; `None`: there is more to come.
fn chunks(input: &[u8], body_max: usize) -> Result<Option<(Vec<u8>, usize)>, HttpError> {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let Some((line, after)) = line(input, at)? else { return Ok(None) };
        let digits = line.split(|byte| matches!(byte, b';' | b' ' | b'\t')).next().unwrap_or_default();
        let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
        let digits = std::str::from_utf8(digits).ok().filter(|_| is_number);
        let size =
            digits.and_then(|digits| usize::from_str_radix(digits, 16).ok()).ok_or(HttpError::Chunk)?;
        at = after;
        if size == 0 {
            return Ok(trailers(input, at)?.map(|end| (body, end)));
        }
        if size > body_max - body.len() {
            return Err(HttpError::LongBody { max: body_max });
        }
        let Some(chunk) = input.get(at..at + size + 2) else { return Ok(None) };
        let content = chunk.strip_suffix(b"\r\n").ok_or(HttpError::Chunk)?;
        body.extend_from_slice(content);
        at += size + 2;
    }
}

/// Where the fields behind the last chunk end.
fn trailers(input: &[u8], mut at: usize) -> Result<Option<usize>, HttpError> {
    for _ in 0..FIELDS_MAX {
        let Some((line, after)) = line(input, at)? else { return Ok(None) };
        if line.is_empty() {
            return Ok(Some(after));
        }
        at = after;
    }
    Err(HttpError::Chunk)
}

/// The line at `at`, and what follows it.
fn line(input: &[u8], at: usize) -> Result<Option<(&[u8], usize)>, HttpError> {
    let rest = &input[at..];
    match memchr::memmem::find(rest, b"\r\n") {
        Some(length) if length <= CHUNK_LINE_MAX_BYTES => Ok(Some((&rest[..length], at + length + 2))),
        None if rest.len() <= CHUNK_LINE_MAX_BYTES => Ok(None),
        Some(_) | None => Err(HttpError::Chunk),
    }
}
