//! An entry of a stream: its id, and its fields and values in one allocation.
//!
//! Streams hold many small entries; a list of strings each would cost an allocation a string. The fields and values
//! are laid one after the other, each behind its length in as few bytes as it takes (seven bits a byte, lowest first).

use super::id::StreamId;

/// Bits of a length's byte; the eighth says that more follow.
const LENGTH_BITS: u32 = 7;

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its id.
    pub(crate) id: StreamId,
    /// Its fields and values.
    pub(crate) fields: Fields,
}

/// Fields and their values, in the order they were given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fields {
    packed: Box<[u8]>,
}

/// The fields and values one after the other: a field, its value, the next field.
#[derive(Debug, Clone)]
pub(crate) struct Items<'a> {
    packed: &'a [u8],
}

impl Fields {
    /// Lays `items` (a field, its value, the next field) one after the other.
    pub(crate) fn new(items: &[&[u8]]) -> Self {
        let bytes: usize = items.iter().map(|item| length_bytes(item.len()) + item.len()).sum();
        let mut packed = Vec::with_capacity(bytes);
        for item in items {
            put_length(&mut packed, item.len());
            packed.extend_from_slice(item);
        }
        Self { packed: packed.into_boxed_slice() }
    }

    /// The fields and values.
    pub(crate) fn items(&self) -> Items<'_> {
        Items { packed: &self.packed }
    }

    /// Bytes on the heap.
    pub(crate) fn len(&self) -> usize {
        self.packed.len()
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let mut len = 0;
        let mut shift = 0;
        loop {
            let (&byte, rest) = self.packed.split_first()?;
            self.packed = rest;
            len |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
            shift += LENGTH_BITS;
        }
        let (item, rest) = self.packed.split_at_checked(len)?;
        self.packed = rest;
        Some(item)
    }
}

/// How many bytes the length itself takes.
fn length_bytes(mut len: usize) -> usize {
    let mut bytes = 1;
    while len > 0x7f {
        len >>= LENGTH_BITS;
        bytes += 1;
    }
    bytes
}

fn put_length(packed: &mut Vec<u8>, mut len: usize) {
    loop {
        let low = u8::try_from(len & 0x7f).expect("seven bits fit in a byte");
        len >>= LENGTH_BITS;
        if len == 0 {
            packed.push(low);
            return;
        }
        packed.push(low | 0x80);
    }
}
