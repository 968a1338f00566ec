//! What a slot does when its worker is gone: a successor at once, later, on probation, or none.

use std::time::Duration;

use remuda_model::{EventKind, Restart, ServiceName};

use crate::Arbiter;
use crate::exit::millis;
use crate::order::Order;
use crate::rollout::Step;
use crate::service::Service;
use crate::timers::Key;
use crate::worker::{Doom, Worker};

impl Arbiter {
    pub(crate) fn seat_gone(&mut self, worker: &Worker) {
        let name = &worker.service;
        let up = self.services.get(name).is_some_and(|service| service.is_up());
        if up && self.vacates(name, worker.slot) {
            return;
        }
        match &worker.doom {
            Some(Doom::Asked(_)) => {
                if let Some(slot) =
                    self.services.get_mut(name).and_then(|service| service.slot_mut(worker.slot))
                {
                    slot.failures = 0;
                }
                self.fill(name, worker.slot);
            }
            None | Some(Doom::Failed(_)) if up => self.ended_by_itself(worker),
            None | Some(Doom::Failed(_)) => {}
        }
    }

    /// A rollout waits for the slot's old worker to be gone.
    fn vacates(&self, name: &ServiceName, slot: u32) -> bool {
        let rollout = self.services.get(name).and_then(|service| service.rollout.as_ref());
        rollout.is_some_and(|rollout| rollout.active.get(&slot) == Some(&Step::Vacating))
    }

    /// Nobody asked it to end: it gets a successor, or its slot is done.
    fn ended_by_itself(&mut self, worker: &Worker) {
        let name = &worker.service;
        let well = worker.doom.is_none();
        let Some(service) = self.services.get_mut(name) else { return };
        let words = words_for(service, worker);
        let spec = &service.spec;
        let stays_down = match spec.restart {
            _ if well && (spec.oneshot || spec.on_demand.is_some()) => true,
            Restart::Always => false,
            Restart::OnFailure => well,
            Restart::Never => true,
        };
        if !(well && stays_down) {
            // Who should run and does not has failed, with whatever code it went.
            service.failures_total += 1;
            service.trouble = Some(words);
        }
        if stays_down {
            if let Some(slot) = service.slot_mut(worker.slot) {
                slot.done = Some(well);
            }
            return;
        }
        self.promoted_seat_failed(worker);
        self.retry(worker);
    }

    /// Its slot is tried again: at once, later, or not.
    fn retry(&mut self, worker: &Worker) {
        let name = &worker.service;
        let backoff = worker.spec.backoff.clone();
        let Some(service) = self.services.get_mut(name) else { return };
        let words = words_for(service, worker);
        if !worker.proven {
            service.streak += 1;
        }
        let streak = service.streak;
        let Some(slot) = service.slot_mut(worker.slot) else { return };
        slot.failures = if worker.healthy { 1 } else { slot.failures + 1 };
        let failures = slot.failures;
        if worker.failure.as_ref().is_some_and(|failure| failure.permanent) {
            slot.held = Some(words.clone());
            let nobody = service.alive == 0 && service.slots.iter().all(|slot| slot.seat.is_none());
            if nobody || service.is_held() {
                self.fail_service(name, words);
            }
            return;
        }
        if backoff.give_up_after.is_some_and(|limit| failures > limit) {
            let reason = format!("gave up after {failures} failures in a row; the last: {words}");
            self.fail_service(name, reason);
            return;
        }
        let looping = service.looping;
        if !looping && streak >= backoff.crash_loop_after && !self.any_proven(name) {
            if let Some(service) = self.services.get_mut(name) {
                service.looping = true;
            }
            self.tell_service(name, EventKind::CrashLoop { failures: streak });
        }
        let delay = self.delay(failures, &backoff);
        if delay.is_zero() {
            self.fill(name, worker.slot);
        } else {
            self.timers.set(Key::Retry(name.clone(), worker.slot), self.after(delay));
            let kind = EventKind::Backoff { delay_ms: millis(delay), failures };
            self.orders.push(Order::Tell(worker.event(kind)));
        }
    }

    fn any_proven(&self, name: &ServiceName) -> bool {
        self.workers.values().any(|worker| worker.service == *name && worker.proven && worker.is_staying())
    }

    fn delay(&mut self, failures: u32, backoff: &remuda_model::Backoff) -> Duration {
        let Some(doublings) = failures.checked_sub(2) else { return Duration::ZERO };
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        let full = backoff.base.saturating_mul(factor).min(backoff.cap);
        self.random.equal_jitter(full)
    }
}

/// How the worker that ended last in `service` came to its end.
fn words_for(service: &Service, worker: &Worker) -> String {
    let well = || format!("exit {}", service.last_code.unwrap_or_default());
    worker.doom.as_ref().map_or_else(well, ToString::to_string)
}
