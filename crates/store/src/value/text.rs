//! A string: bytes, or the integer they spell.
//!
//! Counters are the most written strings; as integers they take no allocation. The bytes of an overwritten value are
//! written over where they lie.

use crate::number;
use crate::value::ALLOCATION_BYTES;

/// Room left over after which an overwritten value's allocation is given back.
const SLACK_BYTES: usize = 1024;

/// A string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Text {
    Integer(i64),
    Bytes(Vec<u8>),
}

/// Where an integer's digits are written while somebody reads them.
pub type Digits = itoa::Buffer;

impl Text {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        number::integer(bytes).map_or_else(|| Self::Bytes(bytes.to_vec()), Self::Integer)
    }

    /// Its bytes; an integer's are written to `digits`.
    pub(crate) fn bytes<'a>(&'a self, digits: &'a mut Digits) -> &'a [u8] {
        match self {
            Self::Integer(value) => digits.format(*value).as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// Puts `bytes` in its place.
    pub(crate) fn set(&mut self, bytes: &[u8]) {
        match (number::integer(bytes), &mut *self) {
            (Some(value), _) => *self = Self::Integer(value),
            (None, Self::Bytes(old)) if old.capacity() <= bytes.len() + SLACK_BYTES => {
                old.clear();
                old.extend_from_slice(bytes);
            }
            (None, _) => *self = Self::Bytes(bytes.to_vec()),
        }
    }

    /// Its bytes, to be changed in place.
    pub(crate) fn bytes_mut(&mut self) -> &mut Vec<u8> {
        if let Self::Integer(value) = *self {
            *self = Self::Bytes(Digits::new().format(value).as_bytes().to_vec());
        }
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Integer(_) => unreachable!("an integer was turned into bytes above"),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes(&mut Digits::new()).len()
    }

    /// The integer it spells.
    pub(crate) fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            Self::Bytes(bytes) => number::integer(bytes),
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        match self {
            Self::Integer(_) => 0,
            Self::Bytes(bytes) => bytes.capacity() + ALLOCATION_BYTES,
        }
    }

    pub(crate) fn dump(&self, key: &[u8], sink: &mut dyn FnMut(&[&[u8]])) {
        sink(&[b"SET", key, self.bytes(&mut Digits::new())]);
    }
}
