//! The entries of a stream in the order of their ids, in blocks.
//!
//! Entries come at the end and mostly go at the start; a few are deleted from the middle. Blocks keep all three cheap:
//! a deletion moves at most one block's entries, and "about that many" trims drop whole blocks without looking inside.
//! A block takes as many entries and bytes as a node of a Redis stream, so that such trims keep about as much as there.

use std::collections::VecDeque;

use super::entry::{Entry, Fields};
use super::id::StreamId;
use crate::value::ALLOCATION_BYTES;

/// Entries ever written to a block: Redis' `stream-node-max-entries`.
pub(crate) const BLOCK_MAX_ENTRIES: usize = 100;
/// Bytes of fields after which a block takes no more: Redis' `stream-node-max-bytes`.
const BLOCK_MAX_BYTES: usize = 4096;
/// What an entry takes beside its fields.
const ENTRY_BYTES: usize = size_of::<Entry>() + ALLOCATION_BYTES;

/// Entries in the order of their ids.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entries {
    /// None of them empty.
    blocks: VecDeque<Block>,
    len: usize,
    bytes: usize,
}

/// What a trim leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// This many entries, the newest.
    Newest(u64),
    /// The entries from this id on.
    From(StreamId),
}

/// A trim: what it leaves, and how exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trim {
    /// What to leave.
    pub(crate) keep: Keep,
    /// Whole blocks only: more may be left.
    pub(crate) is_approximate: bool,
    /// At most this many entries are removed by an approximate trim; none for no limit.
    pub(crate) limit: Option<usize>,
}

/// Entries from one id to another, from both ends.
#[derive(Debug, Clone)]
pub(crate) struct Range<'a> {
    entries: &'a Entries,
    front: Place,
    back: Place,
}

#[derive(Debug, Clone, Default)]
struct Block {
    entries: VecDeque<Entry>,
    /// Entries it took, those since deleted included.
    written: usize,
    /// Bytes of fields it took, those since deleted included.
    written_bytes: usize,
}

/// Before the entry at `offset` of `block`; never at a block's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    block: usize,
    offset: usize,
}

impl Entries {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many blocks hold them.
    pub(crate) fn block_count(&self) -> usize {
        self.blocks.len()
    }

    /// Bytes on the heap, estimated.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.bytes
    }

    /// The first one.
    pub(crate) fn first(&self) -> Option<&Entry> {
        self.blocks.front()?.entries.front()
    }

    /// The last one.
    pub(crate) fn last(&self) -> Option<&Entry> {
        self.blocks.back()?.entries.back()
    }

    /// The one with this id.
    pub(crate) fn get(&self, id: StreamId) -> Option<&Entry> {
        let place = self.place(id, false);
        let entry = self.blocks.get(place.block)?.entries.get(place.offset)?;
        (entry.id == id).then_some(entry)
    }

    /// Those with ids from `first` to `last`, both included.
    pub(crate) fn range(&self, first: StreamId, last: StreamId) -> Range<'_> {
        let front = self.place(first, false);
        let back = self.place(last, true).max(front);
        Range { entries: self, front, back }
    }

    /// Adds an entry, whose id must be above all others.
    pub(crate) fn push(&mut self, id: StreamId, fields: Fields) {
        debug_assert!(self.last().is_none_or(|last| last.id < id), "ids only grow");
        let bytes = fields.len();
        let has_room = |block: &Block| {
            block.written < BLOCK_MAX_ENTRIES && block.written_bytes + bytes <= BLOCK_MAX_BYTES
        };
        if !self.blocks.back().is_some_and(has_room) {
            self.blocks.push_back(Block::default());
        }
        let block = self.blocks.back_mut().expect("a block with room was made sure of");
        block.entries.push_back(Entry { id, fields });
        block.written += 1;
        block.written_bytes += bytes;
        self.len += 1;
        self.bytes += ENTRY_BYTES + bytes;
    }

    /// Removes the entry with this id; whether there was one.
    pub(crate) fn remove(&mut self, id: StreamId) -> bool {
        let place = self.place(id, false);
        let Some(block) = self.blocks.get_mut(place.block) else {
            return false;
        };
        if block.entries.get(place.offset).is_none_or(|entry| entry.id != id) {
            return false;
        }
        let removed = block.entries.remove(place.offset);
        if block.entries.is_empty() {
            self.blocks.remove(place.block);
        }
        self.account_for(removed.iter());
        true
    }

    /// Removes entries from the start; how many.
    pub(crate) fn trim(&mut self, trim: Trim) -> usize {
        let mut removed = self.trim_blocks(trim);
        if !trim.is_approximate {
            while self.first().is_some_and(|first| self.has_to_go(trim.keep, first.id, 1)) {
                self.pop_first();
                removed += 1;
            }
        }
        removed
    }

    /// Removes blocks whose entries all go, from the start.
    fn trim_blocks(&mut self, trim: Trim) -> usize {
        let mut removed = 0;
        while let Some(block) = self.blocks.front() {
            let count = block.entries.len();
            let last = block.entries.back().map_or(StreamId::MAX, |entry| entry.id);
            let is_within = trim.limit.is_none_or(|limit| removed + count <= limit);
            if !is_within || !self.has_to_go(trim.keep, last, count) {
                break;
            }
            if let Some(block) = self.blocks.pop_front() {
                self.account_for(block.entries.iter());
            }
            removed += count;
        }
        removed
    }

    /// Whether the first `count` entries, the last of which is `last`, are more than what is to be kept.
    fn has_to_go(&self, keep: Keep, last: StreamId, count: usize) -> bool {
        match keep {
            Keep::Newest(kept) => u64::try_from(self.len - count).is_ok_and(|rest| rest >= kept),
            Keep::From(id) => last < id,
        }
    }

    fn pop_first(&mut self) {
        let Some(block) = self.blocks.front_mut() else { return };
        let removed = block.entries.pop_front();
        if block.entries.is_empty() {
            self.blocks.pop_front();
        }
        self.account_for(removed.iter());
    }

    fn account_for<'a>(&mut self, removed: impl Iterator<Item = &'a Entry>) {
        for entry in removed {
            self.len -= 1;
            self.bytes -= ENTRY_BYTES + entry.fields.len();
        }
    }

    /// Before the first entry from `id` on, or behind it when `is_behind`.
    fn place(&self, id: StreamId, is_behind: bool) -> Place {
        let is_before = |entry: &Entry| if is_behind { entry.id <= id } else { entry.id < id };
        let block = self.blocks.partition_point(|block| block.entries.back().is_some_and(is_before));
        let offset = self.blocks.get(block).map_or(0, |block| block.entries.partition_point(is_before));
        Place { block, offset }
    }
}

impl<'a> Iterator for Range<'a> {
    type Item = &'a Entry;

    fn next(&mut self) -> Option<&'a Entry> {
        if self.front >= self.back {
            return None;
        }
        let block = self.entries.blocks.get(self.front.block)?;
        let entry = block.entries.get(self.front.offset)?;
        self.front.offset += 1;
        if self.front.offset == block.entries.len() {
            self.front = Place { block: self.front.block + 1, offset: 0 };
        }
        Some(entry)
    }
}

impl DoubleEndedIterator for Range<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.front >= self.back {
            return None;
        }
        if self.back.offset == 0 {
            let block = self.back.block - 1;
            self.back = Place { block, offset: self.entries.blocks.get(block)?.entries.len() };
        }
        self.back.offset -= 1;
        self.entries.blocks.get(self.back.block)?.entries.get(self.back.offset)
    }
}
