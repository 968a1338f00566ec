//! Header fields: ordered, in one buffer, with places in it.
//!
//! A head has a dozen of them and is looked through a few times, so a list that is searched beats a map that is built.
//! What is taken out leaves its bytes in the buffer until the next head; what is set is written behind them.

use std::fmt;
use std::ops::Range;

/// Fields of a head, or trailers.
///
/// Names keep the case they came in and are found in any. What is put in cannot end its line: in a value CR, LF and NUL
/// become spaces (RFC 9110 5.5), in a name what no token has becomes `-`.
#[derive(Clone, Default)]
pub struct Fields {
    pub(super) bytes: Vec<u8>,
    pub(super) spans: Vec<Span>,
}

/// Where one field is.
#[derive(Debug, Clone)]
pub(super) struct Span {
    pub(super) name: Range<usize>,
    pub(super) value: Range<usize>,
}

impl Fields {
    /// Without fields and without memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes all fields out and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.spans.clear();
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Bytes of memory that are held.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.bytes.capacity() + self.spans.capacity() * size_of::<Span>()
    }

    /// Names and values in their order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&[u8], &[u8])> {
        self.spans.iter().map(|span| (&self.bytes[span.name.clone()], &self.bytes[span.value.clone()]))
    }

    /// The value of the first field `name`.
    #[must_use]
    #[inline]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let span = self.spans.iter().find(|span| self.is_named(span, name))?;
        Some(&self.bytes[span.value.clone()])
    }

    /// The value of the first field `name`, if it is UTF-8.
    #[must_use]
    pub fn get_str(&self, name: &str) -> Option<&str> {
        str::from_utf8(self.get(name)?).ok()
    }

    /// The values of all fields `name`.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let named = self.spans.iter().filter(move |span| self.is_named(span, name));
        named.map(|span| &self.bytes[span.value.clone()])
    }

    /// The value of the field `name`; `Err` if there is more than one.
    pub(super) fn only(&self, name: &str) -> Result<Option<&[u8]>, ()> {
        let mut named = self.spans.iter().filter(|span| self.is_named(span, name));
        match (named.next(), named.next()) {
            (span, None) => Ok(span.map(|span| &self.bytes[span.value.clone()])),
            (_, Some(_)) => Err(()),
        }
    }

    /// Whether there is a field `name`.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.spans.iter().any(|span| self.is_named(span, name))
    }

    /// Whether a list `name`, over all its lines, has the element `token`.
    #[must_use]
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.get_all(name).any(|value| super::has_token(value, token))
    }

    /// Adds a field at the end.
    pub fn append(&mut self, name: &str, value: impl AsRef<[u8]>) {
        let name = self.write_name(name);
        let value = self.write_value(value.as_ref());
        self.spans.push(Span { name, value });
    }

    /// Makes `value` the only value of `name`, in the place of the first that was there.
    pub fn set(&mut self, name: &str, value: impl AsRef<[u8]>) {
        let Some(first) = self.spans.iter().position(|span| self.is_named(span, name)) else {
            return self.append(name, value);
        };
        let value = self.write_value(value.as_ref());
        self.spans[first].value = value;
        let mut index = 0;
        let bytes = &self.bytes;
        self.spans.retain(|span| {
            index += 1;
            index - 1 <= first || !bytes[span.name.clone()].eq_ignore_ascii_case(name.as_bytes())
        });
    }

    /// Takes all fields `name` out; says how many there were.
    pub fn remove(&mut self, name: &str) -> usize {
        self.retain(|each, _| !each.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// Takes out what `keep` says no to; says how many that were.
    pub fn retain(&mut self, mut keep: impl FnMut(&[u8], &[u8]) -> bool) -> usize {
        let (before, bytes) = (self.spans.len(), &self.bytes);
        self.spans.retain(|span| keep(&bytes[span.name.clone()], &bytes[span.value.clone()]));
        before - self.spans.len()
    }

    /// Writes `Name: value` and CRLF for each; not the empty line behind them.
    pub fn write(&self, out: &mut Vec<u8>) {
        for (name, value) in self.iter() {
            out.extend_from_slice(name);
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        }
    }

    #[inline]
    fn is_named(&self, span: &Span, name: &str) -> bool {
        span.name.len() == name.len() && self.bytes[span.name.clone()].eq_ignore_ascii_case(name.as_bytes())
    }

    fn write_name(&mut self, name: &str) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend(name.bytes().map(|byte| if is_token_byte(byte) { byte } else { b'-' }));
        start..self.bytes.len()
    }

    fn write_value(&mut self, value: &[u8]) -> Range<usize> {
        let value = value.trim_ascii();
        let start = self.bytes.len();
        self.bytes.extend_from_slice(value);
        if memchr::memchr3(b'\r', b'\n', 0, value).is_some() {
            for byte in &mut self.bytes[start..] {
                if matches!(byte, b'\r' | b'\n' | 0) {
                    *byte = b' ';
                }
            }
        }
        start..self.bytes.len()
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes| String::from_utf8_lossy(bytes);
        f.debug_list().entries(self.iter().map(|(name, value)| (text(name), text(value)))).finish()
    }
}

impl PartialEq for Fields {
    /// The same fields in the same order; names in any case.
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .iter()
                .zip(other.iter())
                .all(|(one, two)| one.0.eq_ignore_ascii_case(two.0) && one.1 == two.1)
    }
}

impl Eq for Fields {}

/// Whether `name` can be the name of a field: a token (RFC 9110 5.6.2).
#[must_use]
pub fn is_field_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| is_token_byte(*byte))
}

/// Whether `value` can be the value of a field as it is: without control characters but the tab, and without white
/// space around it.
#[must_use]
pub fn is_field_value(value: &[u8]) -> bool {
    value.trim_ascii().len() == value.len()
        && value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..=0xff))
}

pub(super) fn is_token_byte(byte: u8) -> bool {
    matches!(byte,
        b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'^'..=b'z' | b'|' | b'~')
}
