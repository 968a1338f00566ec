//! The pieces that messages are made of, read.

use bytes::{Buf as _, Bytes};
use remuda_herd::{Epoch, NodeId};

use super::decode::DecodeError;

/// What is left of a frame.
pub(super) struct Reader(Bytes);

impl Reader {
    pub(super) fn new(payload: Bytes) -> Self {
        Self(payload)
    }

    pub(super) fn number(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(DecodeError::Number);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                // One number has one form.
                return if byte == 0 && shift > 0 { Err(DecodeError::Number) } else { Ok(value) };
            }
        }
        Err(DecodeError::Number)
    }

    pub(super) fn narrow<T: TryFrom<u64>>(&mut self) -> Result<T, DecodeError> {
        T::try_from(self.number()?).ok().ok_or(DecodeError::Number)
    }

    /// The count of a list of at most `max`.
    pub(super) fn count(&mut self, what: &'static str, max: usize) -> Result<usize, DecodeError> {
        let count = self.number()?;
        match usize::try_from(count) {
            Ok(count) if count <= max => Ok(count),
            _ => Err(DecodeError::TooMany { what, count, max }),
        }
    }

    pub(super) fn node(&mut self) -> Result<NodeId, DecodeError> {
        self.fixed().map(NodeId)
    }

    /// Eight bytes, big end first.
    pub(super) fn fixed(&mut self) -> Result<u64, DecodeError> {
        self.0.try_get_u64().ok().ok_or(DecodeError::Short)
    }

    /// Four bytes, big end first.
    pub(super) fn half(&mut self) -> Result<u32, DecodeError> {
        self.0.try_get_u32().ok().ok_or(DecodeError::Short)
    }

    /// A list of at most `max`. Memory is taken as its items are found, not as their count claims.
    pub(super) fn list<T>(
        &mut self,
        what: &'static str,
        max: usize,
        mut item: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let count = self.count(what, max)?;
        (0..count).map(|_| item(self)).collect()
    }

    /// Bytes that are left.
    pub(super) fn left(&self) -> usize {
        self.0.len()
    }

    pub(super) fn epoch(&mut self) -> Result<Epoch, DecodeError> {
        self.number().map(Epoch)
    }

    pub(super) fn flag(&mut self) -> Result<bool, DecodeError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(DecodeError::Choice { what: "a yes or no", byte: other }),
        }
    }

    pub(super) fn byte(&mut self) -> Result<u8, DecodeError> {
        self.0.try_get_u8().ok().ok_or(DecodeError::Short)
    }

    /// Bytes that share the frame's memory.
    pub(super) fn bytes(&mut self, what: &'static str, max: usize) -> Result<Bytes, DecodeError> {
        let length = self.count(what, max)?;
        if length > self.0.len() {
            return Err(DecodeError::Short);
        }
        Ok(self.0.split_to(length))
    }

    pub(super) fn text(&mut self, what: &'static str, max: usize) -> Result<String, DecodeError> {
        let bytes = self.bytes(what, max)?;
        String::from_utf8(bytes.into()).ok().ok_or(DecodeError::Text { what })
    }

    pub(super) fn texts(
        &mut self,
        what: &'static str,
        count_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<String>, DecodeError> {
        self.list(what, count_max, |reader| reader.text(what, bytes_max))
    }

    pub(super) fn rest(&mut self) -> Bytes {
        self.0.split_to(self.0.len())
    }

    pub(super) fn end(self) -> Result<(), DecodeError> {
        if self.0.is_empty() { Ok(()) } else { Err(DecodeError::Long { left: self.0.len() }) }
    }
}
