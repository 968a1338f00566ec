//! Replacing workers without a gap: reload, changed config, recycling, and the way back.
//!
//! A slot under replacement holds at most one worker more than its share, until its old one is gone, and at most
//! `surge` slots are under replacement at once: so no more than `workers + surge` ever live. The first replacement
//! is a canary and goes alone.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use remuda_model::{EventKind, RequestId, ServiceName, ServiceSpec, WorkerId};
use serde::{Deserialize, Serialize};

use crate::Arbiter;
use crate::life::Cause;
use crate::pending::Goal;
use crate::service::Slot;
use crate::timers::{Alarm, Key};
use crate::worker::{Doom, Role, Why};

/// Replacements under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rollout {
    pub(crate) kind: Kind,
    pub(crate) from_generation: u64,
    /// What the service ran before, if it changed: the way back.
    pub(crate) previous: Option<Arc<ServiceSpec>>,
    pub(crate) pending: VecDeque<u32>,
    pub(crate) active: BTreeMap<u32, Step>,
    pub(crate) replaced: Vec<u32>,
    pub(crate) total: u32,
    /// The canary has come through, or none is wanted.
    pub(crate) open: bool,
}

/// Why workers are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// Somebody asked.
    Reload,
    /// The config changed.
    Apply,
    /// They are old.
    Recycle,
    /// A changed config did not come up.
    Rollback,
}

/// How far the replacement in one slot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step {
    /// A singleton's old worker goes first.
    Vacating,
    /// The candidate is not ready yet.
    Starting,
    /// The candidate is ready and must stay alive a little.
    Baking,
    /// The candidate has the seat; the old worker goes.
    Retiring,
}

impl Rollout {
    /// Its end, well or not, leaves workers of two specs.
    pub(crate) fn changes_spec(&self) -> bool {
        self.previous.is_some() || self.kind == Kind::Rollback
    }

    /// Whether the worker of a slot is being replaced, or will be.
    pub(crate) fn covers(&self, slot: u32) -> bool {
        self.active.contains_key(&slot) || self.pending.contains(&slot)
    }

    /// Slots whose old worker still has the seat.
    pub(crate) fn unfinished(&self) -> Vec<u32> {
        let under_way =
            self.active.iter().filter(|(_, step)| **step != Step::Retiring).map(|(slot, _)| *slot);
        under_way.chain(self.pending.iter().copied()).collect()
    }
}

impl Arbiter {
    /// Begins to replace the workers in `slots`, with what the service's spec is now.
    pub(crate) fn roll(
        &mut self,
        name: &ServiceName,
        mut slots: Vec<u32>,
        kind: Kind,
        mut previous: Option<Arc<ServiceSpec>>,
        asker: Option<RequestId>,
    ) {
        let superseded = self.cancel_rollout(name, "superseded by a newer one");
        if let Some(id) = asker {
            self.wait_for(id, name, Goal::Reloaded);
        }
        let Some(service) = self.services.get_mut(name) else { return };
        let mut from_generation = service.generation;
        if kind != Kind::Recycle {
            service.generation += 1;
        }
        // A changed config that was not through yet is now the newer one's to finish, and its way back too.
        if let Some(superseded) = superseded.filter(Rollout::changes_spec) {
            slots.extend(
                superseded.unfinished().into_iter().filter(|slot| !slots.contains(slot)).collect::<Vec<_>>(),
            );
            if superseded.previous.is_some() {
                (previous, from_generation) = (superseded.previous, superseded.from_generation);
            }
        }
        service.recycle.retain(|slot| !slots.contains(slot));
        // What failed before gets a new chance with what is new.
        service.looping = false;
        service.streak = 0;
        for slot in &slots {
            self.timers.clear(Key::Retry(name.clone(), *slot));
            if let Some(slot) = service.slot_mut(*slot) {
                let (seat, candidate, serves) = (slot.seat, slot.candidate, slot.serves);
                *slot = Slot { seat, candidate, serves, ..Slot::default() };
            }
        }
        let total = u32::try_from(slots.len()).unwrap_or(u32::MAX);
        let open = !service.spec.reload.canary || kind == Kind::Rollback;
        let (pending, active) = (slots.into(), BTreeMap::new());
        let rollout =
            Rollout { kind, from_generation, previous, pending, active, replaced: Vec::new(), total, open };
        service.rollout = Some(rollout);
        self.touched.insert(name.clone());
        if kind != Kind::Recycle {
            self.tell_service(name, EventKind::ReloadStarted { workers: total });
        }
        self.advance(name);
    }

