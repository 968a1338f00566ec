//! A hash: fields and their values.
//!
//! Fields stand in the order they came, as in Redis' small hashes. A cursor walks from the last to the first: what is
//! removed leaves its place to a later field or to those behind it, never to one the walk has yet to see.

use indexmap::IndexMap;

use crate::value::{ALLOCATION_BYTES, DUMP_ITEMS, Hashing};

/// What a field takes beyond its bytes: its place in the table, and two allocations.
const FIELD_BYTES: usize = 2 * size_of::<Box<[u8]>>() + 2 * size_of::<usize>() + 2 * ALLOCATION_BYTES;
/// Up to this size a removal keeps the order of the fields; beyond, that would cost too much.
pub(crate) const ORDERED_MAX: usize = 128;
/// A table with fewer places than this is never shrunk.
const SHRINK_FROM: usize = 64;

/// A hash.
#[derive(Debug, Clone)]
pub(crate) struct Hash {
    fields: IndexMap<Box<[u8]>, Box<[u8]>, Hashing>,
    bytes: usize,
}

impl Hash {
    pub(crate) fn new(hashing: Hashing) -> Self {
        Self { fields: IndexMap::with_hasher(hashing), bytes: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    pub(crate) fn get(&self, field: &[u8]) -> Option<&[u8]> {
        self.fields.get(field).map(AsRef::as_ref)
    }

    pub(crate) fn at(&self, index: usize) -> Option<(&[u8], &[u8])> {
        self.fields.get_index(index).map(|(field, value)| (field.as_ref(), value.as_ref()))
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &[u8])> {
        self.fields.iter().map(|(field, value)| (field.as_ref(), value.as_ref()))
    }

    /// Sets a field. Returns whether it is new.
    pub(crate) fn set(&mut self, field: &[u8], value: &[u8]) -> bool {
        if let Some(old) = self.fields.get_mut(field) {
            self.bytes = self.bytes + value.len() - old.len();
            if old.len() == value.len() {
                old.copy_from_slice(value);
            } else {
                *old = value.into();
            }
            return false;
        }
        self.bytes += field.len() + value.len() + FIELD_BYTES;
        self.fields.insert(field.into(), value.into());
        true
    }

    /// Removes a field. Returns whether there was one.
    pub(crate) fn remove(&mut self, field: &[u8]) -> bool {
        let removed = if self.len() <= ORDERED_MAX {
            self.fields.shift_remove(field)
        } else {
            self.fields.swap_remove(field)
        };
        let Some(value) = removed else { return false };
        self.bytes -= field.len() + value.len() + FIELD_BYTES;
        if self.fields.capacity() > SHRINK_FROM && self.fields.len() < self.fields.capacity() / 4 {
            self.fields.shrink_to(self.fields.len() * 2);
        }
        true
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn dump(&self, key: &[u8], sink: &mut dyn FnMut(&[&[u8]])) {
        let mut args: Vec<&[u8]> = Vec::with_capacity(2 * DUMP_ITEMS + 2);
        let mut fields = self.iter();
        while fields.len() > 0 {
            args.clear();
            args.extend([b"HSET", key]);
            args.extend(fields.by_ref().take(DUMP_ITEMS).flat_map(|(field, value)| [field, value]));
            sink(&args);
        }
    }
}
