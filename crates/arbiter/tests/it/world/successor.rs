//! Another machine takes over: from a snapshot, and perhaps after a crash that lost what was under way.

use std::collections::BTreeMap;

use remuda_arbiter::{Arbiter, Input};
use remuda_model::{WorkerId, WorkerPhase};

use super::World;

impl World {
    /// The machine goes through text and back, and nothing else changes.
    pub(super) fn replace_machine(&mut self) {
        let text = serde_json::to_string(&self.arbiter.snapshot()).unwrap();
        self.arbiter = Arbiter::restore(serde_json::from_str(&text).unwrap());
        let again = serde_json::to_string(&self.arbiter.snapshot()).unwrap();
        assert_eq!(text, again, "what was read is not what was written");
    }

    /// The shell dies with all it was about to tell. What lives on are processes, and words on their way from them.
    pub(super) fn crash(&mut self) {
        let phases: BTreeMap<WorkerId, WorkerPhase> = self
            .arbiter
            .view(self.now)
            .iter()
            .flat_map(|service| &service.workers)
            .map(|worker| (worker.id, worker.phase))
            .collect();
        // Ordered, but nobody was told of a process: there is none.
        let unborn = |id: &WorkerId, told: bool| !told && phases.get(id) == Some(&WorkerPhase::Spawning);
        self.processes.retain(|id, process| !unborn(id, process.told));
        let processes = &self.processes;
        self.facts.retain(|_, fact| match fact {
            Input::Spawned { worker, .. }
            | Input::Running { worker }
            | Input::SetupFailed { worker, .. }
            | Input::NotSpawned { worker, .. }
            | Input::Exited { worker, .. }
            | Input::Notify { worker, .. } => processes.contains_key(worker),
            _ => false,
        });
        self.armed.clear();
        self.served.clear();
        self.replace_machine();
        self.step(Input::Resumed);
    }
}
