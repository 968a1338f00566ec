//! Who holds which lock, until when, and with whose connection it ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use remuda_model::Tick;

use super::Held;

/// All that are held.
#[derive(Debug, Clone, Default)]
pub(super) struct Holders {
    held: BTreeMap<Arc<[u8]>, Held>,
    ends: BTreeSet<(Tick, Arc<[u8]>)>,
    sessions: BTreeSet<(u64, Arc<[u8]>)>,
}

impl Holders {
    pub(super) fn get(&self, name: &[u8]) -> Option<&Held> {
        self.held.get(name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<[u8]>, &Held)> {
        self.held.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    pub(super) fn contains(&self, name: &[u8]) -> bool {
        self.held.contains_key(name)
    }

    /// The lock of this name, if this acquisition holds it.
    pub(super) fn of_fence(&mut self, name: &[u8], fence: u64) -> Option<(Arc<[u8]>, &mut Held)> {
        let (name, _) = self.held.get_key_value(name)?;
        let name = Arc::clone(name);
        let held = self.held.get_mut(&name).filter(|held| held.fence == fence)?;
        Some((name, held))
    }

    /// The name of the lock, if its lease is over.
    pub(super) fn over(&self, now: Tick, name: &[u8]) -> Option<Arc<[u8]>> {
        let over = self.held.get_key_value(name).filter(|(_, held)| held.until <= now);
        over.map(|(name, _)| Arc::clone(name))
    }

    /// When the first lease ends, and of which lock.
    pub(super) fn first_end(&self) -> Option<(Tick, &Arc<[u8]>)> {
        self.ends.first().map(|(until, name)| (*until, name))
    }

    /// Locks that end with the connection of this client.
    pub(super) fn of_client(&self, client: u64) -> Vec<Arc<[u8]>> {
        let from = (client, Arc::from(&[][..]));
        let of_it = self.sessions.range(from..).take_while(|(other, _)| *other == client);
        of_it.map(|(_, name)| Arc::clone(name)).collect()
    }

    pub(super) fn put(&mut self, name: &Arc<[u8]>, held: Held) {
        self.remove(name);
        self.ends.insert((held.until, Arc::clone(name)));
        if let Some(client) = held.session {
            self.sessions.insert((client, Arc::clone(name)));
        }
        self.held.insert(Arc::clone(name), held);
    }

    pub(super) fn remove(&mut self, name: &Arc<[u8]>) -> Option<Held> {
        let held = self.held.remove(name)?;
        self.ends.remove(&(held.until, Arc::clone(name)));
        if let Some(client) = held.session {
            self.sessions.remove(&(client, Arc::clone(name)));
        }
        Some(held)
    }

    pub(super) fn set_end(&mut self, name: &Arc<[u8]>, until: Tick) {
        if let Some(held) = self.held.get_mut(name) {
            self.ends.remove(&(held.until, Arc::clone(name)));
            held.until = until;
            self.ends.insert((until, Arc::clone(name)));
        }
    }
}
