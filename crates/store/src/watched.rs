//! Keys that clients watch for a transaction.
//!
//! A watched key has the revision of its last change beside it, for as long as somebody watches; a watch that is older
//! than that revision is broken. A change thus costs one look into a table that is mostly empty, however many watch.

use std::collections::{BTreeMap, BTreeSet};

use crate::client::ClientId;

/// A key one client watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Watch {
    pub(crate) database: u32,
    pub(crate) key: Box<[u8]>,
    /// The store's revision when the watch began.
    revision: u64,
}

/// A key somebody watches.
#[derive(Debug, Default)]
struct Mark {
    watchers: BTreeSet<ClientId>,
    /// Revision of its last change since; zero for none.
    changed: u64,
}

/// All watched keys.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    clients: BTreeMap<ClientId, Vec<Watch>>,
    marks: BTreeMap<u32, BTreeMap<Box<[u8]>, Mark>>,
}

impl Watched {
    pub(crate) fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// Begins a watch. A key the client watches already keeps its older one.
    pub(crate) fn add(&mut self, client: ClientId, database: u32, key: &[u8], revision: u64) {
        let mark = self.marks.entry(database).or_default().entry(key.into()).or_default();
        if mark.watchers.insert(client) {
            self.clients.entry(client).or_default().push(Watch { database, key: key.into(), revision });
        }
    }

    pub(crate) fn remove(&mut self, client: ClientId) {
        for watch in self.clients.remove(&client).unwrap_or_default() {
            let Some(marks) = self.marks.get_mut(&watch.database) else { continue };
            if let Some(mark) = marks.get_mut(&watch.key) {
                mark.watchers.remove(&client);
                if mark.watchers.is_empty() {
                    marks.remove(&watch.key);
                }
            }
            if marks.is_empty() {
                self.marks.remove(&watch.database);
            }
        }
    }

    pub(crate) fn watches(&self, client: ClientId) -> &[Watch] {
        self.clients.get(&client).map_or(&[], Vec::as_slice)
    }

    /// Notes that a key changed.
    pub(crate) fn mark(&mut self, database: u32, key: &[u8], revision: u64) {
        if let Some(mark) = self.marks.get_mut(&database).and_then(|marks| marks.get_mut(key)) {
            mark.changed = revision;
        }
    }

    /// Notes that every key of a database changed for which `exists` is true.
    pub(crate) fn mark_all(&mut self, database: u32, revision: u64, exists: impl Fn(&[u8]) -> bool) {
        for (key, mark) in self.marks.get_mut(&database).into_iter().flatten() {
            if exists(key) {
                mark.changed = revision;
            }
        }
    }

    /// Whether no key the client watches has changed.
    pub(crate) fn is_intact(&self, client: ClientId) -> bool {
        self.watches(client).iter().all(|watch| {
            let mark = self.marks.get(&watch.database).and_then(|marks| marks.get(&watch.key));
            mark.is_none_or(|mark| mark.changed <= watch.revision)
        })
    }
}
