//! Replies as a client reads them: all types of RESP2 and RESP3.
//!
//! Replies nest, to a depth of 32; what is open is a list here, not a recursion, and so a reply that comes in pieces is
//! read once. Attributes, which may stand before any reply, are read and dropped, as clients do.

use super::line::{self, Line};
use super::{Limits, RespError};

/// How deep replies may nest. Redis' own are of depth 7 at most (`COMMAND DOCS`).
const DEPTH_MAX: usize = 32;

/// Bytes of a line: simple strings, errors, numbers. Redis' errors quote up to 128 bytes of an argument.
const LINE_MAX: usize = 64 << 10;

/// A reply.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A short text.
    Simple(Vec<u8>),
    /// An error, with its code in front; also one that came as a bulk string.
    Error(Vec<u8>),
    /// A whole number.
    Integer(i64),
    /// A string of any bytes.
    Bulk(Vec<u8>),
    /// Nothing: of RESP3, or as string or array of RESP2.
    Null,
    /// Replies in order.
    Array(Vec<Value>),
    /// Keys and values.
    Map(Vec<(Value, Value)>),
    /// Replies without order.
    Set(Vec<Value>),
    /// Something that answers no command.
    Push(Vec<Value>),
    /// A number with a fraction.
    Double(f64),
    /// Yes or no.
    Boolean(bool),
    /// A text in some format.
    Verbatim {
        /// `txt`, `mkd`.
        format: [u8; 3],
        /// It.
        text: Vec<u8>,
    },
    /// A whole number of any size, as its digits.
    BigNumber(Vec<u8>),
}

/// Reads the replies of one server.
#[derive(Debug)]
pub struct ValueParser {
    limits: Limits,
    position: usize,
    /// Elements of the reply so far.
    elements: usize,
    /// Replies that are begun, the outermost first.
    open: Vec<Open>,
}

#[derive(Debug)]
struct Open {
    kind: Kind,
    /// Elements still to come; a pair is two.
    remaining: usize,
    elements: Vec<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Array,
    Set,
    Push,
    Map,
    Attribute,
}

/// What stands at some place.
enum Item {
    Scalar(Value, usize),
    Aggregate(Kind, usize, usize),
    Incomplete,
}

/// Reads the reply at the front of `input`: it, and how many bytes it takes; `None`: it is not whole. Of a reply that
/// comes in pieces a [`ValueParser`] reads no byte twice.
///
/// # Errors
/// As [`ValueParser::parse`].
pub fn parse_value(input: &[u8], limits: &Limits) -> Result<Option<(Value, usize)>, RespError> {
    ValueParser::new(limits.clone()).parse(input)
}

impl ValueParser {
    /// Before the first reply.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, position: 0, elements: 0, open: Vec::new() }
    }

    /// Reads the reply at the front of `input`: it, and how many bytes are to be taken off the front before the next
    /// call; `None`: it is not whole, and more bytes are to be added at the end.
    ///
    /// # Errors
    /// A [`RespError`], after which nothing more can be read from this server.
    pub fn parse(&mut self, input: &[u8]) -> Result<Option<(Value, usize)>, RespError> {
        loop {
            let mut value = match self.item(input)? {
                Item::Incomplete if input.len() > self.limits.query_max => {
                    return Err(RespError::QueryTooBig);
                }
                Item::Incomplete => return Ok(None),
                Item::Scalar(value, end) => {
                    self.advance(end)?;
                    Some(value)
                }
                Item::Aggregate(kind, len, end) => {
                    self.advance(end)?;
                    self.begin(kind, len)?
                }
            };
            while let Some(element) = value.take() {
                let Some(parent) = self.open.last_mut() else {
                    let end = std::mem::take(&mut self.position);
                    self.elements = 0;
                    return Ok(Some((element, end)));
                };
                parent.elements.push(element);
                parent.remaining -= 1;
                if parent.remaining == 0 {
                    value = self.open.pop().and_then(Open::close);
                }
            }
        }
    }

    fn advance(&mut self, end: usize) -> Result<(), RespError> {
        self.position = end;
        self.elements += 1;
        if self.elements > self.limits.args_max {
            return Err(RespError::MultibulkLength);
        }
        if end > self.limits.query_max {
            return Err(RespError::QueryTooBig);
        }
        Ok(())
    }

    /// Opens an aggregate; one without elements is closed at once.
    fn begin(&mut self, kind: Kind, remaining: usize) -> Result<Option<Value>, RespError> {
        if remaining > self.limits.args_max {
            return Err(RespError::MultibulkLength);
        }
        let open = Open { kind, remaining, elements: Vec::new() };
        if remaining == 0 {
            return Ok(open.close());
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(RespError::Reply { fault: "it nests too deep" });
        }
        self.open.push(open);
        Ok(None)
    }

    fn item(&self, input: &[u8]) -> Result<Item, RespError> {
        let Some((&kind, rest)) = input[self.position..].split_first() else { return Ok(Item::Incomplete) };
        let start = self.position + 1;
        match kind {
            b'+' | b'-' | b',' | b'#' | b'(' | b'_' | b':' => {
                let Some(end) = line_end(rest)? else { return Ok(Item::Incomplete) };
                Ok(Item::Scalar(scalar(kind, &rest[..end])?, start + end + 2))
            }
            b'$' | b'=' | b'!' => self.string(kind, rest, start),
            b'*' | b'~' | b'>' | b'%' | b'|' => aggregate(kind, rest, start),
            _ => Err(RespError::Reply { fault: "its type is unknown" }),
        }
    }

    fn string(&self, kind: u8, rest: &[u8], start: usize) -> Result<Item, RespError> {
        let (length, len) = match line::number(rest) {
            Line::Number(-1, len) if kind == b'$' => return Ok(Item::Scalar(Value::Null, start + len)),
            Line::Number(length, len) => (length, len),
            Line::Incomplete => return Ok(Item::Incomplete),
            Line::TooLong | Line::Malformed => return Err(RespError::BulkLength),
        };
        let length = usize::try_from(length).ok().filter(|length| *length <= self.limits.bulk_max);
        let length = length.ok_or(RespError::BulkLength)?;
        let body = &rest[len..];
        if body.len() < 2 || body.len() - 2 < length {
            return Ok(Item::Incomplete);
        }
        let (body, end) = body.split_at(length);
        if !end.starts_with(b"\r\n") {
            return Err(RespError::BulkEnd);
        }
        let value = match (kind, body) {
            (b'$', _) => Value::Bulk(body.to_vec()),
            (b'!', _) => Value::Error(body.to_vec()),
            (_, [a, b, c, b':', text @ ..]) => Value::Verbatim { format: [*a, *b, *c], text: text.to_vec() },
            _ => return Err(RespError::Reply { fault: "a verbatim string has no format" }),
        };
        Ok(Item::Scalar(value, start + len + length + 2))
    }
}

