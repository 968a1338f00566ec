//! What becomes of a worker: running, ready, ending, gone, and what its slot does then.

use std::time::Duration;

use remuda_model::{EventKind, ExitStatus, HookPoint, SpawnFailure, WorkerId, WorkerPhase};

use crate::Arbiter;
use crate::life::Cause;
use crate::order::Order;
use crate::timers::{Alarm, Key};
use crate::worker::{Doom, Role};

/// A worker that was ready for this long has booted: its later end is a crash, not a failure to boot.
const PROVEN_AFTER: Duration = Duration::from_secs(1);
/// Time a worker has to dump core when its watchdog aborts it, and between two tries to kill one.
const ABORT_GRACE: Duration = Duration::from_secs(5);

impl Arbiter {
    pub(crate) fn fail_spawn(&mut self, id: WorkerId, failure: SpawnFailure, cause: Cause) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        if worker.phase == WorkerPhase::Spawning && worker.failure.is_none() {
            worker.doom.get_or_insert(Doom::Failed(failure.to_string()));
            worker.failure = Some(failure.clone());
            self.tell_worker(id, EventKind::SpawnFailed { failure });
        }
        self.befall(id, cause);
    }

    /// Its program runs.
    pub(crate) fn running(&mut self, id: WorkerId) {
        self.tell_worker(id, EventKind::WorkerSpawned);
        self.orders.push(Order::Probe { worker: id });
        let Some(worker) = self.workers.get(&id) else { return };
        let service = worker.service.clone();
        if let Some(service) = self.services.get_mut(&service) {
            service.starts_total += 1;
        }
        if let Some(interval) = worker.watchdog {
            self.timers.set(Key::Worker(id, Alarm::Watchdog), self.after(interval));
        }
        self.run_hook(&service, HookPoint::AfterSpawn, Some(id));
    }

    /// It serves.
    pub(crate) fn served(&mut self, id: WorkerId) {
        let now = self.now;
        let Some(worker) = self.workers.get_mut(&id) else { return };
        worker.ready_at = Some(now);
        let after_ms = millis(now.since(worker.since));
        let (role, healthy_after) = (worker.role, worker.spec.backoff.healthy_after);
        let age = worker.spec.recycle.max_age;
        let percent = worker.spec.recycle.jitter_percent;
        self.timers.clear(Key::Worker(id, Alarm::Ready));
        self.timers.set(Key::Worker(id, Alarm::Proven), now + PROVEN_AFTER.min(healthy_after));
        self.timers.set(Key::Worker(id, Alarm::Healthy), now + healthy_after);
        if let Some(age) = age {
            let spread = millis(age).saturating_mul(u64::from(percent)) / 100;
            let at = now + age + Duration::from_millis(self.random.up_to(spread));
            self.timers.set(Key::Worker(id, Alarm::Age), at);
        }
        let name = worker.service.clone();
        self.booted(&name, Duration::from_millis(after_ms));
        self.orders.push(Order::StopProbe { worker: id });
        self.tell_worker(id, EventKind::WorkerReady { after_ms });
        if role == Role::Candidate {
            self.candidate_ready(id);
        }
    }

    pub(crate) fn proven(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        worker.proven = true;
        let name = worker.service.clone();
        let Some(service) = self.services.get_mut(&name) else { return };
        service.streak = 0;
        if std::mem::take(&mut service.looping) {
            self.tell_service(&name, EventKind::Recovered);
            self.settle(&name);
        }
    }

    pub(crate) fn healthy(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        worker.healthy = true;
        let (name, slot) = (worker.service.clone(), worker.slot);
        if let Some(slot) = self.services.get_mut(&name).and_then(|service| service.slot_mut(slot)) {
            slot.failures = 0;
        }
    }

    pub(crate) fn too_late(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get(&id) else { return };
        let after_ms = millis(self.now.since(worker.since));
        self.tell_worker(id, EventKind::ReadyTimeout { after_ms });
        let words = format!("was not ready within {}", seconds(after_ms));
        self.doom(id, Doom::Failed(words), Cause::TooLate);
    }

    pub(crate) fn watchdog_missed(&mut self, id: WorkerId, how: &str) {
        let Some(worker) = self.workers.get(&id) else { return };
        if !matches!(worker.phase, WorkerPhase::Starting | WorkerPhase::Ready | WorkerPhase::Draining) {
            return;
        }
        let silent_ms = millis(self.now.since(worker.pinged));
        self.tell_worker(id, EventKind::WatchdogMissed { silent_ms });
        self.doom(id, Doom::Failed(how.to_owned()), Cause::Hung);
    }

    pub(crate) fn signal_stop(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get(&id) else { return };
        let stop = worker.spec.stop.clone();
        let reason = worker.doom.as_ref().map_or_else(String::new, ToString::to_string);
        self.leave_ready(id);
        self.timers.set(Key::Worker(id, Alarm::Grace), self.after(stop.timeout));
        self.tell_worker(id, EventKind::WorkerStopping { signal: stop.signal, reason });
        self.orders.push(Order::Signal { worker: id, signal: stop.signal, scope: stop.scope });
    }

    pub(crate) fn abort(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get(&id) else { return };
        let reason = worker.doom.as_ref().map_or_else(String::new, ToString::to_string);
        self.leave_ready(id);
        self.timers.set(Key::Worker(id, Alarm::Grace), self.after(ABORT_GRACE));
        let signal = remuda_model::Signal::ABRT;
        self.tell_worker(id, EventKind::WorkerStopping { signal, reason });
        self.orders.push(Order::Signal { worker: id, signal, scope: remuda_model::StopScope::Main });
    }

    pub(crate) fn order_kill(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get(&id) else { return };
        let reason = worker.doom.as_ref().map_or_else(String::new, ToString::to_string);
        self.leave_ready(id);
        self.timers.set(Key::Worker(id, Alarm::Grace), self.after(ABORT_GRACE));
        self.tell_worker(id, EventKind::WorkerKilling { reason });
        self.orders.push(Order::Kill { worker: id });
    }

    fn leave_ready(&mut self, id: WorkerId) {
        self.timers.clear_worker(id);
        self.orders.push(Order::StopProbe { worker: id });
    }

    pub(crate) fn grace_over(&mut self, id: WorkerId) {
        self.befall(id, Cause::GraceOver);
    }

    /// Its main process ended.
    pub(crate) fn exited(&mut self, id: WorkerId, status: ExitStatus) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        if worker.phase == WorkerPhase::Ended || worker.phase == WorkerPhase::Preparing {
            return;
        }
        let well = match status {
            ExitStatus::Code(code) => code == 0 || worker.spec.success_codes.contains(&code),
            ExitStatus::Signal { .. } | ExitStatus::Unknown => false,
        };
        if !well {
            worker.doom.get_or_insert_with(|| Doom::Failed(status.to_string()));
        }
        let expected = worker.was_asked_to_end() || (well && worker.spec.oneshot);
        let lived_ms = millis(self.now.since(worker.since));
        if let Some(service) = self.services.get_mut(&worker.service) {
            service.last_code = Some(status.shell_code());
        }
        let told = EventKind::WorkerExited { status, expected, lived_ms, last_lines: Vec::new() };
        if worker.failure.is_none() {
            self.tell_worker(id, told);
        }
        self.befall(id, Cause::Exited);
    }

    /// It has ended, but its pid is still its own.
    pub(crate) fn ended(&mut self, id: WorkerId) {
        self.leave_ready(id);
        let Some(worker) = self.workers.get(&id) else { return };
        let service = worker.service.clone();
        if !self.run_hook(&service, HookPoint::BeforeReap, Some(id)) {
            self.befall(id, Cause::Released);
        }
    }

    /// It is reaped; its pid may be another's from now on.
    pub(crate) fn bury(&mut self, id: WorkerId) {
        self.orders.push(Order::Bury { worker: id });
        if let Some(service) = self.workers.get(&id).map(|worker| worker.service.clone()) {
            self.run_hook(&service, HookPoint::AfterReap, Some(id));
        }
        self.gone(id);
    }

    /// It is forgotten; its slot goes on.
    pub(crate) fn gone(&mut self, id: WorkerId) {
        self.timers.clear_worker(id);
        let Some(role) = self.workers.get(&id).map(|worker| worker.role) else { return };
        self.set_phase(id, WorkerPhase::Ended);
        let Some(worker) = self.workers.remove(&id) else { return };
        let name = worker.service.clone();
        self.touched.insert(name.clone());
        let Some(service) = self.services.get_mut(&name) else { return };
        service.alive = service.alive.saturating_sub(1);
        let mut awaited = false;
        if let Some(slot) = service.slot_mut(worker.slot) {
            awaited = slot.candidate == Some(id);
            slot.seat = slot.seat.filter(|seat| *seat != id);
            slot.candidate = slot.candidate.filter(|candidate| *candidate != id);
        }
        let vacant = service.spec.singleton && service.alive == 0;
        match role {
            Role::Candidate => self.candidate_gone(&worker, awaited),
            Role::Retiring => self.retired(&name, worker.slot),
            Role::Seat => self.seat_gone(&worker),
        }
        if vacant {
            self.vacant(&name);
        }
        self.trim(&name);
    }
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn seconds(millis: u64) -> String {
    format!("{}.{:03} s", millis / 1000, millis % 1000)
}
