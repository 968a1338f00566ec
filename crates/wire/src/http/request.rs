//! Heads of requests.

use std::mem::MaybeUninit;
use std::ops::Range;

use super::fields::Span;
use super::limits::FIELDS_CAPACITY;
use super::scan::Scan;
use super::target::{Target, is_authority};
use super::{ConnectionOptions, Fields, Framing, HeadFault, HeadLimits, Method, normalize};

/// A version of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    #[default]
    Http11,
    /// HTTP/2, whose heads come decoded.
    Http2,
}

/// The head of a request that keeps all rules: it has one host, one framing, and a path that can be looked up.
#[derive(Debug, Clone, Default)]
pub struct Head {
    method: Method,
    version: Version,
    /// In the buffer of `fields`, as the others.
    target: Range<usize>,
    /// Places in the buffer, not in the target.
    parts: Target,
    /// The path decoded, where that differs.
    normal: Option<Range<usize>>,
    framing: Framing,
    connection: ConnectionOptions,
    fields: Fields,
}

impl Head {
    /// An empty one, to be filled by a parser.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A head whose parts came apart, as in HTTP/2; `authority` becomes the Host if the fields have none.
    ///
    /// # Errors
    /// [`HeadFault`]: it breaks the rules a head of HTTP/1.1 has to keep.
    pub fn compose<'a>(
        version: Version,
        method: Method,
        target: &[u8],
        authority: Option<&[u8]>,
        fields: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Self, HeadFault> {
        if target.is_empty() || target.iter().any(|byte| matches!(byte, 0..=b' ' | 0x7f)) {
            return Err(HeadFault::Target("it is empty, or has white space in it"));
        }
        let mut head = Self { version, method, ..Self::default() };
        head.fields.bytes.extend_from_slice(target);
        head.target = 0..target.len();
        for (name, value) in fields {
            head.fields.append(name, value);
        }
        if let Some(authority) = authority
            && !head.fields.contains("host")
        {
            head.fields.append("host", authority);
        }
        head.settle()?;
        Ok(head)
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The version the client speaks.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The target as it came.
    #[must_use]
    pub fn target(&self) -> &[u8] {
        &self.fields.bytes[self.target.clone()]
    }

    /// Path and query as they came, without scheme and host: what is sent on to who serves this host. `*` of OPTIONS,
    /// and for CONNECT, is the target itself.
    #[must_use]
    pub fn origin_form(&self) -> &[u8] {
        match (&self.parts.path, &self.parts.authority) {
            (Some(path), _) => &self.fields.bytes[path.start..self.target.end],
            (None, None) => self.target(),
            (None, Some(_)) if self.method == Method::Connect => self.target(),
            (None, Some(_)) if self.method == Method::Options => b"*",
            (None, Some(_)) => b"/",
        }
    }

    /// The path as it is to be matched: decoded once, without dots ([`normalize`]). `*` for OPTIONS of the server as a
    /// whole, empty for CONNECT.
    #[must_use]
    pub fn path(&self) -> &[u8] {
        match (&self.normal, &self.parts.path) {
            (Some(range), _) | (None, Some(range)) => &self.fields.bytes[range.clone()],
            (None, None) if self.method == Method::Options => b"*",
            (None, None) if self.method == Method::Connect => b"",
            (None, None) => b"/",
        }
    }

    /// The path as it came.
    #[must_use]
    pub fn raw_path(&self) -> &[u8] {
        self.parts.path.clone().map_or_else(|| self.path(), |range| &self.fields.bytes[range])
    }

    /// What stands behind `?`, as it came.
    #[must_use]
    pub fn query(&self) -> Option<&[u8]> {
        self.parts.query.clone().map(|range| &self.fields.bytes[range])
    }

    /// Host and port the request is for; empty in HTTP/1.0 without Host.
    #[must_use]
    pub fn host(&self) -> &[u8] {
        self.fields.get("host").unwrap_or_default()
    }

    /// How the body is delimited; in HTTP/2 only whether there is a length.
    #[must_use]
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// What Connection said.
    #[must_use]
    pub fn connection(&self) -> ConnectionOptions {
        self.connection
    }

    /// Whether the client wants the connection for more requests.
    #[must_use]
    pub fn keeps_alive(&self) -> bool {
        match self.version {
            Version::Http10 => self.connection.keep_alive && !self.connection.close,
            Version::Http11 | Version::Http2 => !self.connection.close,
        }
    }

    /// Whether the client waits for 100 before it sends the body.
    #[must_use]
    pub fn expects_continue(&self) -> bool {
        self.version == Version::Http11 && !self.framing.is_empty() && self.fields.contains("expect")
    }

    /// The protocol the client would change to. HTTP/1.1 alone has it, and a request with a body cannot change before
    /// the body is read, so that it is taken for one that does not want to.
    #[must_use]
    pub fn upgrade(&self) -> Option<&[u8]> {
        if self.version != Version::Http11 || !self.connection.upgrade || !self.framing.is_empty() {
            return None;
        }
        self.fields.get("upgrade")
    }

    /// The fields.
    #[must_use]
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The fields, to be changed. What the head says of framing and connection stays as it came.
    pub fn fields_mut(&mut self) -> &mut Fields {
        &mut self.fields
    }

    /// Writes the head as HTTP/1.1 with `target`, and the empty line.
    pub fn write(&self, target: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(self.method.as_str().as_bytes());
        out.push(b' ');
        out.extend_from_slice(target);
        out.extend_from_slice(b" HTTP/1.1\r\n");
        self.fields.write(out);
        out.extend_from_slice(b"\r\n");
    }

    fn clear(&mut self) {
        let mut fields = std::mem::take(&mut self.fields);
        fields.clear();
        *self = Self { fields, ..Self::default() };
    }

    /// Everything that follows from method, version, target and fields.
    fn settle(&mut self) -> Result<(), HeadFault> {
        self.parts = Target::parse(&self.method, self.target())?;
        let start = self.target.start;
        for part in
            [&mut self.parts.authority, &mut self.parts.path, &mut self.parts.query].into_iter().flatten()
        {
            *part = start + part.start..start + part.end;
        }
        self.settle_host()?;
        self.framing = Framing::of_request(self.version, &self.fields)?;
        self.connection = ConnectionOptions::of(&self.fields);
        if self.fields.get_all("expect").any(|value| !value.eq_ignore_ascii_case(b"100-continue")) {
            return Err(HeadFault::Expectation);
        }
        if let Some(path) = self.parts.path.clone() {
            // Apart from the buffer, which it is read from; most paths need nothing written.
            let mut normal = Vec::new();
            if normalize(&self.fields.bytes[path], &mut normal)? {
                let start = self.fields.bytes.len();
                self.fields.bytes.append(&mut normal);
                self.normal = Some(start..self.fields.bytes.len());
            }
        }
        Ok(())
    }

    /// One host, that of an absolute target before all others (RFC 9112 3.2.2).
    fn settle_host(&mut self) -> Result<(), HeadFault> {
        match self.fields.only("host").map_err(|()| HeadFault::SeveralHosts)? {
            None if self.version == Version::Http11 => return Err(HeadFault::MissingHost),
            Some(host) if !is_authority(host) => return Err(HeadFault::Host),
            _ => {}
        }
        if let Some(authority) = self.parts.authority.clone() {
            let authority = self.fields.bytes[authority].to_vec();
            self.fields.set("Host", &authority);
        }
        Ok(())
    }
}

/// Reads the heads of one connection's requests.
#[derive(Debug, Default)]
pub struct RequestParser {
    limits: HeadLimits,
    scan: Scan,
}

impl RequestParser {
    /// With limits of its own.
    #[must_use]
    pub fn new(limits: HeadLimits) -> Self {
        Self { limits, scan: Scan::default() }
    }

