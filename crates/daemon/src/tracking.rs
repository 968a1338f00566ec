//! Which processes belong to which worker: control groups, where they can be had.
//!
//! Elsewhere trees are found by going through all processes. That costs the same for many workers as for one, so who
//! is to be killed waits for the end of the loop's turn, and a thousand that die at once take a few passes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use remuda_model::{InstanceSpec, Signal, WorkerId};
use remuda_sys::CallError;
use remuda_sys::cgroup::{Cgroups, Leader, WorkerCgroup, kill_trees};
use remuda_sys::event::{Interest, Poller, Token};
use remuda_sys::process::{peek_exit, reap, send_signal};

use crate::child::Child;

/// Trees killed in one go: as many as one turn of the loop brings ends. Each takes room in our table of descriptors
/// while it is killed.
const TREES_PER_TURN: usize = 256;

/// At the end, those that were killed have so long to vanish: `down` promises that they are gone. A process takes
/// longer only when it is stuck in the kernel.
const VANISHING: Duration = Duration::from_secs(2);

/// The control groups of an instance, or why there are none.
#[derive(Debug)]
pub(crate) struct Tracking {
    cgroups: Option<Cgroups>,
    words: String,
    /// The runtime folder.
    folder: PathBuf,
    /// Of buried workers, what was still dying.
    leftovers: Vec<Leftover>,
    /// Living workers without a control group whose trees are to be killed.
    condemned: BTreeSet<WorkerId>,
    /// Dead ones, unreaped, so that their numbers are still theirs.
    unburied: VecDeque<Child>,
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

/// The variable by which what a worker left behind is known. After a crash of an arbiter all its workers are orphans,
/// and those of other instances have the same numbers: so it names the instance too.
pub(crate) const MARK: &str = "REMUDA_MARK";

/// Its value: like no other worker's on this machine.
pub(crate) fn mark(folder: &Path, worker: WorkerId) -> String {
    format!("{}#{}", folder.display(), worker.0)
}

impl Tracking {
    /// Finds out what this machine gives us.
    pub(crate) fn detect(instance: &InstanceSpec) -> Self {
        let (cgroups, words) = match Cgroups::detect(&group_name(instance)) {
            Ok(cgroups) => {
                let words = format!("cgroup v2 at {}", cgroups.root().display());
                (Some(cgroups), words)
            }
            Err(unavailable) => (None, format!("process tree ({unavailable})")),
        };
        let (leftovers, condemned, unburied) = (Vec::new(), BTreeSet::new(), VecDeque::new());
        let folder = instance.runtime_dir.clone();
        Self { cgroups, words, folder, leftovers, condemned, unburied }
    }

    /// By which way trees are tracked and killed, for `status`.
    pub(crate) fn words(&self) -> &str {
        &self.words
    }

    /// Kills everybody in the groups that a former arbiter left and that are not `known` by their names.
    pub(crate) fn end_survivors(&mut self, known: impl Fn(&str) -> bool) -> Result<(), CallError> {
        let Some(cgroups) = &self.cgroups else { return Ok(()) };
        let mut groups = Vec::new();
        for name in cgroups.survivors().iter().filter(|name| !known(name)) {
            let group = cgroups.create(name)?;
            group.kill()?;
            groups.push(group);
        }
        groups.into_iter().for_each(|group| self.bury(group));
        Ok(())
    }

    /// A group for a new worker.
    pub(crate) fn create(&self, worker: WorkerId) -> Result<Option<WorkerCgroup>, CallError> {
        self.cgroups.as_ref().map(|cgroups| cgroups.create(&worker.0.to_string())).transpose()
    }

    /// Takes over the group of a buried worker, whose processes were killed. It is removed as soon as all are dead.
    pub(crate) fn bury(&mut self, group: WorkerCgroup) {
        self.leftovers.push(Leftover::Group(group));
        self.clear();
    }

    /// Has the tree of a living worker without control group killed by [`Self::kill_trees`].
    pub(crate) fn condemn(&mut self, worker: WorkerId) {
        self.condemned.insert(worker);
    }

    /// Has what a dead worker without control group left behind killed by [`Self::kill_trees`], which then reaps it.
    pub(crate) fn lay_out(&mut self, child: Child) {
        self.condemned.remove(&child.id);
        self.unburied.push_back(child);
    }

    /// Pids of the dead that wait for their burial.
    pub(crate) fn unburied(&self) -> impl Iterator<Item = u32> {
        self.unburied.iter().flat_map(|child| [child.pid, child.main_pid()])
    }

    /// Kills trees that wait for it, at most 256; says whether more do. `living` are the workers that are not laid out.
    pub(crate) fn kill_trees(&mut self, living: &BTreeMap<WorkerId, Child>) -> bool {
        let dead: Vec<Child> = self.unburied.drain(..self.unburied.len().min(TREES_PER_TURN)).collect();
        let mut trees: Vec<&Child> = dead.iter().collect();
        while trees.len() < TREES_PER_TURN
            && let Some(worker) = self.condemned.pop_first()
        {
            trees.extend(living.get(&worker));
        }
        if !trees.is_empty() {
            self.kill(&trees);
            for child in &dead {
                // Its end was seen, so it can be taken; if it was taken already, nobody needs it.
                drop(reap(&child.pidfd));
            }
            self.clear();
        }
        !self.unburied.is_empty() || !self.condemned.is_empty()
    }

    fn kill(&mut self, trees: &[&Child]) {
        let markers: Vec<String> =
            trees.iter().map(|child| format!("{MARK}={}", mark(&self.folder, child.id))).collect();
        let leaders: Vec<Leader<'_>> = trees
            .iter()
            .zip(&markers)
            .map(|(child, marker)| Leader {
                pid: child.pid,
                start_time: child.start_time,
                marker: Some(marker),
            })
            .collect();
        for main in trees.iter().filter_map(|child| child.main.as_ref()) {
            // Gone is what it should be.
            drop(send_signal(main.pidfd.as_fd(), Signal::KILL));
        }
        let killed = kill_trees(&leaders);
        self.leftovers.extend(killed.into_iter().map(|killed| Leftover::Process(killed.pidfd)));
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
