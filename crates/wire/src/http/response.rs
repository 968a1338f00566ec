//! Heads of responses: read from servers behind us, and written to clients.

use std::mem::MaybeUninit;

use super::limits::FIELDS_CAPACITY;
use super::request::{fault, fill};
use super::scan::Scan;
use super::{ConnectionOptions, Fields, Framing, HeadFault, HeadLimits, Method, Version, reason};

/// The head of a response.
#[derive(Debug, Clone)]
pub struct ResponseHead {
    /// The status, 100 to 999.
    pub status: u16,
    /// The version the server speaks.
    pub version: Version,
    /// The fields.
    pub fields: Fields,
}

impl Default for ResponseHead {
    fn default() -> Self {
        Self::new(200)
    }
}

impl ResponseHead {
    /// With a status and no fields.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self { status, version: Version::Http11, fields: Fields::new() }
    }

    /// Whether it is one of those that come before the response itself (1xx but 101).
    #[must_use]
    pub fn is_interim(&self) -> bool {
        matches!(self.status, 100..200) && self.status != 101
    }

    /// How the body is delimited, as the response to a request with `method`.
    ///
    /// # Errors
    /// The head says it in two ways, or in one nobody can be sure of.
    pub fn framing(&self, method: &Method) -> Result<Framing, HeadFault> {
        Framing::of_response(method, self.status, self.version, &self.fields)
    }

    /// Whether the server keeps the connection open for more requests, if the framing allows it.
    #[must_use]
    pub fn keeps_alive(&self) -> bool {
        let options = ConnectionOptions::of(&self.fields);
        !options.close && (self.version != Version::Http10 || options.keep_alive)
    }

    /// Writes status line and fields as HTTP/1.1; the empty line is left to who adds fields of the connection.
    pub fn write(&self, out: &mut Vec<u8>) {
        write_status_line(self.status, out);
        self.fields.write(out);
    }
}

fn write_status_line(status: u16, out: &mut Vec<u8>) {
    if status == 200 {
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
        return;
    }
    let mut number = itoa::Buffer::new();
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(number.format(status).as_bytes());
    out.push(b' ');
    out.extend_from_slice(reason(status).as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Reads the heads of one connection's responses, interim ones among them.
#[derive(Debug, Default)]
pub struct ResponseParser {
    limits: HeadLimits,
    scan: Scan,
}

impl ResponseParser {
    /// With limits of its own.
    #[must_use]
    pub fn new(limits: HeadLimits) -> Self {
        Self { limits, scan: Scan::default() }
    }

    /// Reads the head at the front of `input` into `head`; as [`RequestParser::parse`](super::RequestParser::parse).
    ///
    /// # Errors
    /// A [`HeadFault`], after which nothing more can be read from this server.
    pub fn parse(&mut self, input: &[u8], head: &mut ResponseHead) -> Result<Option<usize>, HeadFault> {
        let Some(found) = self.scan.find(input, &self.limits)? else { return Ok(None) };
        let input = found.slice(input);
        let mut places = [const { MaybeUninit::uninit() }; FIELDS_CAPACITY];
        let places = &mut places[..self.limits.fields_max.min(FIELDS_CAPACITY)];
        let mut response = httparse::Response::new(&mut []);
        let end = httparse::ParserConfig::default()
            .parse_response_with_uninit_headers(&mut response, input, places)
            .map_err(fault)?;
        if end != httparse::Status::Complete(input.len()) {
            return Err(HeadFault::Malformed("it ends before its empty line"));
        }
        let (Some(status), Some(version)) = (response.code, response.version) else {
            return Err(HeadFault::Malformed("it has no status line"));
        };
        if status < 100 {
            return Err(HeadFault::Malformed("the status is below 100"));
        }
        head.fields.clear();
        head.status = status;
        head.version = if version == 0 { Version::Http10 } else { Version::Http11 };
        fill(&mut head.fields, input, response.headers);
        Ok(Some(found.end))
    }
}
