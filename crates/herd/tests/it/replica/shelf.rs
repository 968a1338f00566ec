//! A store as small as can be: a map, and the commands the tests need.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use remuda_herd::NodeId;
use remuda_herd::replica::{Body, Collection, Shape, Shelf};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(Bytes),
    List(Vec<Bytes>),
    Parts(Collection, BTreeMap<Bytes, Bytes>),
}

/// Keys with their values and ends. As in the store, a key whose time is over stays until somebody comes upon it, and is
/// not seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Map {
    pub(super) keys: BTreeMap<(u32, Bytes), (Value, Option<u64>)>,
    /// The wall clock.
    pub(super) wall_ms: u64,
    /// Keys whose time was over when another server's news were written to them.
    pub(super) gone: Vec<(u32, Bytes)>,
}

impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.visible() == other.visible()
    }
}

impl Map {
    /// What clients see.
    pub(super) fn visible(&self) -> BTreeMap<&(u32, Bytes), &(Value, Option<u64>)> {
        self.keys.iter().filter(|(_, (_, end))| end.is_none_or(|end| end > self.wall_ms)).collect()
    }

    /// Removes a key whose time is over; says whether it was.
    pub(super) fn purge(&mut self, database: u32, key: &[u8]) -> bool {
        let place = (database, Bytes::copy_from_slice(key));
        let is_over =
            self.keys.get(&place).is_some_and(|(_, end)| end.is_some_and(|end| end <= self.wall_ms));
        if is_over {
            self.keys.remove(&place);
        }
        is_over
    }

    fn come_upon(&mut self, database: u32, key: &[u8]) {
        if self.purge(database, key) {
            self.gone.push((database, Bytes::copy_from_slice(key)));
        }
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<&Value> {
        self.keys.get(&(0, Bytes::copy_from_slice(key))).map(|(value, _)| value)
    }

    pub(super) fn text(&self, key: &[u8]) -> Option<String> {
        match self.get(key)? {
            Value::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
            _ => None,
        }
    }

    pub(super) fn names(&self, key: &[u8]) -> Vec<String> {
        match self.get(key) {
            Some(Value::Parts(_, parts)) => {
                parts.keys().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn over(&self, wall_ms: u64) -> BTreeSet<(u32, Bytes)> {
        let over = self.keys.iter().filter(|(_, (_, end))| end.is_some_and(|end| end <= wall_ms));
        over.map(|(key, _)| key.clone()).collect()
    }

    pub(super) fn entry(&mut self, database: u32, key: &[u8]) -> Option<&mut (Value, Option<u64>)> {
        self.keys.get_mut(&(database, Bytes::copy_from_slice(key)))
    }

    fn look(&self, database: u32, key: &[u8]) -> Option<&(Value, Option<u64>)> {
        let entry = self.keys.get(&(database, Bytes::copy_from_slice(key)))?;
        entry.1.is_none_or(|end| end > self.wall_ms).then_some(entry)
    }
}

impl Shelf for Map {
    fn shape(&self, database: u32, key: &[u8]) -> Option<Shape> {
        Some(match &self.look(database, key)?.0 {
            Value::Text(_) | Value::List(_) => Shape::Whole,
            Value::Parts(collection, _) => Shape::Parts(*collection),
        })
    }

    fn body(&self, database: u32, key: &[u8]) -> Option<Body> {
        match &self.look(database, key)?.0 {
            Value::Text(text) => Some(Body::Text(text.clone())),
            Value::List(list) => Some(Body::Packed(list.join(&b' ').into())),
            Value::Parts(..) => None,
        }
    }

    fn expiry_ms(&self, database: u32, key: &[u8]) -> Option<u64> {
        self.look(database, key)?.1
    }

    fn fix_expiry(&mut self, database: u32, key: &[u8]) -> Option<u64> {
        self.expiry_ms(database, key)
    }

    fn element(&self, database: u32, key: &[u8], name: &[u8]) -> Option<Bytes> {
        match &self.look(database, key)?.0 {
            Value::Parts(_, parts) => parts.get(name).cloned(),
            _ => None,
        }
    }

    fn each_element(&self, database: u32, key: &[u8], sink: &mut dyn FnMut(&[u8])) {
        if let Some((Value::Parts(_, parts), _)) = self.look(database, key) {
            parts.keys().for_each(|name| sink(name));
        }
    }

    fn each_key(&self, database: u32, sink: &mut dyn FnMut(&[u8])) {
        self.keys.keys().filter(|(each, _)| *each == database).for_each(|(_, key)| sink(key));
    }

    fn has_room(&mut self) -> bool {
        true
    }

    fn put(&mut self, _: NodeId, database: u32, key: &[u8], body: &Body, expiry_ms: Option<u64>) -> bool {
        let value = match body {
            Body::Text(text) => Value::Text(text.clone()),
            Body::Packed(list) if list.contains(&0) => return false,
            Body::Packed(list) => {
                Value::List(list.split(|byte| *byte == b' ').map(Bytes::copy_from_slice).collect())
            }
        };
        self.come_upon(database, key);
        self.keys.insert((database, Bytes::copy_from_slice(key)), (value, expiry_ms));
        true
    }

    fn set_element(
        &mut self,
        _: NodeId,
        database: u32,
        key: &[u8],
        collection: Collection,
        name: &[u8],
        value: &[u8],
    ) {
        self.come_upon(database, key);
        let fresh = || (Value::Parts(collection, BTreeMap::new()), None);
        let entry = self.keys.entry((database, Bytes::copy_from_slice(key))).or_insert_with(fresh);
        let (Value::Parts(kind, parts), _) = entry else { panic!("an element was set in what has none") };
        assert_eq!(*kind, collection, "an element of another type was set");
        parts.insert(Bytes::copy_from_slice(name), Bytes::copy_from_slice(value));
    }

    fn remove_element(&mut self, _: NodeId, database: u32, key: &[u8], name: &[u8]) {
        self.come_upon(database, key);
        let Some((Value::Parts(_, parts), _)) = self.entry(database, key) else { return };
        parts.remove(name);
        if parts.is_empty() {
            self.keys.remove(&(database, Bytes::copy_from_slice(key)));
        }
    }

    fn set_expiry(&mut self, _: NodeId, database: u32, key: &[u8], at_ms: Option<u64>) {
        self.come_upon(database, key);
        if let Some((_, end)) = self.entry(database, key) {
            *end = at_ms;
        }
    }

    fn delete(&mut self, _: NodeId, database: u32, key: &[u8]) {
        self.come_upon(database, key);
        self.keys.remove(&(database, Bytes::copy_from_slice(key)));
    }
}
