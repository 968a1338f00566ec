//! Which slots get new connections, and how a slot that goes is emptied first.
//!
//! A slot of a per-worker socket has a queue of its own. What is in it waits for the slot's next worker; what comes
//! while nobody accepts there is better given to the others. So the shell is told of each slot whether somebody serves
//! in it. A slot that is no longer wanted has no next worker: its present one stays until nothing waits, or until the
//! time that it has to stop has passed once.

use remuda_model::{ServiceName, ServiceSpec, Stdin, WorkerId, WorkerPhase};

use crate::Arbiter;
use crate::life::Cause;
use crate::order::Order;
use crate::service::Slot;
use crate::timers::{Alarm, Key};
use crate::worker::{Doom, Why};

pub(crate) fn listens(spec: &ServiceSpec) -> bool {
    !spec.sockets.is_empty() || matches!(spec.stdin, Stdin::Socket(_))
}

impl Arbiter {
    /// The wanted number of workers of a service; 0 when there is no such service.
    #[must_use]
    pub fn workers_wanted(&self, name: &ServiceName) -> u32 {
        self.services.get(name).map_or(0, |service| service.workers_wanted)
    }

    /// Tells the shell when a worker's change decides whether its slot is served.
    pub(crate) fn steer(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get(&id) else { return };
        let (name, slot) = (worker.service.clone(), worker.slot);
        let Some(state) = self.services.get(&name).and_then(|service| service.slot(slot)) else { return };
        let serves = self.is_served(state);
        let Some(state) = self.services.get_mut(&name).and_then(|service| service.slot_mut(slot)) else {
            return;
        };
        if std::mem::replace(&mut state.serves, serves) != serves {
            self.orders.push(Order::Steer { service: name, slot, away: !serves });
        }
    }

    /// Whether somebody in a slot accepts connections: the one who sits there, or a candidate on probation.
    pub(crate) fn is_served(&self, slot: &Slot) -> bool {
        let accepts = |id| self.workers.get(&id).is_some_and(|it| it.is_ready() && listens(&it.spec));
        [slot.seat, slot.candidate].into_iter().flatten().any(accepts)
    }

    /// A slot is no longer wanted: its workers go, the one that serves when it has served what waits for it.
    pub(crate) fn retire(&mut self, name: &ServiceName, slot: u32) {
        self.timers.clear(Key::Retry(name.clone(), slot));
        let Some(state) = self.services.get(name).and_then(|service| service.slot(slot)) else { return };
        // A candidate on probation accepts too, and perhaps alone.
        for id in [state.candidate, state.seat].into_iter().flatten() {
            let waits = self.workers.get(&id).is_some_and(|worker| listens(&worker.spec));
            self.doom(id, Doom::Asked(Why::Scale), if waits { Cause::Retire } else { Cause::Stop });
        }
    }

    pub(crate) fn begin_drain(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get(&id) else { return };
        let (service, slot, timeout) = (worker.service.clone(), worker.slot, worker.spec.stop.timeout);
        self.timers.set(Key::Worker(id, Alarm::Drained), self.after(timeout));
        // Its neighbour in the slot, if it serves still, goes in the same step and is drained for both.
        let served =
            self.services.get(&service).and_then(|service| service.slot(slot)).is_some_and(|it| it.serves);
        if !served {
            self.orders.push(Order::Drain { service, slot });
        }
    }

    /// Nothing waits in a slot any more.
    pub(crate) fn drained(&mut self, name: &ServiceName, slot: u32) {
        for id in self.occupants(name, slot) {
            self.befall(id, Cause::Drained);
        }
    }

    /// A slot is wanted again; its worker, if it was still serving what waits, goes on: not if everybody else was
    /// replaced meanwhile. So does a replacement, unless nobody is replaced there any more.
    pub(crate) fn recall(&mut self, name: &ServiceName, slot: u32) {
        let Some(service) = self.services.get(name) else { return };
        let rolls = service.rollout.as_ref().is_some_and(|rollout| rollout.covers(slot));
        let candidate = service.slot(slot).and_then(|state| state.candidate);
        let generation = service.generation;
        for id in
            self.occupants(name, slot).into_iter().filter(|id| self.is_draining(*id)).collect::<Vec<_>>()
        {
            let is_current = self.workers.get(&id).is_some_and(|worker| worker.generation == generation);
            if rolls || is_current && Some(id) != candidate {
                self.befall(id, Cause::Recall);
            } else {
                self.doom(id, Doom::Asked(Why::Reload), Cause::Stop);
            }
        }
    }

    pub(crate) fn is_draining(&self, id: WorkerId) -> bool {
        self.workers.get(&id).is_some_and(|worker| worker.phase == WorkerPhase::Draining)
    }

    fn occupants(&self, name: &ServiceName, slot: u32) -> Vec<WorkerId> {
        let state = self.services.get(name).and_then(|service| service.slot(slot));
        state.map(|state| [state.seat, state.candidate].into_iter().flatten().collect()).unwrap_or_default()
    }

    pub(crate) fn resume(&mut self, id: WorkerId) {
        self.timers.clear(Key::Worker(id, Alarm::Drained));
        let Some(worker) = self.workers.get_mut(&id) else { return };
        worker.doom = None;
        let (ages, old) = (worker.spec.recycle.max_age.is_some(), Key::Worker(id, Alarm::Age));
        // Its age may have been reached meanwhile, when nobody minded.
        if ages && self.timers.at(&old).is_none() {
            self.keep_for_now(id);
        }
    }
}