    /// Reads the head at the front of `input` into `head`.
    ///
    /// `Some`: it is whole, and this many bytes are to be taken off the front. `None`: it is not; more bytes are to be
    /// added at the end of `input`, and `head` is as it was.
    ///
    /// # Errors
    /// A [`HeadFault`], after which nothing more can be read from this client.
    pub fn parse(&mut self, input: &[u8], head: &mut Head) -> Result<Option<usize>, HeadFault> {
        let Some(found) = self.scan.find(input, &self.limits)? else { return Ok(None) };
        head.clear();
        self.read(found.slice(input), head)?;
        Ok(Some(found.end))
    }

    fn read(&self, input: &[u8], head: &mut Head) -> Result<(), HeadFault> {
        let mut places = [const { MaybeUninit::uninit() }; FIELDS_CAPACITY];
        let places = &mut places[..self.limits.fields_max.min(FIELDS_CAPACITY)];
        let mut request = httparse::Request::new(&mut []);
        let end =
            request.parse_with_uninit_headers(input, places).map_err(|error| self::error(error, input))?;
        if end != httparse::Status::Complete(input.len()) {
            return Err(HeadFault::Malformed("it ends before its empty line"));
        }
        let (Some(method), Some(target), Some(version)) = (request.method, request.path, request.version)
        else {
            return Err(HeadFault::Malformed("it has no request line"));
        };
        head.method = Method::from_token(method);
        head.version = if version == 0 { Version::Http10 } else { Version::Http11 };
        head.target = place(input, target.as_bytes());
        fill(&mut head.fields, input, request.headers);
        head.settle()
    }
}

/// A space too many in the request line reads as a version that is none; it is not the version that has to change.
fn error(error: httparse::Error, input: &[u8]) -> HeadFault {
    let line = &input[..memchr::memchr(b'\r', input).unwrap_or(input.len())];
    let spaces = memchr::memchr_iter(b' ', line).count();
    match fault(error) {
        HeadFault::Version if spaces != 2 => {
            HeadFault::Malformed("the request line has more than three words")
        }
        fault => fault,
    }
}

/// Takes the head over as it is: places in the input are places in the buffer.
pub(super) fn fill(fields: &mut Fields, input: &[u8], headers: &[httparse::Header<'_>]) {
    fields.bytes.extend_from_slice(input);
    fields.spans.extend(headers.iter().map(|header| Span {
        name: place(input, header.name.as_bytes()),
        value: place(input, header.value),
    }));
}

/// Where `part` lies in `input`, of which it is a slice; an empty one may lie anywhere.
pub(super) fn place(input: &[u8], part: &[u8]) -> Range<usize> {
    if part.is_empty() {
        return 0..0;
    }
    let start = part.as_ptr().addr() - input.as_ptr().addr();
    start..start + part.len()
}

pub(super) fn fault(error: httparse::Error) -> HeadFault {
    match error {
        httparse::Error::TooManyHeaders => HeadFault::TooManyFields,
        httparse::Error::Version => HeadFault::Version,
        httparse::Error::HeaderName => HeadFault::Malformed("the name of a field is not a token and a colon"),
        httparse::Error::HeaderValue => HeadFault::Malformed("a field has a control character in it"),
        httparse::Error::Status => HeadFault::Malformed("the status is not a number of three digits"),
        httparse::Error::Token => HeadFault::Malformed("the request line has what it cannot have"),
        httparse::Error::NewLine => HeadFault::Malformed("a line does not end as it should"),
    }
}
