//! The keys of one database, as a running command sees them.
//!
//! Reading a key whose time is over removes it first. To write, a command borrows the value ([`Keys::write`],
//! [`Keys::ensure`]), changes it, and says so ([`Keys::changed`]), which counts memory, gives the revision, tells who
//! watches, wakes who waits, and removes a collection that became empty. A command that has said nothing has changed
//! nothing: after `ensure` it must not fail.

use remuda_model::Tick;

use crate::call::Mode;
use crate::change::Class;
use crate::failure::Failure;
use crate::moment::{Deadline, Moment};
use crate::space::{Entry, Space};
use crate::store::Store;
use crate::store::touched;
use crate::value::{Kept, Value};

/// The keys of a database, for one command.
pub(crate) struct Keys<'a> {
    pub(crate) store: &'a mut Store,
    pub(crate) moment: Moment,
    pub(crate) database: u32,
    space: usize,
    mode: Mode,
}

impl<'a> Keys<'a> {
    pub(crate) fn new(store: &'a mut Store, moment: Moment, database: u32, mode: Mode) -> Self {
        let space = store.order[database as usize];
        Self { store, moment, database, space, mode }
    }

    /// Whether the command may wait: not within a transaction or a script.
    pub(crate) fn may_block(&self) -> bool {
        self.mode == Mode::Normal
    }

    /// Whether the command comes from the log.
    pub(crate) fn is_replaying(&self) -> bool {
        self.store.is_replaying
    }

    /// Looks at another database from now on. Returns the one looked at so far.
    pub(crate) fn switch(&mut self, database: u32) -> Result<u32, Failure> {
        let space = self.store.order.get(database as usize);
        self.space = *space.ok_or(Failure::text("ERR DB index is out of range"))?;
        Ok(std::mem::replace(&mut self.database, database))
    }

    /// The longest string allowed.
    pub(crate) fn value_max_bytes(&self) -> usize {
        self.store.options.value_max_bytes
    }

    /// A deadline `ms` milliseconds from now on the clock that never jumps.
    pub(crate) fn after_ms(&self, ms: u64) -> Tick {
        Tick(self.moment.tick.0.saturating_add(ms))
    }

    pub(crate) fn space(&self) -> &Space {
        &self.store.spaces[self.space]
    }

    /// Where a key is that is there and whose time is not over. Counts as a use of it.
    pub(crate) fn index(&mut self, key: &[u8]) -> Option<usize> {
        let (index, _, entry) = self.store.spaces[self.space].entries.get_full_mut(key)?;
        if let Some(expiry) = entry.expiry
            && expiry.deadline.is_over(self.moment)
            && !self.store.is_replaying
        {
            self.store.lapse(self.space, index, Class::Expired, "expired");
            return None;
        }
        entry.touched = touched(self.moment);
        Some(index)
    }

    /// The entry of a key, without using it or removing it when its time is over: then there is none.
    pub(crate) fn entry(&self, key: &[u8]) -> Option<&Entry> {
        let entry = self.space().entries.get(key)?;
        let is_over = entry.expiry.is_some_and(|expiry| expiry.deadline.is_over(self.moment));
        (!is_over || self.store.is_replaying).then_some(entry)
    }

    pub(crate) fn exists(&mut self, key: &[u8]) -> bool {
        self.index(key).is_some()
    }

    /// The value of a key, whatever its type.
    pub(crate) fn value(&mut self, key: &[u8]) -> Option<&Value> {
        let index = self.index(key)?;
        Some(&self.space().entries[index].value)
    }

    /// The value of a key for reading. Refused when it is of another type.
    pub(crate) fn read<T: Kept>(&mut self, key: &[u8]) -> Result<Option<&T>, Failure> {
        match self.value(key) {
            Some(value) => T::of(value).map(Some).ok_or(Failure::WrongType),
            None => Ok(None),
        }
    }

    /// As [`read`](Self::read), for commands that need several values at once. Does not count as a use, and removes
    /// nothing whose time is over: where the result is written and the log has the command as it was sent,
    /// [`exists`](Self::exists) has to come first for each key, or a replay, for which no time is over, would read it.
    pub(crate) fn look<T: Kept>(&self, key: &[u8]) -> Result<Option<&T>, Failure> {
        match self.entry(key) {
            Some(entry) => T::of(&entry.value).map(Some).ok_or(Failure::WrongType),
            None => Ok(None),
        }
    }

