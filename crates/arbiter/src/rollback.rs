//! Replacements that end early: what came up goes back, what did not come up goes, and what is old goes on.

use std::sync::Arc;

use remuda_model::{EventKind, ServiceName};

use crate::Arbiter;
use crate::life::Cause;
use crate::rollout::{Kind, Rollout, Step};
use crate::service::Slot;
use crate::worker::{Doom, Why, Worker};

impl Arbiter {
    /// A candidate is gone before it had the seat. It is `awaited` unless a later one has taken its place.
    pub(crate) fn candidate_gone(&mut self, worker: &Worker, awaited: bool) {
        let name = &worker.service;
        let step =
            self.services.get(name).and_then(|service| service.rollout.as_ref()?.active.get(&worker.slot));
        let of_rollout = awaited && matches!(step, Some(Step::Starting | Step::Baking));
        if worker.was_asked_to_end() || !of_rollout {
            self.withdraw(name, worker.slot);
            self.fill(name, worker.slot);
            return;
        }
        let words = worker.doom.as_ref().map_or_else(|| "exit 0".to_owned(), ToString::to_string);
        let pid = worker.pid.map_or_else(String::new, |pid| format!(", pid {pid}"));
        let reason = format!("the replacement in slot {}{pid} did not come up: {words}", worker.slot);
        if let Some(service) = self.services.get_mut(name) {
            service.failures_total += 1;
            service.trouble = Some(words);
        }
        self.fail_rollout(name, reason, worker.slot);
    }

    /// A candidate was told to go (its slot is no longer wanted): the rollout goes on without its slot.
    fn withdraw(&mut self, name: &ServiceName, slot: u32) {
        let Some(service) = self.services.get_mut(name) else { return };
        let another = service.slot(slot).is_some_and(|slot| slot.candidate.is_some());
        let Some(rollout) = service.rollout.as_mut().filter(|_| !another) else { return };
        if matches!(rollout.active.get(&slot), Some(Step::Starting | Step::Baking)) {
            rollout.active.remove(&slot);
            rollout.total = rollout.total.saturating_sub(1);
            self.advance(name);
        }
    }

    /// A seat's worker ended by itself: in the midst of a reload that brought it, that counts against the reload.
    pub(crate) fn promoted_seat_failed(&mut self, worker: &Worker) {
        let Some(service) = self.services.get(&worker.service) else { return };
        let Some(rollout) = &service.rollout else { return };
        let is_new = worker.generation == service.generation && rollout.kind != Kind::Recycle;
        if is_new && !worker.proven && rollout.kind != Kind::Rollback {
            let words = worker.doom.as_ref().map_or_else(|| "exit 0".to_owned(), ToString::to_string);
            let reason = format!("the replacement in slot {} came up and ended: {words}", worker.slot);
            self.fail_rollout(&worker.service, reason, worker.slot);
        }
    }

    pub(crate) fn fail_rollout(&mut self, name: &ServiceName, reason: String, failed: u32) {
        let Some(service) = self.services.get_mut(name) else { return };
        let Some(rollout) = service.rollout.take() else {
            self.fill(name, failed);
            return;
        };
        let done = u32::try_from(rollout.replaced.len()).unwrap_or(u32::MAX);
        let newer = |slot: &Slot| {
            let seat = slot.seat.and_then(|seat| self.workers.get(&seat));
            seat.is_some_and(|worker| worker.generation > rollout.from_generation)
        };
        let back: Vec<u32> =
            service.numbered().filter(|(_, slot)| newer(slot)).map(|(slot, _)| slot).collect();
        let rolled_back = rollout.previous.is_some();
        if let Some(previous) = &rollout.previous {
            service.spec = Arc::clone(previous);
        }
        if rollout.kind != Kind::Recycle && back.is_empty() {
            service.generation = rollout.from_generation;
        }
        let total = rollout.total;
        self.touched.insert(name.clone());
        let told = EventKind::ReloadFailed {
            reason: reason.clone(),
            done,
            total,
            rolled_back,
            last_lines: Vec::new(),
        };
        self.tell_service(name, told);
        self.end_candidates(name, &rollout);
        let untouched =
            rollout.replaced.is_empty() && !rollout.active.values().any(|step| *step == Step::Retiring);
        let state = match (rolled_back, back.is_empty()) {
            (_, true) if untouched => "the old workers go on".to_owned(),
            (_, true) => "the others go on as they were".to_owned(),
            (true, false) => {
                format!("{} of {total} had been replaced and go back to what they were", back.len())
            }
            (false, false) => {
                format!("{} of {total} are replaced, the others go on as they were", back.len())
            }
        };
        if rollout.kind == Kind::Recycle {
            self.put_off(name, &rollout.unfinished());
        } else {
            self.reload_ended(name, Err(format!("{name} is not reloaded: {reason}; {state}")));
        }
        if rolled_back && !back.is_empty() {
            self.roll(name, back, Kind::Rollback, None, None);
        }
        self.settle(name);
        self.keep_bounds(name);
        // What waits for a oneshot's end need not wait for it if it is none any more.
        self.release_waiting();
    }

    /// Ends a rollout because something else is wanted.
    pub(crate) fn cancel_rollout(&mut self, name: &ServiceName, by: &str) -> Option<Rollout> {
        let rollout = self.services.get_mut(name).and_then(|service| service.rollout.take())?;
        self.end_candidates(name, &rollout);
        if rollout.kind == Kind::Recycle {
            self.put_off(name, &rollout.unfinished());
        } else {
            let done = u32::try_from(rollout.replaced.len()).unwrap_or(u32::MAX);
            let told = EventKind::ReloadFailed {
                reason: by.to_owned(),
                done,
                total: rollout.total,
                rolled_back: false,
                last_lines: Vec::new(),
            };
            self.tell_service(name, told);
            self.reload_ended(
                name,
                Err(format!("the reload of {name} is {by}, {done} of {} replaced", rollout.total)),
            );
        }
        Some(rollout)
    }

    fn end_candidates(&mut self, name: &ServiceName, rollout: &Rollout) {
        for slot in rollout.active.keys() {
            let candidate = self.services.get(name).and_then(|service| service.slot(*slot)?.candidate);
            // One whose slot goes serves what waits there first.
            if let Some(candidate) = candidate.filter(|id| !self.is_draining(*id)) {
                self.doom(candidate, Doom::Asked(Why::ReloadFailed), Cause::Stop);
            }
        }
    }
}