impl Open {
    /// The reply it is; `None` for an attribute, which is dropped.
    fn close(self) -> Option<Value> {
        Some(match self.kind {
            Kind::Array => Value::Array(self.elements),
            Kind::Set => Value::Set(self.elements),
            Kind::Push => Value::Push(self.elements),
            Kind::Attribute => return None,
            Kind::Map => {
                let mut elements = self.elements.into_iter();
                let pairs = std::iter::from_fn(|| elements.next().zip(elements.next()));
                Value::Map(pairs.collect())
            }
        })
    }
}

fn aggregate(kind: u8, rest: &[u8], start: usize) -> Result<Item, RespError> {
    let (length, len) = match line::number(rest) {
        Line::Number(-1, len) if kind == b'*' => return Ok(Item::Scalar(Value::Null, start + len)),
        Line::Number(length, len) => (length, len),
        Line::Incomplete => return Ok(Item::Incomplete),
        Line::TooLong | Line::Malformed => return Err(RespError::MultibulkLength),
    };
    let (kind, each) = match kind {
        b'*' => (Kind::Array, 1),
        b'~' => (Kind::Set, 1),
        b'>' => (Kind::Push, 1),
        b'%' => (Kind::Map, 2),
        _ => (Kind::Attribute, 2),
    };
    let length = usize::try_from(length).ok().and_then(|length| length.checked_mul(each));
    Ok(Item::Aggregate(kind, length.ok_or(RespError::MultibulkLength)?, start + len))
}

/// Where the line at the front ends.
fn line_end(rest: &[u8]) -> Result<Option<usize>, RespError> {
    let window = &rest[..rest.len().min(LINE_MAX)];
    match memchr::memchr(b'\r', window) {
        None if window.len() == LINE_MAX => Err(RespError::Reply { fault: "a line does not end" }),
        None => Ok(None),
        Some(end) => match rest.get(end + 1) {
            None => Ok(None),
            Some(b'\n') => Ok(Some(end)),
            Some(_) => Err(RespError::Reply { fault: "a line has a carriage return in it" }),
        },
    }
}

fn scalar(kind: u8, line: &[u8]) -> Result<Value, RespError> {
    let fault = |fault| RespError::Reply { fault };
    Ok(match (kind, line) {
        (b'+', _) => Value::Simple(line.to_vec()),
        (b'-', _) => Value::Error(line.to_vec()),
        (b':', _) => {
            // RESP allows a plus sign where Redis' own strings do not.
            let digits = line.strip_prefix(b"+").unwrap_or(line);
            Value::Integer(line::integer(digits).ok_or(fault("an integer is none"))?)
        }
        (b'_', b"") => Value::Null,
        (b'#', b"t") => Value::Boolean(true),
        (b'#', b"f") => Value::Boolean(false),
        (b',', _) => {
            let text = str::from_utf8(line).ok();
            Value::Double(text.and_then(|text| text.parse().ok()).ok_or(fault("a double is none"))?)
        }
        (b'(', _) => {
            let digits = line.strip_prefix(b"-").or(line.strip_prefix(b"+")).unwrap_or(line);
            if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
                return Err(fault("a big number is none"));
            }
            Value::BigNumber(line.to_vec())
        }
        _ => return Err(fault("a null or boolean is none")),
    })
}
