//! How much a peer may make us keep, or read for nothing.

/// Limits of one head, in bytes where nothing else is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadLimits {
    /// The head as a whole, with its request line. Default 32 KiB: nginx takes 4 × 8 KiB.
    pub head_max: usize,
    /// The request line, or status line. Default 8 KiB, what RFC 9112 3 asks servers to support.
    pub line_max: usize,
    /// Fields of a head. Default 100; at most 256.
    pub fields_max: usize,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self { head_max: 32 << 10, line_max: 8 << 10, fields_max: 100 }
    }
}

/// Limits of what a chunked body has beside its content, in bytes where nothing else is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyLimits {
    /// The line with a chunk's size and extensions. Default 256.
    pub chunk_line_max: usize,
    /// Extensions of all chunks of a body: nobody uses them but to make a server read for nothing. Default 8 KiB.
    pub extensions_max: usize,
    /// All trailer fields. Default 8 KiB.
    pub trailers_max: usize,
    /// Number of trailer fields. Default 32.
    pub trailer_fields_max: usize,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self { chunk_line_max: 256, extensions_max: 8 << 10, trailers_max: 8 << 10, trailer_fields_max: 32 }
    }
}

/// Places for fields on the stack of a parser.
pub(super) const FIELDS_CAPACITY: usize = 256;

/// Empty lines passed over before a request line; RFC 9112 2.2 asks for at least one, for clients that end a body with
/// a line break nobody counts.
pub(super) const EMPTY_LINES_MAX: usize = 2;
