//! The machine checks itself: what it counts along the way against a recount.

use remuda_model::WorkerPhase;

use crate::Arbiter;
use crate::service::Service;
use crate::timers::Key;
use crate::worker::{Role, Worker};

impl Arbiter {
    /// What contradicts itself, a line each; empty unless there is a bug. Takes time in proportion to all workers
    /// of all services.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (name, service) in &self.services {
            let workers = || self.workers.values().filter(|worker| worker.service == *name);
            let (alive, ready) = (
                workers().count(),
                workers().filter(|worker| worker.role == Role::Seat && worker.is_ready()).count(),
            );
            if usize::try_from(service.alive) != Ok(alive) {
                faults.push(format!("{name}: {alive} workers live, {} are counted", service.alive));
            }
            if usize::try_from(service.ready) != Ok(ready) {
                faults.push(format!("{name}: {ready} seats are ready, {} are counted", service.ready));
            }
            for worker in workers().filter(|worker| worker.role != Role::Retiring && worker.is_staying()) {
                let held = service.slot(worker.slot).map(|slot| match worker.role {
                    Role::Candidate => slot.candidate,
                    Role::Seat | Role::Retiring => slot.seat,
                });
                if held.flatten() != Some(worker.id) {
                    faults.push(format!(
                        "{name}: {:?} {} is not in slot {}",
                        worker.role, worker.id, worker.slot
                    ));
                }
            }
            let served = service.numbered().filter(|(_, slot)| slot.serves != self.is_served(slot));
            faults.extend(served.map(|(slot, _)| format!("{name}.{slot} is steered by what is not so")));
            let unwanted = |worker: &Worker| worker.slot >= service.workers_wanted || !service.is_up();
            let draining = workers().filter(|worker| worker.phase == WorkerPhase::Draining);
            faults.extend(
                draining
                    .filter(|worker| !unwanted(worker))
                    .map(|worker| format!("{name}: {} drains a slot that is wanted", worker.id)),
            );
            let sitting = service.slots.iter().flat_map(|slot| [slot.seat, slot.candidate]).flatten();
            let gone = sitting.filter(|id| !self.workers.contains_key(id));
            faults.extend(gone.map(|id| format!("{name}: {id} sits in a slot and is gone")));
        }
        for key in self.timers.keys() {
            let known = match key {
                Key::Worker(worker, _) => self.workers.contains_key(worker),
                Key::Retry(service, _) | Key::Idle(service) => self.services.contains_key(service),
                Key::Measure(service) => self.follows_load(service),
                Key::Held(service) => self.services.get(service).is_some_and(Service::is_going_to_be_held),
                Key::Shutdown => self.stopping.is_some(),
            };
            if !known {
                faults.push(format!("{key:?} is awaited, but there is nobody to await it for"));
            }
        }
        faults
    }
}
