//! What the replica asks of the keys themselves: the store, or a map in a test.
//!
//! The replica knows who changed what when, and keeps no values. Writing here is no client's doing: it makes no new
//! change to spread, and the events of it name the server it comes from.

use bytes::Bytes;

use crate::NodeId;
use crate::replica::state::{Body, Collection, Shape};

/// The keys and their values.
pub trait Shelf {
    /// What a key is; none when it is not there.
    fn shape(&self, database: u32, key: &[u8]) -> Option<Shape>;
    /// A whole value.
    fn body(&self, database: u32, key: &[u8]) -> Option<Body>;
    /// When a key ends, in milliseconds since 1970.
    fn expiry_ms(&self, database: u32, key: &[u8]) -> Option<u64>;
    /// As [`expiry_ms`](Self::expiry_ms), and from now on the key ends on that date and no other: if its end was kept as a
    /// time that is left, two readings of two clocks would make two dates of it.
    fn fix_expiry(&mut self, database: u32, key: &[u8]) -> Option<u64>;
    /// The value of an element; empty for a member of a set.
    fn element(&self, database: u32, key: &[u8], name: &[u8]) -> Option<Bytes>;
    /// Gives `sink` the names of all elements.
    fn each_element(&self, database: u32, key: &[u8], sink: &mut dyn FnMut(&[u8]));
    /// Gives `sink` all keys of a database.
    fn each_key(&self, database: u32, sink: &mut dyn FnMut(&[u8]));
    /// Whether there is memory for more.
    fn has_room(&mut self) -> bool;
    /// Puts a whole value in the place of whatever is there. False when it can not be read; then nothing was changed.
    #[must_use]
    fn put(&mut self, from: NodeId, database: u32, key: &[u8], body: &Body, expiry_ms: Option<u64>) -> bool;
    /// Sets an element of a collection, which is made if it is not there.
    fn set_element(
        &mut self,
        from: NodeId,
        database: u32,
        key: &[u8],
        collection: Collection,
        name: &[u8],
        value: &[u8],
    );
    /// Removes an element; a collection without any is gone.
    fn remove_element(&mut self, from: NodeId, database: u32, key: &[u8], name: &[u8]);
    /// Says when a key ends.
    fn set_expiry(&mut self, from: NodeId, database: u32, key: &[u8], at_ms: Option<u64>);
    /// Removes a key.
    fn delete(&mut self, from: NodeId, database: u32, key: &[u8]);
}
