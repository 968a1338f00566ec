//! Connections by number. A number is never used twice: its lower half is a place in the table, its upper half counts
//! who had the place, so that a late event for somebody who is gone meets nobody. A successor begins its counts above the
//! highest of the hub before.

use remuda_bus::{MemberId, Origin, PeerId};
use remuda_store::ClientId;
use remuda_sys::event::Token;

/// Which connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(u64);

impl Key {
    pub(crate) fn number(self) -> u64 {
        self.0
    }

    pub(crate) fn from_number(number: u64) -> Self {
        Self(number)
    }

    pub(crate) fn token(self) -> Token {
        Token(self.0)
    }

    /// The same number as the machines have it.
    pub(crate) fn member(self) -> MemberId {
        MemberId(self.0)
    }

    pub(crate) fn peer(self) -> PeerId {
        PeerId(self.0)
    }

    pub(crate) fn client(self) -> ClientId {
        ClientId(self.0)
    }

    /// Where messages come from whose sender is no process we know.
    pub(crate) fn origin(self) -> Origin {
        Origin(self.0)
    }

    fn new(place: u32, turn: u32) -> Self {
        Self(u64::from(turn) << 32 | u64::from(place))
    }

    fn turn(self) -> u32 {
        u32::try_from(self.0 >> 32).expect("the upper half of 64 bits")
    }

    fn place(self) -> usize {
        usize::try_from(self.0 & u64::from(u32::MAX))
            .expect("32 bits are an index on every machine we run on")
    }
}

/// What is kept for each connection.
#[derive(Debug)]
pub(crate) struct Table<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
    /// The turn that a place without one has: after a handover above all that the former hub gave.
    first_turn: u32,
    /// The highest turn there was.
    last_turn: u32,
}

#[derive(Debug)]
struct Place<T> {
    key: Key,
    content: Option<T>,
}

impl<T> Table<T> {
    pub(crate) fn new() -> Self {
        // Turn 0 is left to the tokens of the loop itself.
        Self { places: Vec::new(), free: Vec::new(), first_turn: 1, last_turn: 1 }
    }

    /// The key that the next one put in will have.
    pub(crate) fn insert(&mut self, make: impl FnOnce(Key) -> T) -> Key {
        if let Some(free) = self.free.pop() {
            let place = &mut self.places[usize::try_from(free).expect("it was an index before")];
            let turn = place.key.turn().wrapping_add(1).max(self.first_turn);
            self.last_turn = self.last_turn.max(turn);
            place.key = Key::new(free, turn);
            place.content = Some(make(place.key));
            return place.key;
        }
        let index = u32::try_from(self.places.len()).expect("descriptors are fewer than 2^31");
        let key = Key::new(index, self.first_turn);
        self.places.push(Place { key, content: Some(make(key)) });
        key
    }

    /// Puts something in under the key it had in another process. [`Self::restored`] ends this.
    pub(crate) fn restore(&mut self, key: Key, content: T) {
        while self.places.len() <= key.place() {
            let index = u32::try_from(self.places.len()).expect("descriptors are fewer than 2^31");
            self.places.push(Place { key: Key::new(index, 0), content: None });
        }
        self.places[key.place()] = Place { key, content: Some(content) };
    }

    /// Places in between are free. `last_turn` is what [`Self::last_turn`] of the former hub's said: whoever comes gets a
    /// number that nobody had there.
    pub(crate) fn restored(&mut self, last_turn: u32) {
        let here = self.places.iter().map(|place| place.key.turn()).max();
        self.last_turn = here.unwrap_or_default().max(last_turn);
        self.first_turn = self.last_turn.wrapping_add(1).max(1);
        let empty = self.places.iter().enumerate().filter(|(_, place)| place.content.is_none());
        self.free = empty.filter_map(|(index, _)| u32::try_from(index).ok()).collect();
    }

    /// The highest turn that any place has had.
    pub(crate) fn last_turn(&self) -> u32 {
        self.last_turn
    }

    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        self.places.get(key.place()).filter(|place| place.key == key)?.content.as_ref()
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.places.get_mut(key.place()).filter(|place| place.key == key)?.content.as_mut()
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let place = self.places.get_mut(key.place()).filter(|place| place.key == key)?;
        let content = place.content.take()?;
        self.free.push(u32::try_from(key.place()).expect("it was an index before"));
        Some(content)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.places.iter().filter_map(|place| Some((place.key, place.content.as_ref()?)))
    }

    pub(crate) fn keys(&self) -> Vec<Key> {
        self.iter().map(|(key, _)| key).collect()
    }
}

#[cfg(test)]
mod tests;
