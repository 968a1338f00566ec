//! Changes: what happened to which key, numbered, and remembered for a while.
//!
//! Every change of a key takes the next *revision* of the store. The last changes stay in a ring, so that a watcher who
//! was away says the last revision it saw and gets all it missed, in order, once; or is told of the gap, and reads
//! anew. The ring holds names in one stretch of bytes that is written round and round: remembering a change allocates
//! nothing, and the ring has a bound in changes and one in bytes.

use std::collections::VecDeque;
use std::num::NonZeroU64;

/// What a change is about: the classes of Redis' `notify-keyspace-events`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Commands of any type, like `DEL` and `EXPIRE`: `g`.
    Generic,
    /// Strings: `$`.
    Text,
    /// Lists: `l`.
    List,
    /// Sets: `s`.
    Set,
    /// Hashes: `h`.
    Hash,
    /// Sorted sets: `z`.
    SortedSet,
    /// Streams: `t`.
    Stream,
    /// A key's time was over: `x`.
    Expired,
    /// A key gave way to others: `e`.
    Evicted,
    /// Changes that Redis has no event for, like the acknowledgement of a stream's entry. Watchers see them.
    Unnamed,
}

impl Class {
    /// The class with this letter.
    #[must_use]
    pub fn of_letter(letter: u8) -> Option<Self> {
        let all = [
            Self::Generic,
            Self::Text,
            Self::List,
            Self::Set,
            Self::Hash,
            Self::SortedSet,
            Self::Stream,
            Self::Expired,
            Self::Evicted,
            Self::Unnamed,
        ];
        all.into_iter().find(|class| class.letter() == char::from(letter))
    }

    /// Its letter in `notify-keyspace-events`; a space for those without.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Generic => 'g',
            Self::Text => '$',
            Self::List => 'l',
            Self::Set => 's',
            Self::Hash => 'h',
            Self::SortedSet => 'z',
            Self::Stream => 't',
            Self::Expired => 'x',
            Self::Evicted => 'e',
            Self::Unnamed => ' ',
        }
    }
}

/// One change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change<'a> {
    /// The database.
    pub database: u32,
    /// The key; none when it is about every key of the database at once (`flushdb`, `swapdb`).
    pub key: Option<&'a [u8]>,
    /// What happened, by Redis' name of the event: `set`, `del`, `expired`.
    pub event: &'static str,
    /// The event's class.
    pub class: Class,
    /// Its number: each change's is one more than that of the change before.
    pub revision: u64,
    /// The revision the key had before; none when it did not exist, or when it is about every key.
    pub previous: Option<u64>,
    /// Whether the key is gone now.
    pub deleted: bool,
    /// The server it was made on; none for this one.
    pub origin: Option<NonZeroU64>,
}

/// Changes were asked for that are no longer remembered, or never were: read anew, then watch from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "changes since revision {asked} are not remembered: the oldest that is is {oldest}; read the keys anew"
)]
pub struct Gap {
    /// The revision asked for.
    pub asked: u64,
    /// Revision of the oldest change remembered, or of the next one when there is none.
    pub oldest: u64,
}

/// The last changes.
#[derive(Debug)]
pub(crate) struct Changes {
    slots: VecDeque<Slot>,
    slots_max: usize,
    names: Vec<u8>,
    names_max: usize,
    /// Where the next name would begin, counted from the ring's first byte ever.
    end: u64,
    /// Revision of the next change.
    next: u64,
    /// All that came after this revision is remembered.
    complete_after: u64,
    /// The revision up to which they were taken.
    taken: u64,
}

/// A change, its name elsewhere.
#[derive(Debug, Clone, Copy)]
struct Slot {
    revision: u64,
    event: &'static str,
    /// Where its name begins, counted from the ring's first byte ever.
    start: u64,
    /// Zero for none: a revision is never zero.
    previous: u64,
    len: u32,
    database: u32,
    class: Class,
    deleted: bool,
    whole: bool,
    origin: Option<NonZeroU64>,
}

impl Changes {
    pub(crate) fn new(slots_max: usize, names_max: usize) -> Self {
        Self {
            slots: VecDeque::new(),
            slots_max: slots_max.max(1),
            names: Vec::new(),
            names_max: names_max.max(1),
            end: 0,
            next: 1,
            complete_after: 0,
            taken: 0,
        }
    }

    /// Revision of the last change there was.
    pub(crate) fn revision(&self) -> u64 {
        self.next - 1
    }