    /// Takes on as many slots as may be under replacement at once; ends when there are none left.
    pub(crate) fn advance(&mut self, name: &ServiceName) {
        loop {
            let Some(service) = self.services.get_mut(name) else { return };
            let wanted = service.workers_wanted;
            let singleton = service.spec.singleton;
            let surge = if singleton { 1 } else { service.spec.reload.surge.max(1) };
            let alone = service.alive == 0;
            let Some(rollout) = &mut service.rollout else { return };
            let limit = if rollout.open { surge } else { 1 };
            if rollout.active.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
                return;
            }
            let Some(slot) = rollout.pending.pop_front() else {
                if rollout.active.is_empty() {
                    self.complete(name);
                }
                return;
            };
            if slot >= wanted {
                rollout.total = rollout.total.saturating_sub(1);
                continue;
            }
            if !singleton || alone {
                self.start_candidate(name, slot);
                continue;
            }
            rollout.active.insert(slot, Step::Vacating);
            if let Some(seat) = service.slot(slot).and_then(|slot| slot.seat) {
                self.doom(seat, Doom::Asked(Why::Reload), Cause::Stop);
            }
        }
    }

    /// No worker of a singleton lives: its successor may.
    pub(crate) fn vacant(&mut self, name: &ServiceName) {
        let Some(service) =
            self.services.get_mut(name).filter(|service| service.is_up() && service.alive == 0)
        else {
            return;
        };
        let wanted = service.workers_wanted;
        let vacated = service.rollout.as_mut().and_then(|rollout| {
            let slot = *rollout.active.iter().find(|(_, step)| **step == Step::Vacating)?.0;
            rollout.active.remove(&slot);
            Some(slot)
        });
        match vacated {
            Some(slot) if slot < wanted => self.start_candidate(name, slot),
            Some(_) => {
                if let Some(rollout) = &mut service.rollout {
                    rollout.total = rollout.total.saturating_sub(1);
                }
                self.advance(name);
            }
            None => self.fill(name, 0),
        }
    }

    fn start_candidate(&mut self, name: &ServiceName, slot: u32) {
        let Some(service) = self.services.get_mut(name) else { return };
        let (spec, generation) = (Arc::clone(&service.spec), service.generation);
        if let Some(rollout) = &mut service.rollout {
            rollout.active.insert(slot, Step::Starting);
        }
        self.create(name, slot, Role::Candidate, spec, generation);
    }

    pub(crate) fn candidate_ready(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get(&id) else { return };
        let (name, slot, bake) = (worker.service.clone(), worker.slot, worker.spec.reload.bake);
        if bake.is_zero() {
            self.promote(id);
            return;
        }
        let rollout = self.services.get_mut(&name).and_then(|service| service.rollout.as_mut());
        if let Some(rollout) = rollout {
            rollout.active.insert(slot, Step::Baking);
            self.timers.set(Key::Worker(id, Alarm::Baked), self.after(bake));
        }
    }

    /// A candidate takes the seat; the one who had it retires.
    pub(crate) fn promote(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get(&id).filter(|worker| worker.role == Role::Candidate) else {
            return;
        };
        let (name, slot) = (worker.service.clone(), worker.slot);
        self.touched.insert(name.clone());
        let Some(service) = self.services.get_mut(&name) else { return };
        let why = match service.rollout.as_ref().map(|rollout| rollout.kind) {
            Some(Kind::Recycle) => Why::Recycle,
            Some(Kind::Reload | Kind::Apply | Kind::Rollback) | None => Why::Reload,
        };
        let Some(state) = service.slot_mut(slot) else { return };
        let old = state.seat;
        // What became of the old one does not count any more.
        *state = Slot { seat: Some(id), serves: state.serves, ..Slot::default() };
        if let Some(rollout) = &mut service.rollout {
            rollout.open = true;
            rollout.active.insert(slot, Step::Retiring);
        }
        self.set_role(id, Role::Seat);
        match old {
            Some(old) => {
                self.set_role(old, Role::Retiring);
                self.doom(old, Doom::Asked(why), Cause::Stop);
                self.advance(&name);
            }
            None => self.retired(&name, slot),
        }
    }

    /// The old worker of a slot is gone: one more is replaced.
    pub(crate) fn retired(&mut self, name: &ServiceName, slot: u32) {
        let Some(service) = self.services.get_mut(name) else { return };
        let Some(rollout) = &mut service.rollout else { return };
        if rollout.active.get(&slot) != Some(&Step::Retiring) {
            return;
        }
        rollout.active.remove(&slot);
        rollout.replaced.push(slot);
        let (done, total) = (u32::try_from(rollout.replaced.len()).unwrap_or(u32::MAX), rollout.total);
        if rollout.kind != Kind::Recycle {
            self.tell_service(name, EventKind::ReloadProgress { done, total });
        }
        // The new one may have ended before the old one.
        self.fill(name, slot);
        self.advance(name);
    }

    fn complete(&mut self, name: &ServiceName) {
        let Some(service) = self.services.get_mut(name) else { return };
        let Some(rollout) = service.rollout.take() else { return };
        let generation = service.generation;
        self.touched.insert(name.clone());
        if rollout.kind != Kind::Recycle {
            self.tell_service(name, EventKind::ReloadDone { workers: rollout.total });
            let words =
                format!("{name} is reloaded: {} replaced, generation {generation}", in_words(rollout.total));
            self.reload_ended(name, Ok(words));
        }
        // A slot that fell empty meanwhile, or an older wish to recycle.
        self.settle(name);
        self.watch_for_idleness(name);
        self.start_recycling(name);
    }
}

pub(crate) fn in_words(workers: u32) -> String {
    if workers == 1 { "1 worker".to_owned() } else { format!("{workers} workers") }
}
