//! Workers whose arbiter and keeper were both killed: known by the record alone, and ended by whoever is asked to.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use remuda_model::Signal;
use remuda_sys::CallError;
use remuda_sys::cgroup::{Leader, kill_trees};
use remuda_sys::event::{Interest, Poller, Token};
use remuda_sys::lock::{Lock, try_lock};
use remuda_sys::process::{foreign_exit, send_signal};

use super::without_keeper::{still, text};
use crate::record::ChildRecord;
use crate::record::journal::path_in;
use crate::record::replay::replay;
use crate::tracking::{MARK, Tracking, mark};

/// Those that were killed have so long to vanish.
const VANISHING: Duration = Duration::from_secs(2);

/// Workers that nobody holds. As long as this lives nobody can take them over.
#[derive(Debug)]
pub struct Strays {
    workers: Vec<(ChildRecord, OwnedFd)>,
    tracking: Tracking,
    folder: PathBuf,
    /// The longest stop timeout of a service.
    grace: Duration,
    _lock: Lock,
}

impl Strays {
    /// Those of the runtime folder `folder`, if there are any and no arbiter has it.
    #[must_use]
    pub fn find(folder: &Path) -> Option<Self> {
        if !path_in(folder).exists() {
            return None;
        }
        // Whoever has it is an arbiter, and will say for itself what there is.
        let lock = try_lock(&folder.join("lock")).ok()?;
        let past = replay(&text(&path_in(folder)).ok()??).ok()?;
        let living = past.children.into_values().filter_map(|child| still(&child).map(|fd| (child, fd)));
        let workers: Vec<_> = living.collect();
        if workers.is_empty() {
            return None;
        }
        Some(Self {
            workers,
            tracking: Tracking::detect(&past.config.instance),
            folder: folder.to_path_buf(),
            grace: past.config.services.values().map(|spec| spec.stop.timeout).max().unwrap_or_default(),
            _lock: lock,
        })
    }

    /// How many live.
    #[must_use]
    pub fn living(&self) -> usize {
        self.workers.iter().filter(|(_, pidfd)| lives(pidfd)).count()
    }

    /// Tells them to end.
    pub fn tell(&self) {
        for (_, pidfd) in &self.workers {
            // Whoever has ended needs no telling.
            let _ = send_signal(pidfd, Signal::TERM);
        }
    }

    /// Ends them: tells them, gives them the longest stop timeout of a service, and kills what is left of their trees.
    ///
    /// # Errors
    /// The kernel refused to wait or to kill; how many live is what [`Self::living`] says.
    pub fn end(mut self) -> Result<(), CallError> {
        self.tell();
        self.wait(self.grace)?;
        self.tracking.end_survivors(|_| false)?;
        let marks: Vec<String> = self
            .workers
            .iter()
            .map(|(child, _)| format!("{MARK}={}", mark(&self.folder, child.worker)))
            .collect();
        let leaders = self.workers.iter().zip(&marks).map(|((child, _), mark)| Leader {
            pid: child.pid,
            start_time: child.start_time,
            marker: Some(mark),
        });
        // Whoever is found is dead in a moment, which is waited for below.
        drop(kill_trees(&leaders.collect::<Vec<_>>()));
        self.wait(VANISHING)?;
        self.tracking.finish();
        // There is nothing to go on with any more; one that stays is recognised as such.
        let _ = std::fs::remove_file(path_in(&self.folder));
        Ok(())
    }

    fn wait(&self, limit: Duration) -> Result<(), CallError> {
        let deadline = Instant::now() + limit;
        for (_, pidfd) in &self.workers {
            let mut poller = Poller::new()?;
            poller.add(pidfd.as_fd(), Token(0), Interest::Read)?;
            let left = deadline.saturating_duration_since(Instant::now());
            // What woke us, an end or the deadline, shows in who lives.
            drop(poller.wait(Some(left))?);
        }
        Ok(())
    }
}

fn lives(pidfd: &OwnedFd) -> bool {
    foreign_exit(pidfd).is_ok_and(|ended| ended.is_none())
}
