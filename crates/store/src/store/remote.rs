//! What other servers did, written into this store; and keys as other servers are told of them.
//!
//! Nobody's command runs here: nothing is answered, and the events of these changes name the server they come from. They
//! have revisions like all others, wake whoever waits for a key, break a `WATCH`, and go to the log as effects.
//!
//! Lists and streams travel packed: the commands that make them, as a snapshot has them, without the key's name. They are
//! tried on an empty store first, so that what can not be read changes nothing.

use std::num::NonZeroU64;

use crate::call::Mode;
use crate::change::Class;
use crate::keys::Keys;
use crate::moment::{Deadline, Moment};
use crate::number;
use crate::options::StoreOptions;
use crate::sorted_set::SortedSet;
use crate::sorted_set::score::score_text;
use crate::store::Store;
use crate::value::{Digits, Hash, Kept, Kind, Set, Text, Value};

/// The name a packed value is tried under.
const TRIED: &[u8] = b"x";
/// The latest end of a key: later ones no command takes, and so no log.
const LATEST_MS: u64 = i64::MAX.unsigned_abs();
/// Words of a packed command at least, with the name and without the key, and the bytes of a number before them.
const NUMBER_BYTES: usize = 4;

/// Why a packed value was not taken. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// It ends too early.
    #[error("the packed value of a key is cut off")]
    Short,
    /// It holds what makes no list and no stream.
    #[error("the packed value of a key can not be made here: {0}")]
    Unknown(String),
}

/// The store, written to in the name of another server.
#[derive(Debug)]
pub struct Remote<'a> {
    store: &'a mut Store,
    moment: Moment,
    database: u32,
}

impl Store {
    /// Writes what the server `origin` did in `database`; nothing when there is no such database.
    pub fn remote(&mut self, moment: Moment, origin: NonZeroU64, database: u32) -> Option<Remote<'_>> {
        if database >= self.databases() {
            return None;
        }
        self.begin(database);
        self.effects.begin_group();
        self.origin = Some(origin);
        Some(Remote { store: self, moment, database })
    }

    /// The type of a key whose time is not over. Does not count as a use of it.
    #[must_use]
    pub fn kind_of(&self, moment: Moment, database: u32, key: &[u8]) -> Option<Kind> {
        Some(self.seen(moment, database, key)?.0.kind())
    }

    /// When a key ends, in milliseconds since 1970 as the wall clock stands now.
    #[must_use]
    pub fn end_of(&self, moment: Moment, database: u32, key: &[u8]) -> Option<u64> {
        self.seen(moment, database, key)?.1.map(|deadline| deadline.wall_ms(moment))
    }

    /// As [`end_of`](Self::end_of), and from now on the key ends on that date: by the wall clock, and no longer when as much
    /// time has passed. No change of the key, as its date stays what it was.
    pub fn fix_end(&mut self, moment: Moment, database: u32, key: &[u8]) -> Option<u64> {
        let end_ms = self.end_of(moment, database, key)?;
        let space = *self.order.get(database as usize)?;
        let index = self.spaces[space].entries.get_index_of(key)?;
        self.set_deadline(space, index, Some(Deadline::Wall(end_ms)));
        Some(end_ms)
    }

    /// A list or a stream, packed; none for other types.
    #[must_use]
    pub fn packed(&self, moment: Moment, database: u32, key: &[u8]) -> Option<Vec<u8>> {
        let (value, _) = self.seen(moment, database, key)?;
        if !matches!(value, Value::List(_) | Value::Stream(_)) {
            return None;
        }
        let mut packed = Vec::new();
        value.dump(TRIED, &mut |command| {
            push_number(&mut packed, command.len());
            for word in command {
                push_number(&mut packed, word.len());
                packed.extend_from_slice(word);
            }
        });
        Some(packed)
    }

    /// The value of a field, nothing for a member of a set, the score of a member of a sorted set as text. None when
    /// there is no such element.
    #[must_use]
    pub fn element(&self, moment: Moment, database: u32, key: &[u8], name: &[u8]) -> Option<Vec<u8>> {
        match self.seen(moment, database, key)?.0 {
            Value::Hash(hash) => hash.get(name).map(<[u8]>::to_vec),
            Value::Set(set) => set.contains(name).then(Vec::new),
            Value::SortedSet(set) => set.score(name).map(|score| score_text(score).into_bytes()),
            Value::Text(_) | Value::List(_) | Value::Stream(_) => None,
        }
    }

    /// Gives `sink` the names of all elements of a hash, a set or a sorted set.
    pub fn each_element(&self, moment: Moment, database: u32, key: &[u8], sink: &mut dyn FnMut(&[u8])) {
        match self.seen(moment, database, key) {
            Some((Value::Hash(hash), _)) => hash.iter().for_each(|(name, _)| sink(name)),
            Some((Value::Set(set), _)) => set.iter().for_each(sink),
            Some((Value::SortedSet(set), _)) => set.iter().for_each(|(name, _)| sink(name)),
            _ => {}
        }
    }

    /// Gives `sink` all keys of a database, those too whose time is over and that are not gone yet.
    pub fn each_key(&self, database: u32, sink: &mut dyn FnMut(&[u8])) {
        if let Some(&space) = self.order.get(database as usize) {
            self.spaces[space].entries.iter().for_each(|(key, _)| sink(key));
        }
    }

    fn seen(&self, moment: Moment, database: u32, key: &[u8]) -> Option<(&Value, Option<Deadline>)> {
        let space = *self.order.get(database as usize)?;
        let entry = self.spaces[space].entries.get(key)?;
        let deadline = entry.expiry.map(|expiry| expiry.deadline);
        (!deadline.is_some_and(|deadline| deadline.is_over(moment))).then_some((&entry.value, deadline))
    }
}

