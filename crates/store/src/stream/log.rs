//! The entries of a stream and what it remembers of those that are gone.
//!
//! A log knows the last id it gave, the highest id deleted, and how many entries it ever took. From these can be told
//! how many entries a group has yet to read, without counting, as long as nothing was deleted ahead of it.

use std::cmp::Ordering;

use super::entries::{Entries, Trim};
use super::entry::Fields;
use super::group::Group;
use super::id::StreamId;

/// Entries, and what is known of former ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    entries: Entries,
    /// The highest id ever given.
    pub(crate) last_id: StreamId,
    /// The highest id deleted by name; trims do not count.
    pub(crate) max_deleted_id: StreamId,
    /// How many entries were ever added.
    pub(crate) entries_added: u64,
}

impl Log {
    /// The entries.
    pub(crate) fn entries(&self) -> &Entries {
        &self.entries
    }

    /// The id of an entry added now: the wall clock's, or the next one when the clock is behind; none when there is none
    /// left.
    pub(crate) fn next_id(&self, wall_ms: u64) -> Option<StreamId> {
        if wall_ms > self.last_id.ms {
            return Some(StreamId { ms: wall_ms, number: 0 });
        }
        self.last_id.next()
    }

    /// Adds an entry; false when its id is not above the last one.
    pub(crate) fn append(&mut self, id: StreamId, fields: Fields) -> bool {
        if id <= self.last_id {
            return false;
        }
        self.entries.push(id, fields);
        self.last_id = id;
        self.entries_added = self.entries_added.saturating_add(1);
        true
    }

    /// Deletes an entry; whether there was one.
    pub(crate) fn delete(&mut self, id: StreamId) -> bool {
        let was_there = self.entries.remove(id);
        if was_there {
            self.max_deleted_id = self.max_deleted_id.max(id);
        }
        was_there
    }

    /// Removes entries from the start; how many.
    pub(crate) fn trim(&mut self, trim: Trim) -> usize {
        self.entries.trim(trim)
    }

    /// How many of the entries ever added are up to `id`, if that can be told without counting.
    pub(crate) fn entries_up_to(&self, id: StreamId) -> Option<u64> {
        if self.entries_added == 0 {
            return Some(0);
        }
        if id > self.last_id {
            return None;
        }
        let first = match self.entries.first() {
            Some(first) if id < self.last_id => first.id,
            _ => return Some(self.entries_added),
        };
        if self.max_deleted_id >= first {
            return None;
        }
        let len = u64::try_from(self.entries.len()).unwrap_or(u64::MAX);
        let before_first = self.entries_added.saturating_sub(len);
        match id.cmp(&first) {
            Ordering::Less => Some(before_first),
            Ordering::Equal => Some(before_first.saturating_add(1)),
            Ordering::Greater => None,
        }
    }

    /// How many entries `group` has not read yet, if that can be told without counting.
    pub(crate) fn lag(&self, group: &Group) -> Option<u64> {
        let read = match group.entries_read {
            _ if self.entries_added == 0 => return Some(0),
            Some(read) if !self.may_have_gap_from(group.last_delivered) => read,
            _ => self.entries_up_to(group.last_delivered)?,
        };
        Some(self.entries_added.saturating_sub(read))
    }

    /// How many entries a group has read that had read `read` of them and now is given `id`.
    pub(crate) fn read_with(&self, read: Option<u64>, id: StreamId) -> Option<u64> {
        match read {
            Some(read) if !self.may_have_gap_from(id) => Some(read.saturating_add(1)),
            _ => self.entries_up_to(id),
        }
    }

    /// Whether an entry may have been deleted from `id` on.
    fn may_have_gap_from(&self, id: StreamId) -> bool {
        !self.entries.is_empty() && self.max_deleted_id != StreamId::MIN && id <= self.max_deleted_id
    }
}
