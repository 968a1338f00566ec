//! Workers of an arbiter that was killed, as long as no other one has taken them over: what a command finds of them.

use std::path::Path;
use std::time::Duration;

use remuda_daemon::{KeeperError, Orphans, State, Strays, keeper_name};

use crate::exit::{Exit, Failure};
use crate::quantity::age;

/// How long the end of all workers is waited for. Their keeper goes on with it after that.
const ENDING_LIMIT: Duration = Duration::from_secs(600);
/// The same for somebody who does not want to wait.
const NO_WAIT_LIMIT: Duration = Duration::from_millis(1);

/// Workers without an arbiter.
#[derive(Debug)]
pub(crate) struct Left {
    /// Where it is, after "no remuda runs".
    place: String,
    by: By,
}

/// Who has them.
#[derive(Debug)]
enum By {
    /// Their keeper.
    Keeper(Orphans, State),
    /// Nobody: it was killed too.
    Nobody(Box<Strays>),
}

impl Left {
    /// What the arbiter of the runtime folder `folder` left, if it was killed and workers of it go on. Takes at most 2 s.
    pub(crate) fn find(place: String, folder: &Path) -> Option<Self> {
        // A keeper that cannot be asked is none of which anything could be said.
        let keeper = Orphans::find(&keeper_name(folder)).ok().flatten();
        let by = match keeper {
            Some(orphans) => {
                let state = orphans.look().ok()?;
                By::Keeper(orphans, state)
            }
            None => By::Nobody(Box::new(Strays::find(folder)?)),
        };
        Some(Self { place, by })
    }

    fn living(&self) -> usize {
        match &self.by {
            By::Keeper(_, state) => state.living,
            By::Nobody(strays) => strays.living(),
        }
    }

    /// Who goes on without whom.
    fn text(&self) -> String {
        let living = self.living();
        let workers = match living {
            0 => "no worker of it".to_owned(),
            1 => "1 worker".to_owned(),
            several => format!("{several} workers"),
        };
        let (since, stopping) = match &self.by {
            By::Keeper(_, state) => {
                let alone = u64::try_from(state.orphaned_for.as_millis()).unwrap_or(u64::MAX);
                (format!(" {} ago", age(alone)), state.stopping)
            }
            By::Nobody(_) => (", and the keeper of its workers too".to_owned(), false),
        };
        let doing = match (stopping, living) {
            (true, 0 | 1) => "is being ended",
            (true, _) => "are being ended",
            (false, 0 | 1) => "goes on",
            (false, _) => "go on",
        };
        format!("no remuda runs {}: its arbiter was killed{since}, and {workers} {doing}", self.place)
    }

    /// Why a command cannot be carried out.
    pub(crate) fn failure(&self) -> Failure {
        let hint = match &self.by {
            By::Keeper(_, State { stopping: true, .. }) => {
                "`remuda down` waits for the end, and so does `remuda up`"
            }
            By::Keeper(..) | By::Nobody(_) => "`remuda up` takes over what it left, `remuda down` ends it",
        };
        Failure::new(Exit::NotRunning, self.text()).hint(hint)
    }

    /// Has the workers ended; says what came of it.
    pub(crate) fn end(self, no_wait: bool) -> Result<String, Failure> {
        let what = format!("what the arbiter that was killed left (living workers: {})", self.living());
        let failed = |error: &dyn std::fmt::Display| Failure::new(Exit::No, format!("end {what}: {error}"));
        match self.by {
            By::Keeper(orphans, _) => {
                let limit = if no_wait { NO_WAIT_LIMIT } else { ENDING_LIMIT };
                match orphans.stop(limit) {
                    Ok(()) | Err(KeeperError::Gone) => Ok(format!("{what} has ended")),
                    Err(KeeperError::Late { .. }) if no_wait => Ok(format!("{what} is being ended")),
                    Err(error) => Err(failed(&error)),
                }
            }
            By::Nobody(strays) if no_wait => {
                strays.tell();
                Ok(format!("{what} was told to end"))
            }
            By::Nobody(strays) => match strays.end() {
                Ok(()) => Ok(format!("{what} has ended")),
                Err(error) => Err(failed(&error)),
            },
        }
    }
}
