//! Bringing the actual closer to the wanted: slots filled and emptied.

use std::sync::Arc;
use std::time::Duration;

use remuda_model::{HookPoint, ServiceName, Tick, WorkerId, WorkerPhase};

use crate::Arbiter;
use crate::life::Cause;
use crate::order::Order;
use crate::service::Slot;
use crate::timers::{Alarm, Key};
use crate::worker::{Role, Worker};

impl Arbiter {
    /// Fills every empty slot that may be filled, and retires what is beyond the wanted number.
    pub(crate) fn settle(&mut self, name: &ServiceName) {
        let Some(service) = self.services.get_mut(name) else { return };
        if !service.is_up() {
            return;
        }
        self.touched.insert(name.clone());
        let wanted = service.workers_wanted;
        while service.slot_count() < wanted {
            let slot = service.slot_count();
            service.slots.push(Slot::default());
            // It begins with what is proven, and takes its turn.
            if let Some(rollout) = service.rollout.as_mut().filter(|rollout| rollout.previous.is_some()) {
                rollout.pending.push_back(slot);
                rollout.total += 1;
            }
        }
        let count = service.slot_count();
        for slot in 0..wanted {
            self.recall(name, slot);
            self.fill(name, slot);
        }
        // The kernel fills the hole of a closed listener with the last one, so the last one has to go first.
        for slot in (wanted..count).rev() {
            self.retire(name, slot);
        }
        self.trim(name);
    }

    /// Forgets empty slots beyond the wanted number.
    pub(crate) fn trim(&mut self, name: &ServiceName) {
        let Some(service) = self.services.get_mut(name) else { return };
        let wanted = usize::try_from(service.workers_wanted).unwrap_or(usize::MAX);
        while service.slots.len() > wanted
            && service.slots.last().is_some_and(|slot| slot.seat.is_none() && slot.candidate.is_none())
        {
            service.slots.pop();
        }
    }

    /// Seats a new worker in a slot, if it is empty and may be filled now.
    pub(crate) fn fill(&mut self, name: &ServiceName, slot: u32) {
        let Some(service) = self.services.get(name) else { return };
        let Some(state) = service.slot(slot) else { return };
        let empty =
            state.seat.is_none() && state.candidate.is_none() && state.done.is_none() && state.held.is_none();
        let waits = self.timers.at(&Key::Retry(name.clone(), slot)).is_some();
        let held_back = service.looping && self.probing_slot(name) != Some(slot);
        let alone = !service.spec.singleton || service.alive == 0;
        let vacated = service.rollout.as_ref().is_some_and(|rollout| rollout.active.contains_key(&slot));
        if !service.is_up()
            || self.stopping.is_some()
            || slot >= service.workers_wanted
            || !empty
            || waits
            || held_back
            || !alone
            || vacated
        {
            return;
        }
        let (spec, generation) = match &service.rollout {
            // A seat that falls empty before its turn is filled as it was: the new generation has not proven itself.
            Some(rollout) if rollout.pending.contains(&slot) => {
                (rollout.previous.as_ref().unwrap_or(&service.spec), rollout.from_generation)
            }
            _ => (&service.spec, service.generation),
        };
        let spec = Arc::clone(spec);
        self.create(name, slot, Role::Seat, spec, generation);
    }

    /// In a crash loop, the one slot that goes on trying: the lowest whose worker has not proven itself.
    fn probing_slot(&self, name: &ServiceName) -> Option<u32> {
        let service = self.services.get(name)?;
        let proven = |id: &WorkerId| self.workers.get(id).is_some_and(|worker| worker.proven);
        service
            .numbered()
            .find(|(_, slot)| {
                slot.done.is_none() && slot.held.is_none() && !slot.seat.as_ref().is_some_and(proven)
            })
            .map(|(slot, _)| slot)
    }

    /// Makes a worker.
    pub(crate) fn create(
        &mut self,
        name: &ServiceName,
        slot: u32,
        role: Role,
        spec: Arc<remuda_model::ServiceSpec>,
        generation: u64,
    ) -> WorkerId {
        let id = WorkerId(self.next_worker);
        self.next_worker += 1;
        let recycle = &spec.recycle;
        let jitter = |random: &mut crate::random::Random, limit: u64| {
            limit.saturating_add(random.up_to(limit.saturating_mul(u64::from(recycle.jitter_percent)) / 100))
        };
        let requests_max = recycle.max_requests.map(|limit| jitter(&mut self.random, limit));
        let worker = Worker {
            id,
            service: name.clone(),
            slot,
            generation,
            phase: WorkerPhase::Preparing,
            role,
            pid: None,
            since: self.now,
            ready_at: None,
            proven: false,
            healthy: false,
            doom: None,
            failure: None,
            status: None,
            requests: None,
            requests_max,
            keep_until: self.now,
            watchdog: spec.watchdog,
            pinged: self.now,
            spec,
        };
        self.workers.insert(id, worker);
        if let Some(service) = self.services.get_mut(name) {
            service.alive += 1;
            if let Some(state) = service.slot_mut(slot) {
                match role {
                    Role::Candidate => state.candidate = Some(id),
                    Role::Seat | Role::Retiring => state.seat = Some(id),
                }
            }
        }
        if !self.run_hook(name, HookPoint::BeforeSpawn, Some(id)) {
            self.befall(id, Cause::Passed);
        }
        id
    }

    pub(crate) fn order_spawn(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        worker.since = self.now;
        worker.pinged = self.now;
        let timeout = if worker.role == Role::Candidate {
            worker.spec.reload.timeout
        } else {
            worker.spec.ready_timeout
        };
        self.timers.set(Key::Worker(id, Alarm::Ready), self.now + timeout);
        let workers = self.services.get(&worker.service).map_or(1, |service| service.workers_wanted);
        self.orders.push(Order::Spawn {
            worker: id,
            slot: worker.slot,
            generation: worker.generation,
            workers,
            spec: Arc::clone(&worker.spec),
        });
    }

    pub(crate) fn workers_of(&self, name: &ServiceName) -> Vec<WorkerId> {
        self.workers.values().filter(|worker| worker.service == *name).map(|worker| worker.id).collect()
    }

    /// The tick at which a wait of `duration` ends.
    pub(crate) fn after(&self, duration: Duration) -> Tick {
        self.now + duration
    }
}