impl Remote<'_> {
    /// Puts a string in the place of whatever the key holds, with an end in milliseconds since 1970.
    pub fn put_text(&mut self, key: &[u8], text: &[u8], ends_ms: Option<u64>) {
        let ends_ms = ends_ms.map(date);
        let mut keys = self.keys();
        let index = keys.put(key, Value::Text(Text::new(text)), Class::Text, "set");
        keys.set_deadline_at(index, ends_ms.map(Deadline::Wall));
        match ends_ms {
            None => keys.effect(&[b"SET", key, text]),
            Some(ms) => keys.effect(&[b"SET", key, text, b"PXAT", Digits::new().format(ms).as_bytes()]),
        }
    }

    /// Puts a packed list or stream in the place of whatever the key holds.
    ///
    /// # Errors
    /// When it is none.
    pub fn put_packed(&mut self, key: &[u8], packed: &[u8], ends_ms: Option<u64>) -> Result<(), RemoteError> {
        let value = unpacked(packed, self.store.options())?;
        let mut keys = self.keys();
        keys.remove(key, Class::Generic, "del");
        keys.effect(&[b"DEL", key]);
        value.dump(key, &mut |command| keys.effect(command));
        let index = keys.put(key, value, Class::Generic, "restore");
        if let Some(ms) = ends_ms.map(date) {
            keys.set_deadline_at(index, Some(Deadline::Wall(ms)));
            keys.effect(&[b"PEXPIREAT", key, Digits::new().format(ms).as_bytes()]);
        }
        Ok(())
    }

    /// Sets a field of a hash, which is made if there is none in its place.
    pub fn set_field(&mut self, key: &[u8], field: &[u8], value: &[u8]) {
        let mut keys = self.keys_for::<Hash>(key);
        if let Ok(hash) = keys.ensure::<Hash>(key) {
            hash.set(field, value);
            keys.changed(key, Class::Hash, "hset");
            keys.effect(&[b"HSET", key, field, value]);
        }
    }

    /// Adds a member to a set.
    pub fn add_member(&mut self, key: &[u8], member: &[u8]) {
        let mut keys = self.keys_for::<Set>(key);
        if let Ok(set) = keys.ensure::<Set>(key) {
            set.insert(member);
            keys.changed(key, Class::Set, "sadd");
            keys.effect(&[b"SADD", key, member]);
        }
    }

    /// Gives a member of a sorted set its score; nothing happens when the score is none.
    pub fn set_score(&mut self, key: &[u8], member: &[u8], score: &[u8]) {
        let Some(number) = number::float(score) else { return };
        let mut keys = self.keys_for::<SortedSet>(key);
        if let Ok(set) = keys.ensure::<SortedSet>(key) {
            set.insert(member, number);
            keys.changed(key, Class::SortedSet, "zadd");
            keys.effect(&[b"ZADD", key, score, member]);
        }
    }

    /// Removes a field or a member.
    pub fn remove_element(&mut self, key: &[u8], name: &[u8]) {
        let mut keys = self.keys();
        let Some(index) = keys.index(key) else { return };
        let (is_removed, class, event, word): (_, _, _, &[u8]) = match keys.value_at(index) {
            Value::Hash(hash) => (hash.remove(name), Class::Hash, "hdel", b"HDEL"),
            Value::Set(set) => (set.remove(name), Class::Set, "srem", b"SREM"),
            Value::SortedSet(set) => (set.remove(name).is_some(), Class::SortedSet, "zrem", b"ZREM"),
            Value::Text(_) | Value::List(_) | Value::Stream(_) => return,
        };
        if is_removed {
            keys.changed_at(index, class, event);
            keys.effect(&[word, key, name]);
        }
    }

    /// Says when a key ends, in milliseconds since 1970, or that it does not.
    pub fn set_end(&mut self, key: &[u8], ends_ms: Option<u64>) {
        let mut keys = self.keys();
        let Some(index) = keys.index(key) else { return };
        if ends_ms.is_none() && keys.deadline_at(index).is_none() {
            return;
        }
        let ends_ms = ends_ms.map(date);
        keys.set_deadline_at(index, ends_ms.map(Deadline::Wall));
        match ends_ms {
            None => {
                keys.changed_at(index, Class::Generic, "persist");
                keys.effect(&[b"PERSIST", key]);
            }
            Some(ms) => {
                keys.changed_at(index, Class::Generic, "expire");
                keys.effect(&[b"PEXPIREAT", key, Digits::new().format(ms).as_bytes()]);
            }
        }
    }

    /// Removes a key.
    pub fn delete(&mut self, key: &[u8]) {
        let mut keys = self.keys();
        if keys.remove(key, Class::Generic, "del") {
            keys.effect(&[b"DEL", key]);
        }
    }

    fn keys(&mut self) -> Keys<'_> {
        Keys::new(self.store, self.moment, self.database, Mode::Transaction)
    }

    /// The keys, with nothing of another type in the key's place.
    fn keys_for<T: Kept>(&mut self, key: &[u8]) -> Keys<'_> {
        let mut keys = self.keys();
        if keys.value(key).is_some_and(|value| T::of(value).is_none()) {
            keys.remove(key, Class::Generic, "del");
            keys.effect(&[b"DEL", key]);
        }
        keys
    }
}

