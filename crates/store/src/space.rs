//! One database: its keys by name, in a table that can also be walked by index.

use indexmap::IndexMap;

use crate::name::Name;
use crate::timers::Expiry;
use crate::value::{ALLOCATION_BYTES, Hashing, Value};

/// What a key takes beyond its name and its value: its place in the table, and the allocation of a long name.
pub(crate) const ENTRY_BYTES: usize =
    size_of::<Entry>() + size_of::<Name>() + 2 * size_of::<usize>() + ALLOCATION_BYTES;
/// A table with fewer places than this is never shrunk.
const SHRINK_FROM: usize = 1024;

/// A key's value and what is known about it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) value: Value,
    /// Revision of its last change.
    pub(crate) revision: u64,
    pub(crate) expiry: Option<Expiry>,
    /// Bytes it was last counted with.
    pub(crate) bytes: u64,
    /// When it was last used, in tenths of a second of the clock that never jumps.
    pub(crate) touched: u32,
}

/// A database.
#[derive(Debug)]
pub(crate) struct Space {
    pub(crate) entries: IndexMap<Name, Entry, Hashing>,
    /// Keys that have a deadline.
    pub(crate) expiring: usize,
}

impl Space {
    pub(crate) fn new(hashing: Hashing) -> Self {
        Self { entries: IndexMap::with_hasher(hashing), expiring: 0 }
    }

    pub(crate) fn remove_index(&mut self, index: usize) -> Option<(Name, Entry)> {
        let removed = self.entries.swap_remove_index(index);
        let (len, capacity) = (self.entries.len(), self.entries.capacity());
        if capacity > SHRINK_FROM && len < capacity / 8 {
            self.entries.shrink_to(len * 2);
        }
        removed
    }
}
