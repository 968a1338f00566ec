//! One worker's group.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use remuda_model::{CgroupLimits, Signal};

use super::limits::{self, LimitRefusal};
use crate::{CallError, files, process};

/// Rounds of killing by pid before giving up on a kernel without `cgroup.kill`.
const KILL_ROUNDS: usize = 64;
/// Levels of groups a worker may have made inside its own.
const DEPTH_LIMIT: usize = 32;
const LIST_LIMIT_BYTES: usize = 16 << 20;

/// The group of one worker. Dropped, the group stays; [`remove`](Self::remove) takes it away.
#[derive(Debug)]
pub struct WorkerCgroup {
    path: PathBuf,
    procs: OwnedFd,
    events: File,
}

impl WorkerCgroup {
    pub(super) fn open(path: &Path) -> Result<Self, CallError> {
        let failed = |what: &str, error| CallError::new(format!("{what} cgroup {}", path.display()), error);
        match fs::create_dir(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(failed("create", error));
            }
            _ => {}
        }
        let open =
            |name: &str, write: bool| OpenOptions::new().read(!write).write(write).open(path.join(name));
        let procs = open("cgroup.procs", true).map_err(|error| failed("open", error))?;
        let events = open("cgroup.events", false).map_err(|error| failed("open", error))?;
        Ok(Self { path: path.into(), procs: procs.into(), events })
    }

    /// Its folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// For [`SpawnPlan::cgroup_procs`](crate::spawn::SpawnPlan::cgroup_procs).
    #[must_use]
    pub fn procs(&self) -> BorrowedFd<'_> {
        self.procs.as_fd()
    }

    /// To be watched with [`Interest::Priority`](crate::event::Interest::Priority); says priority when
    /// [`is_populated`](Self::is_populated) has changed, until that is asked.
    #[must_use]
    pub fn events(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }

    /// Whether any process is in it or below it; zombies do not count.
    ///
    /// # Errors
    /// The group was removed.
    pub fn is_populated(&self) -> Result<bool, CallError> {
        let mut text = [0_u8; 256];
        let length = self
            .events
            .read_at(&mut text, 0)
            .map_err(|error| CallError::new(format!("read the events of {}", self.path.display()), error))?;
        Ok(says_populated(&String::from_utf8_lossy(&text[..length])))
    }

    /// Pids in it and below it.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        let mut pids = Vec::new();
        collect(&self.path, DEPTH_LIMIT, &mut pids);
        pids
    }

    /// Kills everybody in it, at once and including those that are just being forked.
    ///
    /// # Errors
    /// The group was removed.
    pub fn kill(&self) -> Result<(), CallError> {
        match files::write(&self.path.join("cgroup.kill"), b"1") {
            Err(error) if error.errno == libc::ENOENT && self.path.exists() => self.kill_one_by_one(),
            result => result,
        }
    }

    /// For kernels before 5.14: frozen, nobody can fork while the list is worked off.
    fn kill_one_by_one(&self) -> Result<(), CallError> {
        let freeze = self.path.join("cgroup.freeze");
        // Kernels before 5.2 cannot freeze; the rounds below catch up with forks then.
        let frozen = files::write(&freeze, b"1").is_ok();
        for _ in 0..KILL_ROUNDS {
            let pids = self.pids();
            for pid in &pids {
                // Whoever is gone between listing and killing is gone.
                drop(process::pidfd_open(*pid).and_then(|pidfd| process::send_signal(pidfd, Signal::KILL)));
            }
            if pids.is_empty() || frozen {
                break;
            }
        }
        if frozen { files::write(&freeze, b"0") } else { Ok(()) }
    }

    /// Applies the limits that are given; returns those that could not be, and why. No limit given is no limit.
    #[must_use]
    pub fn set_limits(&self, limits: &CgroupLimits) -> Vec<LimitRefusal> {
        limits::apply(&self.path, limits)
    }

    /// How many processes of it the kernel killed for lack of memory; `None` without the memory controller.
    #[must_use]
    pub fn memory_events_oom_kill(&self) -> Option<u64> {
        let text = files::read(&self.path.join("memory.events"), 4096).ok()?;
        text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
    }

    /// Removes it, with the groups its processes made in it.
    ///
    /// # Errors
    /// `EBUSY`: somebody lives in it; the group stays.
    pub fn remove(self) -> Result<(), CallError> {
        remove_empty(&self.path)
            .map_err(|error| CallError::new(format!("remove cgroup {}", self.path.display()), error))
    }
}

fn says_populated(events: &str) -> bool {
    events.lines().any(|line| line == "populated 1")
}

pub(super) fn is_populated_at(path: &Path) -> Result<bool, CallError> {
    files::read(&path.join("cgroup.events"), 4096).map(|events| says_populated(&events))
}

fn subfolders(path: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path())
}

fn collect(path: &Path, depth: usize, pids: &mut Vec<u32>) {
    let list = files::read(&path.join("cgroup.procs"), LIST_LIMIT_BYTES).unwrap_or_default();
    pids.extend(list.lines().filter_map(|pid| pid.parse::<u32>().ok()).filter(|pid| *pid != 0));
    if depth > 0 {
        subfolders(path).for_each(|folder| collect(&folder, depth - 1, pids));
    }
}

/// Removes a folder of groups, children first. The kernel refuses groups with processes.
pub(super) fn remove_empty(path: &Path) -> io::Result<()> {
    fn remove(path: &Path, depth: usize) -> io::Result<()> {
        if depth > 0 {
            for folder in subfolders(path) {
                remove(&folder, depth - 1)?;
            }
        }
        match fs::remove_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }
    remove(path, DEPTH_LIMIT)
}
