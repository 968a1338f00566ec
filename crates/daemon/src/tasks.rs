//! What the loop waits for besides descriptors: hooks, readiness probes, timeouts. Every task is owned here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::upgrade::Fitness;
use remuda_model::{HookOutcome, WorkerId};
use tokio::task::{AbortHandle, JoinSet};

/// How a task ended.
#[derive(Debug)]
pub(crate) enum Done {
    /// A hook has run.
    Hook(u64, HookOutcome),
    /// A worker's probe succeeded.
    Ready(WorkerId),
    /// A program has said whether it could take our place.
    Preflight(Result<Fitness, String>),
}

/// The tasks of the loop.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    set: JoinSet<Done>,
    probes: BTreeMap<WorkerId, AbortHandle>,
    /// Hooks that run.
    hooks: usize,
    helpers: Helpers,
}

/// Pids of children that are no workers (hooks, exec probes): theirs to reap, not the stranger reaper's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Helpers(Arc<Mutex<BTreeSet<u32>>>);

impl Helpers {
    pub(crate) fn add(&self, pid: u32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(pid);
    }

    pub(crate) fn remove(&self, pid: u32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&pid);
    }

    pub(crate) fn contains(&self, pid: u32) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&pid)
    }
}

impl Tasks {
    pub(crate) fn helpers(&self) -> &Helpers {
        &self.helpers
    }

    pub(crate) fn start(&mut self, task: impl Future<Output = Done> + Send + 'static) {
        self.set.spawn(task);
    }

    /// Starts a hook.
    pub(crate) fn start_hook(&mut self, hook: impl Future<Output = Done> + Send + 'static) {
        self.hooks += 1;
        self.start(hook);
    }

    /// Hooks that run, or have ended unheard.
    pub(crate) fn hooks(&self) -> usize {
        self.hooks
    }

    /// Starts the probe of a worker, in place of the one before.
    pub(crate) fn start_probe(
        &mut self,
        worker: WorkerId,
        probe: impl Future<Output = Done> + Send + 'static,
    ) {
        let handle = self.set.spawn(probe);
        if let Some(before) = self.probes.insert(worker, handle) {
            before.abort();
        }
    }

    /// Whether somebody finds out whether a worker is ready.
    pub(crate) fn probes(&self, worker: WorkerId) -> bool {
        self.probes.contains_key(&worker)
    }

    pub(crate) fn stop_probe(&mut self, worker: WorkerId) {
        if let Some(probe) = self.probes.remove(&worker) {
            probe.abort();
        }
    }

    /// The next task that ends; never resolves while there is none.
    ///
    /// # Cancel safety
    /// No outcome is lost when the future is dropped.
    pub(crate) async fn next(&mut self) -> Done {
        loop {
            match self.set.join_next().await {
                Some(Ok(done)) => {
                    if matches!(done, Done::Hook(..)) {
                        self.hooks -= 1;
                    }
                    return done;
                }
                // Aborted: whoever aborted it wants nothing of it. A panic has been reported where it happened.
                Some(Err(_)) => {}
                None => std::future::pending::<()>().await,
            }
        }
    }

    /// Aborts what is left and waits for it.
    pub(crate) async fn finish(mut self) {
        self.set.shutdown().await;
    }
}
