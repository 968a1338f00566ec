//! The store as the replica of shared keys reads and writes it.

use std::num::NonZeroU64;

use bytes::Bytes;
use remuda_herd::NodeId;
use remuda_herd::replica::{Body, Collection, Shape, Shelf};
use remuda_store::{Digits, Glance, Kind, Moment, Remote, Store};

/// The store at a moment.
#[derive(Debug)]
pub(super) struct StoreShelf<'a> {
    pub(super) store: &'a mut Store,
    pub(super) moment: Moment,
}

impl StoreShelf<'_> {
    fn remote(&mut self, from: NodeId, database: u32) -> Option<Remote<'_>> {
        // No node has the number 0, and somebody has to be named.
        let origin = NonZeroU64::new(from.0).unwrap_or(NonZeroU64::MIN);
        self.store.remote(self.moment, origin, database)
    }
}

impl Shelf for StoreShelf<'_> {
    fn shape(&self, database: u32, key: &[u8]) -> Option<Shape> {
        Some(match self.store.kind_of(self.moment, database, key)? {
            Kind::Text | Kind::List | Kind::Stream => Shape::Whole,
            Kind::Hash => Shape::Parts(Collection::Hash),
            Kind::Set => Shape::Parts(Collection::Set),
            Kind::SortedSet => Shape::Parts(Collection::SortedSet),
        })
    }

    fn body(&self, database: u32, key: &[u8]) -> Option<Body> {
        match self.store.kind_of(self.moment, database, key)? {
            Kind::Text => {
                let mut digits = Digits::default();
                match self.store.glance(database, key, &mut digits)? {
                    Glance::Text(text) => Some(Body::Text(Bytes::copy_from_slice(text))),
                    Glance::Other(_) => None,
                }
            }
            _ => Some(Body::Packed(self.store.packed(self.moment, database, key)?.into())),
        }
    }

    fn expiry_ms(&self, database: u32, key: &[u8]) -> Option<u64> {
        self.store.end_of(self.moment, database, key)
    }

    fn fix_expiry(&mut self, database: u32, key: &[u8]) -> Option<u64> {
        self.store.fix_end(self.moment, database, key)
    }

    fn element(&self, database: u32, key: &[u8], name: &[u8]) -> Option<Bytes> {
        self.store.element(self.moment, database, key, name).map(Bytes::from)
    }

    fn each_element(&self, database: u32, key: &[u8], sink: &mut dyn FnMut(&[u8])) {
        self.store.each_element(self.moment, database, key, sink);
    }

    fn each_key(&self, database: u32, sink: &mut dyn FnMut(&[u8])) {
        self.store.each_key(database, sink);
    }

    fn has_room(&mut self) -> bool {
        self.store.has_room(self.moment)
    }

    fn put(&mut self, from: NodeId, database: u32, key: &[u8], body: &Body, expiry_ms: Option<u64>) -> bool {
        let Some(mut remote) = self.remote(from, database) else { return false };
        match body {
            Body::Text(text) => remote.put_text(key, text, expiry_ms),
            Body::Packed(packed) => return remote.put_packed(key, packed, expiry_ms).is_ok(),
        }
        true
    }

    fn set_element(
        &mut self,
        from: NodeId,
        database: u32,
        key: &[u8],
        collection: Collection,
        name: &[u8],
        value: &[u8],
    ) {
        let Some(mut remote) = self.remote(from, database) else { return };
        match collection {
            Collection::Hash => remote.set_field(key, name, value),
            Collection::Set => remote.add_member(key, name),
            Collection::SortedSet => remote.set_score(key, name, value),
        }
    }

    fn remove_element(&mut self, from: NodeId, database: u32, key: &[u8], name: &[u8]) {
        if let Some(mut remote) = self.remote(from, database) {
            remote.remove_element(key, name);
        }
    }

    fn set_expiry(&mut self, from: NodeId, database: u32, key: &[u8], at_ms: Option<u64>) {
        if let Some(mut remote) = self.remote(from, database) {
            remote.set_end(key, at_ms);
        }
    }

    fn delete(&mut self, from: NodeId, database: u32, key: &[u8]) {
        if let Some(mut remote) = self.remote(from, database) {
            remote.delete(key);
        }
    }
}
