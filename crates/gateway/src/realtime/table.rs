//! Things under numbers that are never used twice.
//!
//! A place is used again when its thing is gone; the key of the former one says so by its generation, so that a timer or
//! a task that comes late finds nothing instead of somebody else.

/// Where a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    index: u32,
    generation: u32,
}

#[derive(Debug)]
struct Place<T> {
    generation: u32,
    thing: Option<T>,
}

/// Things by key.
#[derive(Debug)]
pub(super) struct Table<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Table<T> {
    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub(super) fn insert(&mut self, thing: T) -> Key {
        if let Some(index) = self.free.pop() {
            let place = &mut self.places[index as usize];
            place.thing = Some(thing);
            return Key { index, generation: place.generation };
        }
        let index = u32::try_from(self.places.len()).expect("no process has 4 billion clients");
        self.places.push(Place { generation: 0, thing: Some(thing) });
        Key { index, generation: 0 }
    }

    pub(super) fn get(&self, key: Key) -> Option<&T> {
        let place = self.places.get(key.index as usize).filter(|place| place.generation == key.generation)?;
        place.thing.as_ref()
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let place = self.places.get_mut(key.index as usize)?;
        if place.generation == key.generation { place.thing.as_mut() } else { None }
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<T> {
        let place = self.places.get_mut(key.index as usize)?;
        if place.generation != key.generation {
            return None;
        }
        let thing = place.thing.take()?;
        place.generation = place.generation.wrapping_add(1);
        self.free.push(key.index);
        Some(thing)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = Key> {
        self.places.iter().enumerate().filter(|(_, place)| place.thing.is_some()).map(|(index, place)| Key {
            index: u32::try_from(index).expect("it was made from one"),
            generation: place.generation,
        })
    }
}
