//! What is wrong with bytes that came, and what they are answered with.

/// Why a head is refused. After it nothing more can be read from this peer: where the next message begins is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeadFault {
    /// A line ends in LF without CR.
    #[error("a line of the head ends in LF without CR")]
    BareLineFeed,
    /// What came is not HTTP: the request line, or a field line.
    #[error("the head is not well-formed: {0}")]
    Malformed(&'static str),
    /// A version of HTTP other than 1.0 and 1.1.
    #[error("the version of HTTP is neither 1.0 nor 1.1")]
    Version,
    /// The request line is longer than [`HeadLimits::line_max`](super::HeadLimits::line_max).
    #[error("the request line is longer than the limit")]
    LineTooLong,
    /// The head is larger than [`HeadLimits::head_max`](super::HeadLimits::head_max).
    #[error("the head is larger than the limit")]
    HeadTooLarge,
    /// More fields than [`HeadLimits::fields_max`](super::HeadLimits::fields_max).
    #[error("the head has more fields than the limit")]
    TooManyFields,
    /// The target has a form its method cannot have, or an authority that is none.
    #[error("the target of the request is not valid: {0}")]
    Target(&'static str),
    /// The path cannot be decoded, or leads above the root.
    #[error("the path is not valid: {0}")]
    Path(#[from] PathFault),
    /// HTTP/1.1 without Host.
    #[error("the request has no Host")]
    MissingHost,
    /// More than one Host.
    #[error("the request has more than one Host")]
    SeveralHosts,
    /// A Host that is no host.
    #[error("Host is not a host and a port")]
    Host,
    /// A Content-Length that is no number, or is there twice.
    #[error("Content-Length is not one number")]
    Length,
    /// Content-Length beside Transfer-Encoding.
    #[error("both Content-Length and Transfer-Encoding are given")]
    LengthAndCoding,
    /// Transfer-Encoding in HTTP/1.0.
    #[error("Transfer-Encoding is given in HTTP/1.0")]
    CodingInOldVersion,
    /// A Transfer-Encoding whose end is not `chunked`, or that is given in pieces.
    #[error("Transfer-Encoding is not exactly `chunked`")]
    Coding,
    /// A transfer coding under `chunked` that is not known here.
    #[error("the transfer coding under `chunked` is not supported")]
    UnknownCoding,
    /// An Expect other than `100-continue`.
    #[error("Expect is not 100-continue")]
    Expectation,
}

impl HeadFault {
    /// The status that says so to a client.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::LineTooLong => 414,
            Self::HeadTooLarge | Self::TooManyFields => 431,
            Self::Version => 505,
            Self::UnknownCoding => 501,
            Self::Expectation => 417,
            _ => 400,
        }
    }

    /// A word for figures and logs: lower case, with hyphens.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::BareLineFeed => "bare-line-feed",
            Self::Malformed(_) => "malformed",
            Self::Version => "version",
            Self::LineTooLong => "line-too-long",
            Self::HeadTooLarge => "head-too-large",
            Self::TooManyFields => "too-many-fields",
            Self::Target(_) => "target",
            Self::Path(_) => "path",
            Self::MissingHost => "missing-host",
            Self::SeveralHosts => "several-hosts",
            Self::Host => "host",
            Self::Length => "length",
            Self::LengthAndCoding => "length-and-coding",
            Self::CodingInOldVersion => "coding-in-old-version",
            Self::Coding => "coding",
            Self::UnknownCoding => "unknown-coding",
            Self::Expectation => "expectation",
        }
    }
}

/// Why a path cannot be used to find anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathFault {
    /// It does not begin with a slash.
    #[error("it does not begin with a slash")]
    Relative,
    /// `%` without two hexadecimal digits.
    #[error("a percent sign is not followed by two hexadecimal digits")]
    Percent,
    /// NUL, as it is or encoded.
    #[error("it has a NUL in it")]
    Nul,
    /// A backslash, as it is or encoded: some programs take it for a slash.
    #[error("it has a backslash in it")]
    Backslash,
    /// `..` above the root.
    #[error("it leads above the root")]
    AboveRoot,
}

/// Why a body cannot be read on. What came of it before was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyFault {
    /// The line before a chunk is not a size in hexadecimal digits with extensions.
    #[error("the size of a chunk is not a hexadecimal number")]
    ChunkSize,
    /// The line before a chunk is longer than its limit.
    #[error("the line with the size of a chunk is longer than the limit")]
    ChunkLine,
    /// Extensions of all chunks are longer than their limit.
    #[error("the extensions of chunks are longer than the limit")]
    Extensions,
    /// A chunk does not end where its size says.
    #[error("a chunk does not end where its size says")]
    ChunkEnd,
    /// A line of the framing ends in LF without CR.
    #[error("a line between chunks ends in LF without CR")]
    BareLineFeed,
    /// A trailer is no field.
    #[error("a trailer is not a field")]
    Trailer,
    /// More trailers than the limits allow.
    #[error("the trailers are larger than the limit")]
    TrailersTooLarge,
    /// The peer ended before the body did.
    #[error("the connection ended in the middle of the body")]
    CutOff,
}