    /// The value of a key for changing; [`changed`](Self::changed) has to follow a change.
    pub(crate) fn write<T: Kept>(&mut self, key: &[u8]) -> Result<Option<&mut T>, Failure> {
        match self.index(key) {
            Some(index) => {
                let value = &mut self.store.spaces[self.space].entries[index].value;
                T::of_mut(value).map(Some).ok_or(Failure::WrongType)
            }
            None => Ok(None),
        }
    }

    /// The value of a key for changing, a new one if there is none. [`changed`](Self::changed) has to follow.
    pub(crate) fn ensure<T: Kept>(&mut self, key: &[u8]) -> Result<&mut T, Failure> {
        let index = match self.index(key) {
            Some(index) => index,
            None => {
                let fresh = T::fresh(self.store.hashing.clone());
                self.store.add(self.space, key, fresh, self.moment)
            }
        };
        T::of_mut(&mut self.store.spaces[self.space].entries[index].value).ok_or(Failure::WrongType)
    }

    /// Says that the value of a key was changed.
    pub(crate) fn changed(&mut self, key: &[u8], class: Class, event: &'static str) {
        if let Some(index) = self.space().entries.get_index_of(key) {
            self.changed_at(index, class, event);
        }
    }

    pub(crate) fn changed_at(&mut self, index: usize, class: Class, event: &'static str) {
        self.store.is_changed = true;
        self.store.recount(self.space, index);
        self.store.note(self.space, index, self.database, class, event);
        if self.space().entries[index].value.is_gone() {
            self.store.remove(self.space, index, self.database, Class::Generic, "del");
        }
    }

    /// Tells of one more event of a key that was changed.
    pub(crate) fn also(&mut self, key: &[u8], class: Class, event: &'static str) {
        if let Some(index) = self.space().entries.get_index_of(key) {
            self.store.note(self.space, index, self.database, class, event);
        }
    }

    /// Puts `value` in the place of whatever the key holds, without a deadline.
    pub(crate) fn put(&mut self, key: &[u8], value: Value, class: Class, event: &'static str) -> usize {
        let index = match self.index(key) {
            Some(index) => {
                self.store.set_deadline(self.space, index, None);
                self.store.spaces[self.space].entries[index].value = value;
                index
            }
            None => self.store.add(self.space, key, value, self.moment),
        };
        self.changed_at(index, class, event);
        index
    }

    /// The value at an index that [`index`](Self::index) gave, for changing.
    pub(crate) fn value_at(&mut self, index: usize) -> &mut Value {
        &mut self.store.spaces[self.space].entries[index].value
    }

    /// Adds a key that is not there; [`changed_at`](Self::changed_at) has to follow.
    pub(crate) fn add(&mut self, key: &[u8], value: Value) -> usize {
        self.store.add(self.space, key, value, self.moment)
    }

    /// Removes a key. Returns whether it was there.
    pub(crate) fn remove(&mut self, key: &[u8], class: Class, event: &'static str) -> bool {
        self.take(key, class, event).is_some()
    }

    /// Removes a key and returns what it was.
    pub(crate) fn take(&mut self, key: &[u8], class: Class, event: &'static str) -> Option<Entry> {
        let index = self.index(key)?;
        self.store.is_changed = true;
        Some(self.store.remove(self.space, index, self.database, class, event).1)
    }

    pub(crate) fn deadline_at(&self, index: usize) -> Option<Deadline> {
        self.space().entries[index].expiry.map(|expiry| expiry.deadline)
    }

    /// Gives a key a deadline or takes it away; an event has to follow.
    pub(crate) fn set_deadline_at(&mut self, index: usize, deadline: Option<Deadline>) {
        self.store.is_changed = true;
        self.store.set_deadline(self.space, index, deadline);
    }

    /// Says what goes to the log in the place of the command; several times for several commands.
    pub(crate) fn effect(&mut self, command: &[&[u8]]) {
        self.store.has_own_effects = true;
        if self.store.options.keeps_effects && !self.store.is_replaying {
            self.store.effects.push(self.database, command);
        }
    }

    /// Says that nothing goes to the log but what [`effect`](Self::effect) says.
    pub(crate) fn no_effect(&mut self) {
        self.store.has_own_effects = true;
    }
}
