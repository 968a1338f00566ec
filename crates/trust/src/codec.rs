//! Numbers and pieces of bytes, one after the other, as all messages of this crate are made of.
//!
//! Numbers are big end first. A piece has its length in front, as two bytes; a reader names the longest it takes, so that
//! nothing is reserved on the word of a stranger. What follows the last field that is known is left alone: a newer node
//! may say more.
//!
//! What servers say to each other once they are linked has a reader of its own in `remuda_wire::herd`: its numbers are of
//! any length, and its pieces share the frame's memory. The two have no field in common.

/// Bytes that are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// They end within a field.
    #[error("{0} is cut off")]
    Short(&'static str),
    /// A field is longer than it may be, or there are more of them.
    #[error("{field} is larger than {limit}")]
    Long {
        /// Which.
        field: &'static str,
        /// The most.
        limit: usize,
    },
    /// A field has a value that means nothing.
    #[error("{field}: {why}")]
    Value {
        /// Which.
        field: &'static str,
        /// Why not.
        why: String,
    },
}

impl Malformed {
    pub(crate) fn value(field: &'static str, why: impl ToString) -> Self {
        Self::Value { field, why: why.to_string() }
    }
}

/// Reads fields from the front of bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn take(&mut self, length: usize, field: &'static str) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed::Short(field))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Malformed::Short(field))?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(crate) fn byte(&mut self, field: &'static str) -> Result<u8, Malformed> {
        self.array(field).map(u8::from_be_bytes)
    }

    pub(crate) fn short(&mut self, field: &'static str) -> Result<u16, Malformed> {
        self.array(field).map(u16::from_be_bytes)
    }

    pub(crate) fn long(&mut self, field: &'static str) -> Result<u64, Malformed> {
        self.array(field).map(u64::from_be_bytes)
    }

    /// A piece of at most `limit` bytes.
    pub(crate) fn piece(&mut self, field: &'static str, limit: usize) -> Result<&'a [u8], Malformed> {
        let length = usize::from(self.short(field)?);
        if length > limit {
            return Err(Malformed::Long { field, limit });
        }
        self.take(length, field)
    }

    /// A piece that is text.
    pub(crate) fn text(&mut self, field: &'static str, limit: usize) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.piece(field, limit)?).map_err(|error| Malformed::value(field, error))
    }

    /// So many values, each read by `one`; `limit` at most.
    pub(crate) fn list<T>(
        &mut self,
        field: &'static str,
        limit: usize,
        mut one: impl FnMut(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        let count = usize::from(self.short(field)?);
        if count > limit {
            return Err(Malformed::Long { field, limit });
        }
        (0..count).map(|_| one(self)).collect()
    }
}

/// Appends a piece. One that is longer than a length can say is cut, and will not be read as what it was: callers stay
/// below their readers' limits, which are lower.
pub(crate) fn put_piece(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    out.extend(length.to_be_bytes());
    out.extend(bytes.iter().take(usize::from(length)));
}

/// Appends how many follow, and each.
pub(crate) fn put_list<T>(out: &mut Vec<u8>, values: &[T], mut one: impl FnMut(&mut Vec<u8>, &T)) {
    let count = u16::try_from(values.len()).unwrap_or(u16::MAX);
    out.extend(count.to_be_bytes());
    for value in values.iter().take(usize::from(count)) {
        one(out, value);
    }
}
