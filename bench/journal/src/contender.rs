//! Who is measured, as one shape.

pub(crate) mod fjall;
pub(crate) mod redb;
pub(crate) mod remuda;

use std::path::Path;

use crate::failure::BenchError;
use crate::plan::Promise;
use crate::work::Pair;

/// Something that keeps keys and values in a folder.
pub(crate) trait Contender: Sized {
    /// For the table.
    const NAME: &'static str;

    /// Opens what is in `folder`, or begins anew; every key can be read after it.
    fn open(folder: &Path, promise: Promise) -> Result<Self, BenchError>;

    /// Writes `pairs`, as one group, and returns when they have what `open` promised.
    fn write(&mut self, pairs: &[Pair]) -> Result<(), BenchError>;

    /// A second has gone by since the last sync: brings what was written to the disk, unless that happens by itself.
    fn sync(&mut self) -> Result<(), BenchError>;

    /// How many keys there are with a value of their own, each looked up by its name.
    fn count(&self) -> Result<usize, BenchError>;

    /// Everything is on the disk, and no thread is left.
    fn close(self) -> Result<(), BenchError>;
}
