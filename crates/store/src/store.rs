//! The store: databases of keys, and a machine that runs one command after the other on them.
//!
//! It is told the time and the client with each command, answers through [`crate::Answer`], and keeps what follows from the
//! command until the hub fetches it: the changes for those who watch, the effects for the log, the clients whose wait
//! may be over. It never waits, reads or writes anything itself; the same commands and times give the same store.

mod lapse;
mod log;
mod primitives;
mod remote;
mod run;
mod waits;

pub use log::ReplayError;
pub(crate) use primitives::touched;
pub use remote::{Remote, RemoteError};
pub use run::Outcome;

use std::num::NonZeroU64;

use crate::blocked::Blocked;
use crate::change::{Change, Changes, Gap};
use crate::effects::Effects;
use crate::options::StoreOptions;
use crate::random::Random;
use crate::space::Space;
use crate::timers::Timers;
pub use crate::value::Digits;
use crate::value::{Hashing, Kind, Value};
use crate::watched::Watched;

/// The most databases a store may have.
const DATABASES_MAX: u32 = 1024;

/// Keys and their values, in numbered databases.
#[derive(Debug)]
pub struct Store {
    pub(crate) options: StoreOptions,
    pub(crate) spaces: Vec<Space>,
    /// Which space each database is: two that are swapped swap places here.
    pub(crate) order: Vec<usize>,
    pub(crate) timers: Timers,
    pub(crate) changes: Changes,
    pub(crate) effects: Effects,
    pub(crate) blocked: Blocked,
    pub(crate) watched: Watched,
    pub(crate) random: Random,
    pub(crate) hashing: Hashing,
    /// Estimated bytes of keys and values.
    pub(crate) used_bytes: u64,
    /// Whether the running command changed anything.
    pub(crate) is_changed: bool,
    /// Whether the running command said its effects itself.
    pub(crate) has_own_effects: bool,
    /// Whether the running command comes from the log: keys do not end by themselves, nothing is told.
    pub(crate) is_replaying: bool,
    /// Whether the open group may need memory: decided once, so that none is done by half.
    pub(crate) group_has_room: Option<bool>,
    pub(crate) expired: u64,
    pub(crate) evicted: u64,
    /// The server whose changes are being written; none for what happens here.
    pub(crate) origin: Option<NonZeroU64>,
    /// Revisions up to this one may be given out before the log has to hear of more.
    pub(crate) reserved: u64,
}

/// What a string holds, or the type of another value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glance<'a> {
    /// A string's bytes.
    Text(&'a [u8]),
    /// Another type.
    Other(Kind),
}

impl Store {
    /// An empty store.
    #[must_use]
    pub fn new(options: StoreOptions) -> Self {
        let hashing = Hashing::with_seed(options.seed);
        let databases = options.databases.clamp(1, DATABASES_MAX);
        Self {
            spaces: (0..databases).map(|_| Space::new(hashing.clone())).collect(),
            order: (0..databases as usize).collect(),
            timers: Timers::default(),
            changes: Changes::new(options.changes_kept, options.changes_bytes),
            effects: Effects::default(),
            blocked: Blocked::default(),
            watched: Watched::default(),
            random: Random::new(options.seed),
            hashing,
            used_bytes: 0,
            is_changed: false,
            has_own_effects: false,
            is_replaying: false,
            group_has_room: None,
            expired: 0,
            evicted: 0,
            origin: None,
            reserved: 0,
            options: StoreOptions { databases, ..options },
        }
    }

    /// What it was made with.
    #[must_use]
    pub fn options(&self) -> &StoreOptions {
        &self.options
    }

    /// Changes the limits of memory; the others stay as they were made.
    pub fn set_memory_limit(&mut self, max_bytes: Option<u64>, eviction: crate::Eviction) {
        self.options.memory_max_bytes = max_bytes;
        self.options.eviction = eviction;
    }

    /// Number of databases.
    #[must_use]
    pub fn databases(&self) -> u32 {
        self.options.databases
    }

    /// Keys in a database, and how many of them have a deadline; zeros for a database there is not.
    #[must_use]
    pub fn len(&self, database: u32) -> (usize, usize) {
        self.space(database).map_or((0, 0), |space| (space.entries.len(), space.expiring))
    }

    /// Whether no database has a key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spaces.iter().all(|space| space.entries.is_empty())
    }

    /// Estimated bytes of all keys and values.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.used_bytes
    }

    /// Keys whose time was over since the store was made, and keys that gave way to others.
    #[must_use]
    pub fn lapsed(&self) -> (u64, u64) {
        (self.expired, self.evicted)
    }

    /// Revision of the last change.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.changes.revision()
    }

    /// Reads a key as it stands, without using it: an event's value. `digits` is where an integer is spelled.
    #[must_use]
    pub fn glance<'a>(&'a self, database: u32, key: &[u8], digits: &'a mut Digits) -> Option<Glance<'a>> {
        let entry = self.space(database)?.entries.get(key)?;
        Some(match &entry.value {
            Value::Text(text) => Glance::Text(text.bytes(digits)),
            other => Glance::Other(other.kind()),
        })
    }

    /// The changes after `revision` of keys in `database` that begin with `prefix`, and those of whole databases.
    ///
    /// # Errors
    /// When changes since then are no longer remembered.
    pub fn changes_since<'a>(
        &'a self,
        revision: u64,
        database: u32,
        prefix: &'a [u8],
    ) -> Result<impl Iterator<Item = Change<'a>> + 'a, Gap> {
        Ok(self.changes.since(revision)?.filter(move |change| {
            change.database == database && change.key.is_none_or(|key| key.starts_with(prefix))
        }))
    }

    /// What is remembered of changes: the revision after which that is everything, and the changes.
    pub fn remembered_changes(&self) -> (u64, impl Iterator<Item = Change<'_>>) {
        self.changes.remembered()
    }

    /// Remembers the changes of another store whose contents this one has taken over, so that whoever watched that one
    /// goes on here. They count as taken.
    pub fn go_on_with_changes<'a>(&mut self, complete_after: u64, changes: impl Iterator<Item = Change<'a>>) {
        self.changes.go_on_with(complete_after, changes);
    }

    /// Gives `sink` every change it was not given before, in order. Returns how many were forgotten before they were
    /// taken, which happens only when one command made more than are remembered.
    pub fn take_changes(&mut self, sink: &mut dyn FnMut(&Change<'_>)) -> u64 {
        self.changes.take(sink)
    }

    fn space(&self, database: u32) -> Option<&Space> {
        self.order.get(database as usize).map(|&space| &self.spaces[space])
    }
}