    /// Forgets all, and goes on after `revision`.
    pub(crate) fn restart(&mut self, revision: u64) {
        self.slots.clear();
        self.next = revision + 1;
        self.complete_after = revision;
        self.taken = revision;
    }

    /// After which revision everything is remembered, and what that is.
    pub(crate) fn remembered(&self) -> (u64, impl Iterator<Item = Change<'_>>) {
        (self.complete_after, (0..self.slots.len()).map(|index| self.change(index)))
    }

    /// Remembers what another store, whose place this one has taken, remembered: everything after `complete_after`. What
    /// is given out from now on is later than all of it.
    pub(crate) fn go_on_with<'a>(&mut self, complete_after: u64, changes: impl Iterator<Item = Change<'a>>) {
        let next = self.next;
        self.slots.clear();
        self.complete_after = complete_after.min(next - 1);
        for change in changes {
            if change.revision > self.complete_after && change.revision < next {
                self.next = change.revision;
                self.push(&change);
            }
        }
        self.next = next;
        self.taken = next - 1;
    }

    /// Remembers `change`, whose revision is given here.
    pub(crate) fn push(&mut self, change: &Change<'_>) -> u64 {
        let revision = self.next;
        self.next += 1;
        let name = change.key.unwrap_or_default();
        let Some(start) = self.room_for(name.len()) else {
            // A name larger than the ring: whoever was away has a gap here.
            self.slots.clear();
            self.complete_after = revision;
            return revision;
        };
        while self.slots.len() >= self.slots_max {
            self.forget_first();
        }
        let at = self.place(start);
        self.names[at..at + name.len()].copy_from_slice(name);
        self.end = start + name.len() as u64;
        self.slots.push_back(Slot {
            revision,
            event: change.event,
            start,
            previous: change.previous.unwrap_or(0),
            len: u32::try_from(name.len()).unwrap_or(u32::MAX),
            database: change.database,
            class: change.class,
            deleted: change.deleted,
            whole: change.key.is_none(),
            origin: change.origin,
        });
        revision
    }

    /// The changes after `revision`.
    pub(crate) fn since(&self, revision: u64) -> Result<impl Iterator<Item = Change<'_>>, Gap> {
        if revision < self.complete_after || revision >= self.next {
            return Err(Gap { asked: revision, oldest: self.complete_after + 1 });
        }
        let skipped = self.first_after(revision);
        Ok((skipped..self.slots.len()).map(move |index| self.change(index)))
    }

    /// Gives `sink` the changes it was not given before. Returns how many of them were already forgotten.
    pub(crate) fn take(&mut self, sink: &mut dyn FnMut(&Change<'_>)) -> u64 {
        let lost = self.complete_after.saturating_sub(self.taken);
        for index in self.first_after(self.taken)..self.slots.len() {
            sink(&self.change(index));
        }
        self.taken = self.revision();
        lost
    }

    fn first_after(&self, revision: u64) -> usize {
        self.slots.partition_point(|slot| slot.revision <= revision)
    }

    fn forget_first(&mut self) {
        if let Some(slot) = self.slots.pop_front() {
            self.complete_after = slot.revision;
        }
    }

    fn change(&self, index: usize) -> Change<'_> {
        let slot = &self.slots[index];
        let at = self.place(slot.start);
        Change {
            database: slot.database,
            key: (!slot.whole).then(|| &self.names[at..at + slot.len as usize]),
            event: slot.event,
            class: slot.class,
            revision: slot.revision,
            previous: (slot.previous > 0).then_some(slot.previous),
            deleted: slot.deleted,
            origin: slot.origin,
        }
    }

    fn place(&self, position: u64) -> usize {
        usize::try_from(position % self.names_max as u64).unwrap_or(0)
    }

    /// Where a name of `len` bytes begins, in one piece; those it overwrites are forgotten. None if it never fits.
    fn room_for(&mut self, len: usize) -> Option<u64> {
        if len > self.names_max {
            return None;
        }
        let at = self.place(self.end);
        let start =
            if at + len > self.names_max { self.end + (self.names_max - at) as u64 } else { self.end };
        let end = start + len as u64;
        while self.slots.front().is_some_and(|slot| slot.start + (self.names_max as u64) < end) {
            self.forget_first();
        }
        let needed = self.place(start) + len;
        if self.names.len() < needed {
            self.names.resize(needed.next_power_of_two().min(self.names_max).max(needed), 0);
        }
        Some(start)
    }
}

#[cfg(test)]
mod tests;
