//! The few ways in which keys change; everything a command does to a key ends in one of these.
//!
//! Each keeps the books: memory, deadlines, the revision, the change that watchers see, who waits for the key.

use crate::change::{Change, Class};
use crate::moment::{Deadline, Moment};
use crate::name::Name;
use crate::space::{ENTRY_BYTES, Entry, Space};
use crate::store::Store;
use crate::timers::TIMER_BYTES;
use crate::value::Value;

impl Store {
    /// The number of the database that is a space.
    pub(crate) fn database_of(&self, space: usize) -> u32 {
        let at = self.order.iter().position(|&each| each == space).unwrap_or(0);
        u32::try_from(at).unwrap_or(0)
    }

    /// Puts a new key. It must not exist.
    pub(crate) fn add(&mut self, space: usize, key: &[u8], value: Value, moment: Moment) -> usize {
        let bytes = (ENTRY_BYTES + Name::apart_bytes(key) + value.memory_bytes()) as u64;
        self.used_bytes += bytes;
        let entry = Entry { value, revision: 0, expiry: None, bytes, touched: touched(moment) };
        self.spaces[space].entries.insert_full(key.into(), entry).0
    }

    /// Counts a key's memory anew, after its value changed.
    pub(crate) fn recount(&mut self, space: usize, index: usize) {
        let (key, entry) =
            self.spaces[space].entries.get_index_mut(index).expect("the index was found by this command");
        let timer = if entry.expiry.is_some() { TIMER_BYTES + key.len() } else { 0 };
        let bytes = (ENTRY_BYTES + Name::apart_bytes(key) + entry.value.memory_bytes() + timer) as u64;
        self.used_bytes = self.used_bytes - entry.bytes + bytes;
        entry.bytes = bytes;
    }

    /// Gives the key its next revision, and tells of the change.
    pub(crate) fn note(
        &mut self,
        space: usize,
        index: usize,
        database: u32,
        class: Class,
        event: &'static str,
    ) {
        let (key, entry) =
            self.spaces[space].entries.get_index_mut(index).expect("the index was found by this command");
        let previous = (entry.revision > 0).then_some(entry.revision);
        let origin = self.origin;
        let change =
            Change { database, key: Some(key), event, class, revision: 0, previous, deleted: false, origin };
        entry.revision = self.changes.push(&change);
        if !self.watched.is_empty() {
            self.watched.mark(database, key, entry.revision);
        }
        if !self.blocked.is_empty() {
            self.blocked.mark(database, key);
        }
    }

    /// Removes a key, and tells of it.
    pub(crate) fn remove(
        &mut self,
        space: usize,
        index: usize,
        database: u32,
        class: Class,
        event: &'static str,
    ) -> (Name, Entry) {
        let (key, entry) = self.detach(space, index);
        let previous = (entry.revision > 0).then_some(entry.revision);
        let origin = self.origin;
        let change =
            Change { database, key: Some(&key), event, class, revision: 0, previous, deleted: true, origin };
        let revision = self.changes.push(&change);
        if !self.watched.is_empty() {
            self.watched.mark(database, &key, revision);
        }
        if !self.blocked.is_empty() {
            self.blocked.mark(database, &key);
        }
        (key, entry)
    }

    /// Gives a key a deadline, or takes it away.
    pub(crate) fn set_deadline(&mut self, space: usize, index: usize, deadline: Option<Deadline>) {
        let (key, entry) =
            self.spaces[space].entries.get_index_mut(index).expect("the index was found by this command");
        let before = entry.expiry.take();
        if before.is_none() && deadline.is_none() {
            return;
        }
        if let Some(expiry) = before {
            self.timers.remove(expiry);
        }
        entry.expiry = deadline.map(|deadline| self.timers.add(space, key, deadline));
        let now = usize::from(entry.expiry.is_some());
        self.spaces[space].expiring = self.spaces[space].expiring + now - usize::from(before.is_some());
        self.recount(space, index);
    }

    /// Tells of a change of every key of a database; the keys meant are those in `spaces`.
    pub(crate) fn note_all(&mut self, database: u32, spaces: &[usize], event: &'static str, deleted: bool) {
        let change = Change {
            database,
            key: None,
            event,
            class: Class::Unnamed,
            revision: 0,
            previous: None,
            deleted,
            origin: self.origin,
        };
        let revision = self.changes.push(&change);
        let is_in = |space: &usize, key: &[u8]| self.spaces[*space].entries.contains_key(key);
        self.watched.mark_all(database, revision, |key| spaces.iter().any(|space| is_in(space, key)));
        self.blocked.mark_all(database);
    }

    /// Removes every key of a database; one event tells of all.
    pub(crate) fn clear(&mut self, database: u32) {
        let space = self.order[database as usize];
        if self.spaces[space].entries.is_empty() {
            return;
        }
        self.note_all(database, &[space], "flushdb", true);
        let freed: u64 = self.spaces[space].entries.values().map(|entry| entry.bytes).sum();
        self.used_bytes -= freed;
        if self.spaces[space].expiring > 0 {
            self.timers.clear_space(space);
        }
        self.spaces[space] = Space::new(self.hashing.clone());
    }

    fn detach(&mut self, space: usize, index: usize) -> (Name, Entry) {
        let (key, entry) =
            self.spaces[space].remove_index(index).expect("the index was found by this command");
        self.used_bytes -= entry.bytes;
        if let Some(expiry) = entry.expiry {
            self.timers.remove(expiry);
            self.spaces[space].expiring -= 1;
        }
        (key, entry)
    }
}

/// The time of a use, as entries keep it.
pub(crate) fn touched(moment: Moment) -> u32 {
    u32::try_from((moment.tick.0 / 100) & u64::from(u32::MAX)).unwrap_or(0)
}
