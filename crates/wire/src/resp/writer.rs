//! Replies as a server writes them, in the version its client asked for.
//!
//! A reply is written once, in RESP3's words; to a client of RESP2 each becomes what Redis makes of it: a map the flat
//! array of its keys and values, a set and a push an array, a double a bulk string, a boolean 0 or 1.

use bytes::{BufMut, BytesMut};

use super::Double;

/// What a client speaks; RESP2 until it says `HELLO 3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Version {
    /// Since Redis 2.
    #[default]
    Resp2,
    /// Since Redis 6.
    Resp3,
}

/// Appends replies.
#[derive(Debug)]
pub struct Writer<'a> {
    /// Where to.
    pub out: &'a mut BytesMut,
    /// For whom.
    pub version: Version,
}

impl<'a> Writer<'a> {
    /// Replies to a client that speaks `version`, appended to `out`.
    pub fn new(out: &'a mut BytesMut, version: Version) -> Self {
        Self { out, version }
    }

    fn is_resp3(&self) -> bool {
        self.version == Version::Resp3
    }

    /// A short text: `OK`. Ends of lines in it become blanks, as in Redis' errors.
    pub fn simple(&mut self, text: &str) {
        self.text_line(b'+', text);
    }

    /// An error, which begins with its code: `ERR no such key`, `WRONGTYPE …`.
    pub fn error(&mut self, text: &str) {
        self.text_line(b'-', text);
    }

    /// A whole number.
    pub fn integer(&mut self, value: i64) {
        self.number_line(b':', value);
    }

    /// A string of any bytes.
    #[inline]
    pub fn bulk(&mut self, bytes: &[u8]) {
        put_bulk(bytes, self.out);
    }

    /// A string.
    pub fn bulk_text(&mut self, text: &str) {
        self.bulk(text.as_bytes());
    }

    /// Nothing where a string could be.
    pub fn null(&mut self) {
        self.out.put_slice(if self.is_resp3() { b"_\r\n" } else { b"$-1\r\n" });
    }

    /// Nothing where an array could be: a blocking command's timeout, an EXEC that was aborted.
    pub fn null_array(&mut self) {
        self.out.put_slice(if self.is_resp3() { b"_\r\n" } else { b"*-1\r\n" });
    }

    /// `len` replies follow.
    pub fn array(&mut self, len: usize) {
        put_length(b'*', len, self.out);
    }

    /// `len` pairs of replies follow, keys and values in turns.
    pub fn map(&mut self, len: usize) {
        if self.is_resp3() { put_length(b'%', len, self.out) } else { self.array(len * 2) }
    }

    /// `len` replies follow, no two of them the same, in no order.
    pub fn set(&mut self, len: usize) {
        put_length(if self.is_resp3() { b'~' } else { b'*' }, len, self.out);
    }

    /// `len` replies follow that answer no command: messages and acknowledged subscriptions.
    pub fn push(&mut self, len: usize) {
        put_length(if self.is_resp3() { b'>' } else { b'*' }, len, self.out);
    }

    /// A number with a fraction.
    pub fn double(&mut self, value: f64) {
        let text = Double::new(value);
        if self.is_resp3() {
            self.out.put_u8(b',');
            self.out.put_slice(text.as_bytes());
            self.out.put_slice(b"\r\n");
        } else {
            self.bulk(text.as_bytes());
        }
    }

    /// Yes or no.
    pub fn boolean(&mut self, value: bool) {
        let line: &[u8; 4] = match (self.is_resp3(), value) {
            (true, true) => b"#t\r\n",
            (true, false) => b"#f\r\n",
            (false, true) => b":1\r\n",
            (false, false) => b":0\r\n",
        };
        self.out.put_slice(line);
    }

    /// A text for people to read, as `txt` or `mkd`.
    pub fn verbatim(&mut self, format: [u8; 3], text: &str) {
        if self.is_resp3() {
            put_length(b'=', text.len() + 4, self.out);
            self.out.put_slice(&format);
            self.out.put_u8(b':');
            self.out.put_slice(text.as_bytes());
            self.out.put_slice(b"\r\n");
        } else {
            self.bulk_text(text);
        }
    }

    /// A whole number of any size, as its digits.
    pub fn big_number(&mut self, digits: &str) {
        if self.is_resp3() { self.text_line(b'(', digits) } else { self.bulk_text(digits) }
    }

    fn text_line(&mut self, kind: u8, text: &str) {
        self.out.put_u8(kind);
        let start = self.out.len();
        self.out.put_slice(text.as_bytes());
        for byte in &mut self.out[start..] {
            if matches!(byte, b'\r' | b'\n') {
                *byte = b' ';
            }
        }
        self.out.put_slice(b"\r\n");
    }

    fn number_line(&mut self, kind: u8, value: i64) {
        self.out.put_u8(kind);
        self.out.put_slice(itoa::Buffer::new().format(value).as_bytes());
        self.out.put_slice(b"\r\n");
    }
}

/// Appends a command as a client sends it. A command has at least its name.
pub fn encode_command(arguments: &[&[u8]], out: &mut impl BufMut) {
    put_length(b'*', arguments.len(), out);
    for argument in arguments {
        put_length(b'$', argument.len(), out);
        out.put_slice(argument);
        out.put_slice(b"\r\n");
    }
}

#[inline]
fn put_length(kind: u8, length: usize, out: &mut impl BufMut) {
    if length < 10 {
        let digit = b'0' + u8::try_from(length).expect("it is below 10");
        return out.put_slice(&[kind, digit, b'\r', b'\n']);
    }
    out.put_u8(kind);
    out.put_slice(itoa::Buffer::new().format(length).as_bytes());
    out.put_slice(b"\r\n");
}

#[inline]
fn put_bulk(bytes: &[u8], out: &mut BytesMut) {
    out.reserve(bytes.len() + 24);
    put_length(b'$', bytes.len(), out);
    out.put_slice(bytes);
    out.put_slice(b"\r\n");
}
