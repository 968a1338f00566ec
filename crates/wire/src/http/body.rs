//! Reading bodies: where their bytes are in what comes.
//!
//! Nothing is copied: the decoder says how many bytes of framing come first and how many of the body behind them.

use super::fields::{is_field_name, is_field_value};
use super::{BodyFault, BodyLimits, Fields, Framing};

/// What is at the front of the input: `skip` bytes of framing, then `data` bytes of the body. Both are to be taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Piece {
    /// Bytes that are not the body's.
    pub skip: usize,
    /// Bytes behind them that are.
    pub data: usize,
}

/// Reads one body.
#[derive(Debug)]
pub struct BodyDecoder {
    state: State,
    limits: BodyLimits,
    /// Bytes of extensions so far.
    extensions: usize,
    /// Bytes of trailers so far.
    trailer_bytes: usize,
    trailers: Option<Box<Fields>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// So many bytes are left.
    Length(u64),
    /// All that comes.
    UntilClose,
    /// The line with a chunk's size comes next.
    Size,
    /// So many bytes of a chunk are left.
    Chunk(u64),
    /// The line break behind a chunk comes next.
    ChunkEnd,
    /// Trailers, or the empty line that ends them.
    Trailers,
    /// Nothing comes any more.
    Done,
}

impl BodyDecoder {
    /// For a body delimited by `framing`, with the default limits.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        Self::with_limits(framing, BodyLimits::default())
    }

    /// For a body delimited by `framing`.
    #[must_use]
    pub fn with_limits(framing: Framing, limits: BodyLimits) -> Self {
        let state = match framing {
            Framing::Empty | Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Size,
            Framing::UntilClose => State::UntilClose,
        };
        Self { state, limits, extensions: 0, trailer_bytes: 0, trailers: None }
    }

    /// Whether the body is whole.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Bytes that are still to come, where that is known.
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        match self.state {
            State::Length(length) => Some(length),
            State::Done => Some(0),
            _ => None,
        }
    }

    /// The trailers of a chunked body, when it is done; those that would change what the head said are left out.
    pub fn take_trailers(&mut self) -> Option<Box<Fields>> {
        self.trailers.take()
    }

    /// Looks at the front of `input`. A piece without bytes means that more has to come, if the body is not done: a
    /// line that is not whole stays in the input.
    ///
    /// # Errors
    /// A [`BodyFault`], after which nothing more can be read from this peer.
    pub fn decode(&mut self, input: &[u8]) -> Result<Piece, BodyFault> {
        let mut skip = 0;
        loop {
            let rest = &input[skip..];
            let taken = match self.state {
                State::Done => None,
                State::UntilClose => return Ok(Piece { skip, data: rest.len() }),
                State::Length(left) => {
                    let data = within(rest, left);
                    self.state = match left - data as u64 {
                        0 => State::Done,
                        left => State::Length(left),
                    };
                    return Ok(Piece { skip, data });
                }
                State::Chunk(left) => {
                    let data = within(rest, left);
                    self.state = match left - data as u64 {
                        0 => State::ChunkEnd,
                        left => State::Chunk(left),
                    };
                    return Ok(Piece { skip, data });
                }
                State::ChunkEnd => self.chunk_end(rest)?,
                State::Size => self.size(rest)?,
                State::Trailers => self.trailer(rest)?,
            };
            match taken {
                Some(taken) => skip += taken,
                None => return Ok(Piece { skip, data: 0 }),
            }
        }
    }

    /// The peer ends its side.
    ///
    /// # Errors
    /// The body is not whole.
    pub fn end(&mut self) -> Result<(), BodyFault> {
        match self.state {
            State::Done => Ok(()),
            State::UntilClose => {
                self.state = State::Done;
                Ok(())
            }
            _ => Err(BodyFault::CutOff),
        }
    }

    fn chunk_end(&mut self, input: &[u8]) -> Result<Option<usize>, BodyFault> {
        match input {
            [b'\r', b'\n', ..] => {
                self.state = State::Size;
                Ok(Some(2))
            }
            [] | [b'\r'] => Ok(None),
            [b'\n', ..] => Err(BodyFault::BareLineFeed),
            _ => Err(BodyFault::ChunkEnd),
        }
    }

    fn size(&mut self, input: &[u8]) -> Result<Option<usize>, BodyFault> {
        let Some(line) = line(input, self.limits.chunk_line_max, BodyFault::ChunkLine)? else {
            return Ok(None);
        };
        let digits = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
        let (number, extensions) = line.split_at(digits);
        // 15 digits are an exabyte, and cannot overflow.
        if number.is_empty() || number.len() > 15 {
            return Err(BodyFault::ChunkSize);
        }
        if !is_extensions(extensions) {
            return Err(BodyFault::ChunkSize);
        }
        self.extensions += extensions.len();
        if self.extensions > self.limits.extensions_max {
            return Err(BodyFault::Extensions);
        }
        let size = number.iter().fold(0_u64, |size, digit| (size << 4) | u64::from(value(*digit)));
        self.state = if size == 0 { State::Trailers } else { State::Chunk(size) };
        Ok(Some(line.len() + 2))
    }

    fn trailer(&mut self, input: &[u8]) -> Result<Option<usize>, BodyFault> {
        let left = self.limits.trailers_max - self.trailer_bytes;
        let Some(line) = line(input, left, BodyFault::TrailersTooLarge)? else { return Ok(None) };
        if line.is_empty() {
            self.state = State::Done;
            return Ok(Some(2));
        }
        self.trailer_bytes += line.len();
        let colon = memchr::memchr(b':', line).ok_or(BodyFault::Trailer)?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        let name = str::from_utf8(name).ok().filter(|name| is_field_name(name.as_bytes()));
        let name = name.filter(|_| is_field_value(value)).ok_or(BodyFault::Trailer)?;
        let trailers = self.trailers.get_or_insert_default();
        if trailers.len() == self.limits.trailer_fields_max {
            return Err(BodyFault::TrailersTooLarge);
        }
        if !IN_HEADS_ONLY.iter().any(|each| name.eq_ignore_ascii_case(each)) {
            trailers.append(name, value);
        }
        Ok(Some(line.len() + 2))
    }
}

