//! Which processes belong to which worker: control groups, where they can be had.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use remuda_model::{InstanceSpec, WorkerId};
use remuda_sys::CallError;
use remuda_sys::cgroup::{Cgroups, WorkerCgroup};
use remuda_sys::event::{Interest, Poller, Token};
use remuda_sys::process::{peek_exit, pidfd_open};

/// At the end, those that were killed have so long to vanish: `down` promises that they are gone. A process takes
/// longer only when it is stuck in the kernel.
const VANISHING: Duration = Duration::from_secs(2);

/// The control groups of an instance, or why there are none.
#[derive(Debug)]
pub(crate) struct Tracking {
    cgroups: Option<Cgroups>,
    words: String,
    /// Of buried workers, what was still dying.
    leftovers: Vec<Leftover>,
}

/// Somebody killed who may take a moment to vanish.
#[derive(Debug)]
enum Leftover {
    Group(WorkerCgroup),
    Process(OwnedFd),
}

impl Leftover {
    fn is_gone(&self) -> bool {
        match self {
            Self::Group(group) => !group.is_populated().unwrap_or(false),
            // An error says that it was reaped, or is not ours to wait for.
            Self::Process(pidfd) => !matches!(peek_exit(pidfd), Ok(None)),
        }
    }

    fn watch(&self, poller: &Poller, token: Token) -> Result<(), CallError> {
        match self {
            Self::Group(group) => poller.add(group.events(), token, Interest::Priority),
            Self::Process(pidfd) => poller.add(pidfd, token, Interest::Read),
        }
    }

    fn clear(self) {
        if let Self::Group(group) = self {
            // Removed by somebody else is removed; somebody stuck in it keeps it until the next start.
            let _ = group.remove();
        }
    }
}

impl Tracking {
    /// Finds out what this machine gives us.
    pub(crate) fn detect(instance: &InstanceSpec) -> Self {
        match Cgroups::detect(&group_name(instance)) {
            Ok(cgroups) => {
                let words = format!("cgroup v2 at {}", cgroups.root().display());
                Self { cgroups: Some(cgroups), words, leftovers: Vec::new() }
            }
            Err(unavailable) => {
                let words = format!("process tree ({unavailable})");
                Self { cgroups: None, words, leftovers: Vec::new() }
            }
        }
    }

    /// By which way trees are tracked and killed, for `status`.
    pub(crate) fn words(&self) -> &str {
        &self.words
    }

    /// A group for a new worker.
    pub(crate) fn create(&self, worker: WorkerId) -> Result<Option<WorkerCgroup>, CallError> {
        self.cgroups.as_ref().map(|cgroups| cgroups.create(&worker.0.to_string())).transpose()
    }

    /// Takes over what is left of a buried worker: its group, or, where there is none, the processes `killed` with it.
    /// Groups are removed as soon as everybody in them is dead.
    pub(crate) fn bury(&mut self, cgroup: Option<WorkerCgroup>, killed: &[u32]) {
        match cgroup {
            Some(group) => self.leftovers.push(Leftover::Group(group)),
            None => {
                let processes = killed.iter().filter_map(|pid| pidfd_open(*pid).ok());
                self.leftovers.extend(processes.map(Leftover::Process));
            }
        }
        self.clear();
    }

    fn clear(&mut self) {
        let leftovers = std::mem::take(&mut self.leftovers);
        let (gone, left): (Vec<_>, Vec<_>) = leftovers.into_iter().partition(Leftover::is_gone);
        self.leftovers = left;
        gone.into_iter().for_each(Leftover::clear);
    }

    /// Waits until those that were killed are dead, and removes all groups.
    pub(crate) fn finish(mut self) {
        self.clear();
        if !self.leftovers.is_empty() {
            // Without a poll there is no wait; the groups that are left then are removed by the next start.
            drop(self.wait_for_leftovers());
            self.leftovers.into_iter().for_each(Leftover::clear);
        }
        if let Some(cgroups) = self.cgroups {
            let _ = cgroups.remove();
        }
    }

    fn wait_for_leftovers(&self) -> Result<(), CallError> {
        let deadline = Instant::now() + VANISHING;
        for leftover in &self.leftovers {
            let mut poller = Poller::new()?;
            leftover.watch(&poller, Token(0))?;
            while !leftover.is_gone() {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Ok(());
                }
                // What woke us is looked at by the loop's condition.
                drop(poller.wait(Some(left))?);
            }
        }
        Ok(())
    }
}

/// Two instances of one name can live in different runtime folders; only the folder is locked, so its hash
/// (FNV-1a, 32 bits) keeps their groups apart. The next arbiter of the same folder finds what this one leaves.
fn group_name(instance: &InstanceSpec) -> String {
    let folder = instance.runtime_dir.as_os_str().as_encoded_bytes();
    let hash =
        folder.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    format!("{}-{hash:08x}", instance.name)
}
