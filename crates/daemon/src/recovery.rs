//! What a former arbiter of this runtime folder left: its record, and the descriptors that outlived it.

mod strays;
mod without_keeper;

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use remuda_sys::CallError;
use remuda_sys::memfd;

use crate::keeper::{KeeperError, Orphans, Taken, keeper_name};
use crate::record::holding;
use crate::record::journal::path_in;
use crate::record::replay::{self, Past, RecordError};

pub use strays::Strays;

/// Longest record that is read: far above what the workers of a machine need.
const RECORD_MAX_BYTES: usize = 1 << 30;
/// How long a keeper may take to see that its arbiter is dead, and how often it is asked meanwhile.
const PROMPT: Duration = Duration::from_secs(1);
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// How long a keeper that ends the workers may take for it, beyond which nothing is started.
const STOPPING: Duration = Duration::from_secs(60);

/// What a former arbiter left.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) past: Past,
    /// By the names of [`holding`].
    pub(crate) descriptors: BTreeMap<String, OwnedFd>,
    /// Bytes of workers' output that were read and had to be thrown away, by the name of their pipe.
    pub(crate) dropped: BTreeMap<String, u64>,
    /// For how long nobody was there.
    pub(crate) alone: Option<Duration>,
}

/// Why a former arbiter's workers cannot be taken over. They go on.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The keeper does not hand them over.
    #[error(
        "take over the workers of an arbiter that was killed: {0}\nhint: they go on; `remuda down` ends them"
    )]
    Keeper(#[from] KeeperError),
    /// There is no record that could be gone on with.
    #[error(
        "take over {workers} workers of an arbiter that was killed: {reason}\nhint: they go on; `remuda down` ends them"
    )]
    Record {
        /// How many live.
        workers: usize,
        /// What is wrong with the record.
        reason: String,
    },
    /// The record cannot be read.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Looks for what a former arbiter of the runtime folder `folder` left, and takes it. `None`: nobody lives, so there is
/// nothing to go on with.
pub(crate) fn find(folder: &Path) -> Result<Option<Found>, RecoveryError> {
    let Some(taken) = take(&Orphans::find(&keeper_name(folder))?)? else {
        return without_keeper::find(&path_in(folder));
    };
    // What cannot be gone on with stays with the keeper, which holds it as before.
    let past = read(&taken, folder)?;
    taken.confirm()?;
    let Taken { mut descriptors, holdings, .. } = taken;
    descriptors.remove(holding::RECORD);
    without_keeper::complete(&past, &mut descriptors);
    let dropped = holdings
        .items
        .into_iter()
        .filter(|(name, holding)| holding.dropped > 0 && !name.starts_with("spill/"));
    let dropped = dropped.map(|(name, holding)| (name, holding.dropped)).collect();
    Ok(Some(Found { past, descriptors, dropped, alone: Some(holdings.state.orphaned_for) }))
}

/// Takes what the keeper holds. `None`: there is none, or it has ended the workers and itself, as it was told to.
fn take(orphans: &Option<Orphans>) -> Result<Option<Taken>, RecoveryError> {
    let Some(orphans) = orphans else { return Ok(None) };
    let deadline = Instant::now() + PROMPT;
    loop {
        match orphans.take() {
            Ok(taken) => return Ok(Some(taken)),
            Err(KeeperError::Gone) => return Ok(None),
            Err(KeeperError::Stopping) => {
                orphans.stop(STOPPING)?;
                return Ok(None);
            }
            // We have its arbiter's lock, so that one is dead, and the keeper is about to see it.
            Err(KeeperError::Busy { .. }) if Instant::now() < deadline => std::thread::sleep(LOOK_AGAIN),
            Err(error) => return Err(error.into()),
        }
    }
}

fn read(taken: &Taken, folder: &Path) -> Result<Past, RecoveryError> {
    let refused = |reason: String| RecoveryError::Record { workers: taken.holdings.state.living, reason };
    let text = match taken.descriptors.get(holding::RECORD) {
        Some(record) => Some(memfd::content(record, RECORD_MAX_BYTES)?),
        // An arbiter that is killed as it begins has not given it to its keeper yet.
        None => without_keeper::text(&path_in(folder))?,
    };
    let text = text.ok_or_else(|| refused("it left no record of them".to_owned()))?;
    replay::replay(&text).map_err(|error: RecordError| refused(error.to_string()))
}