/// Fields that mean something for framing, routing or access, and would come too late as trailers (RFC 9110 6.5.1).
const IN_HEADS_ONLY: [&str; 21] = [
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "max-forwards",
    "proxy-authorization",
    "range",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "www-authenticate",
    "forwarded",
];

/// How many of `left` bytes are there.
fn within(input: &[u8], left: u64) -> usize {
    usize::try_from(left).map_or(input.len(), |left| left.min(input.len()))
}

/// The line at the front, without its end; `None`: it is not whole.
fn line(input: &[u8], max: usize, too_long: BodyFault) -> Result<Option<&[u8]>, BodyFault> {
    let Some(feed) = memchr::memchr(b'\n', input) else {
        // The CR may be there, and is not the line's.
        return if input.len() > max + 1 { Err(too_long) } else { Ok(None) };
    };
    if feed > max + 1 {
        return Err(too_long);
    }
    let line = input[..feed].strip_suffix(b"\r").ok_or(BodyFault::BareLineFeed)?;
    if memchr::memchr(b'\r', line).is_some() {
        return Err(BodyFault::BareLineFeed);
    }
    Ok(Some(line))
}

/// Nothing, or what begins with a semicolon; white space before it is allowed, white space alone is not: there are
/// programs that read a different size then.
fn is_extensions(bytes: &[u8]) -> bool {
    bytes.is_empty()
        || (bytes.trim_ascii_start().first() == Some(&b';') && is_field_value(bytes.trim_ascii()))
}

fn value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit - b'A' + 10,
    }
}
