//! One contender's turn: load, open, overwrite in every way, and look whether all is there.

use std::path::Path;
use std::time::Instant;

use crate::contender::Contender;
use crate::failure::BenchError;
use crate::meter::{Meter, occupied};
use crate::plan::{LOAD_GROUP, Promise, STEPS, SYNC_PERIOD, Step};
use crate::work::{KEYS, Pair, Work};

/// What one turn gave.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) load: Writing,
    /// Bytes the files occupy after the loading, for each key.
    pub(crate) occupied: f64,
    /// Milliseconds until the folder is open, and until every key has been read too.
    pub(crate) open_ms: f64,
    pub(crate) read_ms: f64,
    /// Milliseconds until what a killed process leaves is open.
    pub(crate) crash_ms: f64,
    /// One for each of [`STEPS`].
    pub(crate) steps: Vec<Writing>,
}

/// What writes cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writing {
    /// Writes a second.
    pub(crate) rate: f64,
    /// Microseconds of processor for a write, and bytes to the disk; what closing takes is in them.
    pub(crate) processor_us: f64,
    pub(crate) written: f64,
}

/// A whole turn, in a folder that is made for it and removed.
pub(crate) fn round<C: Contender>(parent: &Path) -> Result<Figures, BenchError> {
    let folder = parent.join(C::NAME);
    std::fs::create_dir_all(&folder).map_err(|source| BenchError::file(&folder, source))?;
    let load = load::<C>(&folder)?;
    let occupied = ratio(occupied(&folder)?, u64::from(KEYS));
    let began = Instant::now();
    let mut contender = C::open(&folder, Promise::Durable)?;
    let open_ms = began.elapsed().as_secs_f64() * 1e3;
    check(&contender)?;
    let read_ms = began.elapsed().as_secs_f64() * 1e3;
    let crash_ms = crash(&mut contender, &folder, &parent.join("crashed"))?;
    contender.close()?;
    let steps = STEPS.iter().map(|step| overwrite::<C>(&folder, step)).collect::<Result<_, _>>()?;
    let contender = C::open(&folder, Promise::Soon)?;
    check(&contender)?;
    contender.close()?;
    std::fs::remove_dir_all(&folder).map_err(|source| BenchError::file(&folder, source))?;
    Ok(Figures { load, occupied, open_ms, read_ms, crash_ms, steps })
}

fn load<C: Contender>(folder: &Path) -> Result<Writing, BenchError> {
    let mut work = Work::new(0);
    let mut contender = C::open(folder, Promise::Soon)?;
    let meter = Meter::start()?;
    let mut synced = Instant::now();
    let mut pairs = Vec::with_capacity(LOAD_GROUP);
    for place in 0..KEYS {
        pairs.push(work.at(place));
        if pairs.len() == LOAD_GROUP {
            write(&mut contender, &pairs, &mut synced)?;
            pairs.clear();
        }
    }
    write(&mut contender, &pairs, &mut synced)?;
    contender.sync()?;
    contender.close()?;
    let cost = meter.read()?;
    let count = u64::from(KEYS);
    Ok(Writing {
        rate: as_f64(count) / cost.time.as_secs_f64(),
        processor_us: cost.processor.as_secs_f64() * 1e6 / as_f64(count),
        written: ratio(cost.written, count),
    })
}

/// Opens the files as they are while somebody has them open, right after a durable write.
fn crash<C: Contender>(contender: &mut C, folder: &Path, copy: &Path) -> Result<f64, BenchError> {
    contender.write(&[Work::new(2).any()])?;
    copy_folder(folder, copy)?;
    let began = Instant::now();
    let survivor = C::open(copy, Promise::Soon)?;
    let open_ms = began.elapsed().as_secs_f64() * 1e3;
    check(&survivor)?;
    survivor.close()?;
    std::fs::remove_dir_all(copy).map_err(|source| BenchError::file(copy, source))?;
    Ok(open_ms)
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), BenchError> {
    let failed = |source| BenchError::file(from, source);
    std::fs::create_dir_all(to).map_err(failed)?;
    for entry in std::fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let target = to.join(entry.file_name());
        if entry.file_type().map_err(failed)?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target).map_err(failed)?;
        }
    }
    Ok(())
}

fn overwrite<C: Contender>(folder: &Path, step: &Step) -> Result<Writing, BenchError> {
    let mut work = Work::new(1);
    let mut contender = C::open(folder, step.promise)?;
    let meter = Meter::start()?;
    let (began, mut synced) = (Instant::now(), Instant::now());
    let mut pairs = Vec::with_capacity(step.group);
    let mut count = 0;
    while began.elapsed() < step.time {
        pairs.clear();
        pairs.extend((0..step.group).map(|_| work.any()));
        match step.promise {
            Promise::Durable => contender.write(&pairs)?,
            Promise::Soon => write(&mut contender, &pairs, &mut synced)?,
        }
        count += u64::try_from(pairs.len()).expect("a small number");
    }
    let durable_time = began.elapsed();
    if step.promise == Promise::Soon {
        contender.sync()?;
    }
    contender.close()?;
    let cost = meter.read()?;
    // Where a write does not wait for the disk, the time until it had everything counts.
    let time = if step.promise == Promise::Soon { cost.time } else { durable_time };
    Ok(Writing {
        rate: as_f64(count) / time.as_secs_f64(),
        processor_us: cost.processor.as_secs_f64() * 1e6 / as_f64(count),
        written: ratio(cost.written, count),
    })
}

/// Writes, and syncs when it is time.
fn write<C: Contender>(contender: &mut C, pairs: &[Pair], synced: &mut Instant) -> Result<(), BenchError> {
    contender.write(pairs)?;
    if synced.elapsed() >= SYNC_PERIOD {
        contender.sync()?;
        *synced = Instant::now();
    }
    Ok(())
}

fn check<C: Contender>(contender: &C) -> Result<(), BenchError> {
    let (found, expected) = (contender.count()?, usize::try_from(KEYS).expect("a small number"));
    if found == expected { Ok(()) } else { Err(BenchError::Lost { contender: C::NAME, found, expected }) }
}

fn ratio(bytes: u64, count: u64) -> f64 {
    as_f64(bytes) / as_f64(count)
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run of minutes are far below 2^52")]
fn as_f64(count: u64) -> f64 {
    count as f64
}
