//! A set of members. Its order and its cursors are those of a hash.

use indexmap::IndexSet;

use crate::random::Random;
use crate::value::hash::ORDERED_MAX;
use crate::value::{ALLOCATION_BYTES, DUMP_ITEMS, Hashing};

/// What a member takes beyond its bytes: its place in the table, and its allocation.
const MEMBER_BYTES: usize = size_of::<Box<[u8]>>() + 2 * size_of::<usize>() + ALLOCATION_BYTES;
/// A table with fewer places than this is never shrunk.
const SHRINK_FROM: usize = 64;

/// A set.
#[derive(Debug, Clone)]
pub(crate) struct Set {
    members: IndexSet<Box<[u8]>, Hashing>,
    bytes: usize,
}

impl Set {
    pub(crate) fn new(hashing: Hashing) -> Self {
        Self { members: IndexSet::with_hasher(hashing), bytes: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(crate) fn contains(&self, member: &[u8]) -> bool {
        self.members.contains(member)
    }

    pub(crate) fn at(&self, index: usize) -> Option<&[u8]> {
        self.members.get_index(index).map(AsRef::as_ref)
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.members.iter().map(AsRef::as_ref)
    }

    /// Adds a member. Returns whether it is new.
    pub(crate) fn insert(&mut self, member: &[u8]) -> bool {
        if self.members.contains(member) {
            return false;
        }
        self.bytes += member.len() + MEMBER_BYTES;
        self.members.insert(member.into())
    }

    /// Removes a member. Returns whether there was one.
    pub(crate) fn remove(&mut self, member: &[u8]) -> bool {
        let removed = if self.len() <= ORDERED_MAX {
            self.members.shift_remove(member)
        } else {
            self.members.swap_remove(member)
        };
        if removed {
            self.forget(member.len());
        }
        removed
    }

    /// Takes a member out, any of them as likely.
    pub(crate) fn take_random(&mut self, random: &mut Random) -> Option<Box<[u8]>> {
        let member = self.members.swap_remove_index(random.below(self.len()))?;
        self.forget(member.len());
        Some(member)
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn dump(&self, key: &[u8], sink: &mut dyn FnMut(&[&[u8]])) {
        let mut args: Vec<&[u8]> = Vec::with_capacity(DUMP_ITEMS + 2);
        let mut members = self.iter();
        while members.len() > 0 {
            args.clear();
            args.extend([b"SADD", key]);
            args.extend(members.by_ref().take(DUMP_ITEMS));
            sink(&args);
        }
    }

    fn forget(&mut self, len: usize) {
        self.bytes -= len + MEMBER_BYTES;
        if self.members.capacity() > SHRINK_FROM && self.members.len() < self.members.capacity() / 4 {
            self.members.shrink_to(self.members.len() * 2);
        }
    }
}
