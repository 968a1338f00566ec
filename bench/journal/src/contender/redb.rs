//! redb: a B-tree that is copied on write; a group is a transaction.

use std::path::Path;

use ::redb::{Database, Durability, ReadableDatabase, TableDefinition};

use super::Contender;
use crate::failure::BenchError;
use crate::plan::Promise;
use crate::work::{KEYS, Pair, belongs, key, key_at};

const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("keys");
const FILE: &str = "keys.redb";

/// One database with one table.
#[derive(Debug)]
pub(crate) struct Redb {
    database: Database,
    promise: Promise,
}

impl Contender for Redb {
    const NAME: &'static str = "redb";

    fn open(folder: &Path, promise: Promise) -> Result<Self, BenchError> {
        let database = Database::create(folder.join(FILE)).map_err(failed)?;
        Ok(Self { database, promise })
    }

    fn write(&mut self, pairs: &[Pair]) -> Result<(), BenchError> {
        let durability = match self.promise {
            Promise::Durable => Durability::Immediate,
            Promise::Soon => Durability::None,
        };
        self.commit(pairs, durability)
    }

    fn sync(&mut self) -> Result<(), BenchError> {
        self.commit(&[], Durability::Immediate)
    }

    fn count(&self) -> Result<usize, BenchError> {
        let transaction = self.database.begin_read().map_err(failed)?;
        let table = transaction.open_table(TABLE).map_err(failed)?;
        let mut count = 0;
        for number in (0..KEYS).map(key_at) {
            let found = table.get(key(number).as_slice()).map_err(failed)?;
            count += usize::from(found.is_some_and(|value| belongs(number, value.value())));
        }
        Ok(count)
    }

    fn close(self) -> Result<(), BenchError> {
        self.database.close().map_err(failed)
    }
}

impl Redb {
    fn commit(&self, pairs: &[Pair], durability: Durability) -> Result<(), BenchError> {
        let mut transaction = self.database.begin_write().map_err(failed)?;
        transaction.set_durability(durability).map_err(failed)?;
        {
            let mut table = transaction.open_table(TABLE).map_err(failed)?;
            for (key, value) in pairs {
                table.insert(key.as_slice(), value.as_slice()).map_err(failed)?;
            }
        }
        transaction.commit().map_err(failed)
    }
}

fn failed(error: impl Into<::redb::Error>) -> BenchError {
    Box::new(error.into()).into()
}
