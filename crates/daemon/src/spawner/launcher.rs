//! Who starts workers: the spawner while there is one, else we ourselves.

use std::path::Path;
use std::time::{Duration, Instant};

use remuda_sys::CallError;
use remuda_sys::event::{Interest, Poller};
use remuda_sys::process::peek_exit;
use remuda_sys::spawn::{SpawnError, SpawnPlan, Spawned, Spawner, SpawnerError, spawn};

use crate::daemon::Daemon;
use crate::source::Source;

/// A spawner that ends sooner after its start has hardly worked.
const MIN_LIFE: Duration = Duration::from_secs(1);
/// So many of those in a row, and there is no other: something ends every one.
const SHORT_LIVES_MAX: u32 = 3;

/// The spawner, while there is one.
#[derive(Debug, Default)]
pub(crate) struct Launcher {
    spawner: Option<Spawner>,
    since: Option<Instant>,
    /// How many in a row have hardly worked.
    short_lives: u32,
    /// What became of one that is of no use any more, until [`Daemon::mind_spawner`] has told it.
    lost: Option<String>,
}

impl Launcher {
    /// The spawner's pid.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.spawner.as_ref().map(Spawner::pid)
    }

    fn start(&mut self, poller: &Poller) -> Result<(), SpawnError> {
        // The program that runs, whatever lies at its path by now.
        let spawner = Spawner::start(Path::new("/proc/self/exe"))?;
        // Unwatched, its end is seen when it is needed.
        let _ = poller.add(spawner.pidfd(), Source::SpawnerExit.token(), Interest::Read);
        (self.spawner, self.since) = (Some(spawner), Some(Instant::now()));
        Ok(())
    }

    /// Starts a process; what the spawner cannot do, we do.
    pub(super) fn spawn(&mut self, plan: &SpawnPlan<'_>) -> Result<Spawned, SpawnError> {
        let Some(spawner) = &self.spawner else { return spawn(plan) };
        match spawner.spawn(plan) {
            Ok(spawned) => Ok(spawned),
            Err(SpawnerError::Plan(error)) => Err(error),
            Err(SpawnerError::Unfit(_) | SpawnerError::Refused { .. }) => spawn(plan),
            Err(error @ SpawnerError::Lost { .. }) => {
                self.lost = Some(error.to_string());
                spawn(plan)
            }
        }
    }

    /// Ends the spawner, and waits until it is gone.
    pub(crate) fn finish(&mut self) -> Result<(), CallError> {
        self.spawner.take().map_or(Ok(()), Spawner::finish)
    }
}

impl Daemon {
    /// Starts a spawner; without one, workers are started all the same.
    pub(crate) fn start_spawner(&mut self) {
        if let Err(error) = self.launcher.start(self.poller.get_ref()) {
            self.trouble(format!("start the spawner: {error}; workers are started without it, more slowly"));
        }
    }

    pub(crate) fn spawner_ended(&mut self) {
        let Some(spawner) = &self.launcher.spawner else { return };
        // This may be news of the one before.
        if !matches!(peek_exit(spawner.pidfd()), Ok(None)) {
            self.launcher.lost = Some(format!("the spawner (pid {}) has ended", spawner.pid()));
            self.mind_spawner();
        }
    }

    /// Another spawner takes the place of one that is of no use any more.
    pub(crate) fn mind_spawner(&mut self) {
        let Some(lost) = self.launcher.lost.take() else { return };
        if let Err(error) = self.launcher.finish() {
            self.trouble(error.to_string());
        }
        let lived = self.launcher.since.map_or(Duration::ZERO, |since| since.elapsed());
        self.launcher.short_lives = if lived < MIN_LIFE { self.launcher.short_lives + 1 } else { 0 };
        let again = self.launcher.short_lives < SHORT_LIVES_MAX;
        let then =
            if again { "another one is started" } else { "workers are started without one, more slowly" };
        self.trouble(format!("{lost}; {then}"));
        if again {
            self.start_spawner();
        }
    }
}