impl Drop for Remote<'_> {
    fn drop(&mut self) {
        self.store.origin = None;
        self.store.effects.end_group();
    }
}

/// An end as commands say it.
fn date(ms: u64) -> u64 {
    ms.clamp(1, LATEST_MS)
}

/// The value that packed commands make.
fn unpacked(mut packed: &[u8], options: &StoreOptions) -> Result<Value, RemoteError> {
    let options = StoreOptions { databases: 1, keeps_effects: false, changes_kept: 1, ..options.clone() };
    let mut tried = Store::new(options);
    let moment = Moment { tick: remuda_model::Tick(0), wall_ms: 0 };
    while !packed.is_empty() {
        let count = take_number(&mut packed)?;
        if count > packed.len() / NUMBER_BYTES {
            return Err(RemoteError::Short);
        }
        let mut command: Vec<&[u8]> = Vec::with_capacity(count);
        for _ in 0..count {
            let len = take_number(&mut packed)?;
            command.push(packed.split_off(..len).ok_or(RemoteError::Short)?);
        }
        let is_allowed = |word: &&&[u8]| {
            ["RPUSH", "XADD", "XSETID", "XGROUP", "XCLAIM"]
                .iter()
                .any(|name| word.eq_ignore_ascii_case(name.as_bytes()))
        };
        if command.first().filter(is_allowed).is_none() {
            return Err(RemoteError::Unknown("a command of neither".to_owned()));
        }
        tried.replay(moment, 0, &command).map_err(|error| RemoteError::Unknown(error.to_string()))?;
    }
    let index = tried.spaces[0].entries.get_index_of(TRIED);
    let made = index.and_then(|index| tried.spaces[0].remove_index(index)).map(|(_, entry)| entry.value);
    made.ok_or_else(|| RemoteError::Unknown("it is empty".to_owned()))
}

fn push_number(packed: &mut Vec<u8>, number: usize) {
    let number = u32::try_from(number).expect("values are limited to less");
    packed.extend_from_slice(&number.to_le_bytes());
}

fn take_number(packed: &mut &[u8]) -> Result<usize, RemoteError> {
    let (number, rest) = packed.split_first_chunk::<NUMBER_BYTES>().ok_or(RemoteError::Short)?;
    *packed = rest;
    usize::try_from(u32::from_le_bytes(*number)).map_err(|_small| RemoteError::Short)
}
