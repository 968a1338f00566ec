//! Which processes belong to which worker: control groups, where they can be had.

use remuda_model::WorkerId;
use remuda_sys::CallError;
use remuda_sys::cgroup::{Cgroups, WorkerCgroup};

/// The control groups of an instance, or why there are none.
#[derive(Debug)]
pub(crate) struct Tracking {
    cgroups: Option<Cgroups>,
    words: String,
    /// Groups of buried workers in which somebody was still dying.
    leftovers: Vec<WorkerCgroup>,
}

impl Tracking {
    /// Finds out what this machine gives us.
    pub(crate) fn detect(instance: &str) -> Self {
        match Cgroups::detect(instance) {
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

    /// Removes the group of a buried worker, and those before it, as far as everybody in them is dead.
    pub(crate) fn bury(&mut self, cgroup: Option<WorkerCgroup>) {
        self.leftovers.extend(cgroup);
        for cgroup in std::mem::take(&mut self.leftovers) {
            if cgroup.is_populated().unwrap_or(false) {
                self.leftovers.push(cgroup);
            } else {
                // Removed by somebody else is removed.
                let _ = cgroup.remove();
            }
        }
    }

    /// Removes all groups. Somebody stuck in the kernel keeps theirs; the next start removes it.
    pub(crate) fn finish(mut self) {
        self.bury(None);
        if let Some(cgroups) = self.cgroups {
            let _ = cgroups.remove();
        }
    }
}
