//! fjall: a tree of sorted tables behind a journal; a group is a batch.

use std::path::Path;

use ::fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use super::Contender;
use crate::failure::BenchError;
use crate::plan::Promise;
use crate::work::{KEYS, Pair, belongs, key, key_at};

/// One database with one keyspace.
pub(crate) struct Fjall {
    keyspace: Keyspace,
    database: Database,
    promise: Promise,
}

impl Contender for Fjall {
    const NAME: &'static str = "fjall";

    fn open(folder: &Path, promise: Promise) -> Result<Self, BenchError> {
        let database = Database::builder(folder.join("fjall")).open()?;
        let keyspace = database.keyspace("keys", KeyspaceCreateOptions::default)?;
        Ok(Self { keyspace, database, promise })
    }

    fn write(&mut self, pairs: &[Pair]) -> Result<(), BenchError> {
        if let [(key, value)] = pairs {
            // The short way. It gives the kernel what it wrote, which is what Remuda's journal promises at the least.
            self.keyspace.insert(key.as_slice(), value.as_slice())?;
            return if self.promise == Promise::Durable { self.sync() } else { Ok(()) };
        }
        let mode = match self.promise {
            Promise::Durable => PersistMode::SyncData,
            Promise::Soon => PersistMode::Buffer,
        };
        let mut batch = self.database.batch().durability(Some(mode));
        for (key, value) in pairs {
            batch.insert(&self.keyspace, key.as_slice(), value.as_slice());
        }
        Ok(batch.commit()?)
    }

    fn sync(&mut self) -> Result<(), BenchError> {
        Ok(self.database.persist(PersistMode::SyncData)?)
    }

    fn count(&self) -> Result<usize, BenchError> {
        let mut count = 0;
        for number in (0..KEYS).map(key_at) {
            let found = self.keyspace.get(key(number))?;
            count += usize::from(found.is_some_and(|value| belongs(number, &value)));
        }
        Ok(count)
    }

    /// Dropped, it ends its threads.
    fn close(self) -> Result<(), BenchError> {
        let Self { keyspace, database, .. } = self;
        drop(keyspace);
        database.persist(PersistMode::SyncData)?;
        drop(database);
        Ok(())
    }
}
