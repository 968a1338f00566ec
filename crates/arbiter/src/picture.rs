//! Pictures of the machine, for `status` and for tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use remuda_model::view::{Pause, Progress, Service as ServiceView, ServicePhase, Worker as WorkerView};
use remuda_model::{ServiceName, ServiceSpec, Tick, WorkerId, WorkerPhase};

use crate::Arbiter;
use crate::exit::millis;
use crate::rollout::Kind;
use crate::service::{Rest, Service, Stage};
use crate::timers::Key;
use crate::worker::Worker;

/// What the machine knows of a worker, for a shell that takes it over.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Its slot.
    pub slot: u32,
    /// Its generation.
    pub generation: u64,
    /// How far it is.
    pub phase: WorkerPhase,
    /// Its main process.
    pub pid: Option<u32>,
    /// What it was started with.
    pub spec: Arc<ServiceSpec>,
}

impl Arbiter {
    /// What it knows of a worker that is not buried.
    #[must_use]
    pub fn standing(&self, worker: WorkerId) -> Option<Standing> {
        self.workers.get(&worker).map(|worker| Standing {
            slot: worker.slot,
            generation: worker.generation,
            phase: worker.phase,
            pid: worker.pid,
            spec: Arc::clone(&worker.spec),
        })
    }

    /// Every service with its workers as of `now`, which is not before the last step. Memory, processor time and the next
    /// scheduled run are the shell's to fill in.
    #[must_use]
    pub fn view(&self, now: Tick) -> Vec<ServiceView> {
        let mut workers: BTreeMap<&ServiceName, Vec<&Worker>> = BTreeMap::new();
        for worker in self.workers.values() {
            workers.entry(&worker.service).or_default().push(worker);
        }
        let mut of = |name| workers.remove(name).unwrap_or_default();
        self.services.iter().map(|(name, service)| self.view_service(name, service, of(name), now)).collect()
    }

    /// Everything is being stopped.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.is_some()
    }

    /// Every service that was to start with the arbiter has come up, or has failed to.
    #[must_use]
    pub fn has_booted(&self) -> bool {
        self.services.values().all(|service| match &service.stage {
            Stage::Waiting | Stage::Opening => false,
            Stage::Up => service.announced || service.looping,
            Stage::Down(_) | Stage::Closing(..) | Stage::Draining(_) => true,
        })
    }

    /// Whether a worker has not been buried.
    #[must_use]
    pub fn knows(&self, worker: WorkerId) -> bool {
        self.workers.contains_key(&worker)
    }

    pub(crate) fn phase(&self, name: &ServiceName) -> ServicePhase {
        self.services.get(name).map_or(ServicePhase::Stopped, phase)
    }

    fn view_service(
        &self,
        name: &ServiceName,
        service: &Service,
        workers: Vec<&Worker>,
        now: Tick,
    ) -> ServiceView {
        let mut workers: Vec<WorkerView> = workers
            .into_iter()
            .map(|worker| WorkerView {
                id: worker.id,
                slot: worker.slot,
                pid: worker.pid,
                generation: worker.generation,
                phase: worker.phase,
                age_ms: millis(now.since(worker.since)),
                status: worker.status.clone(),
                requests: worker.requests,
                memory_bytes: None,
                cpu_ms: None,
            })
            .collect();
        workers.sort_by_key(|worker| (worker.slot, worker.id));
        let retry_in = |slot| self.timers.at(&Key::Retry(name.clone(), slot)).map(|at| millis(at.since(now)));
        let pauses = service.numbered().filter(|(_, slot)| slot.seat.is_none() && slot.failures > 0);
        let reload = service.rollout.as_ref().map(|rollout| Progress {
            done: u32::try_from(rollout.replaced.len()).unwrap_or(u32::MAX),
            total: rollout.total,
        });
        ServiceView {
            name: name.clone(),
            phase: phase(service),
            wanted: service.wanted,
            workers_wanted: service.workers_wanted,
            workers_ready: service.ready,
            generation: service.generation,
            failures_total: service.failures_total,
            starts_total: service.starts_total,
            reason: reason(service),
            reload,
            scaling: service.spec.scaling,
            held_for_ms: self.held_for(name, now).map(millis),
            next_run_ms: None,
            workers,
            backoffs: pauses
                .map(|(slot, state)| Pause { slot, retry_in_ms: retry_in(slot), failures: state.failures })
                .collect(),
        }
    }
}

fn phase(service: &Service) -> ServicePhase {
    match &service.stage {
        Stage::Down(Rest::Stopped) => ServicePhase::Stopped,
        Stage::Down(Rest::Failed(_)) => ServicePhase::Failed,
        Stage::Down(Rest::Done) => ServicePhase::Done,
        Stage::Down(Rest::Idle) => ServicePhase::Idle,
        Stage::Down(Rest::Scheduled) => ServicePhase::Scheduled,
        Stage::Down(Rest::Held) => ServicePhase::Held,
        Stage::Waiting => ServicePhase::Waiting,
        Stage::Opening => ServicePhase::Starting,
        Stage::Closing(..) | Stage::Draining(_) => ServicePhase::Stopping,
        Stage::Up if service.looping => ServicePhase::CrashLoop,
        Stage::Up if service.rollout.as_ref().is_some_and(|rollout| rollout.kind != Kind::Recycle) => {
            ServicePhase::Reloading
        }
        Stage::Up if service.ready >= service.to_fill() => ServicePhase::Running,
        Stage::Up if service.announced => ServicePhase::Degraded,
        Stage::Up => ServicePhase::Starting,
    }
}

fn reason(service: &Service) -> Option<String> {
    match &service.stage {
        Stage::Down(Rest::Failed(reason)) => Some(reason.clone()),
        Stage::Up if service.looping || service.ready < service.to_fill() => service.trouble.clone(),
        Stage::Waiting => {
            let names: Vec<&str> = service.spec.after.iter().map(ServiceName::as_str).collect();
            Some(format!("after {}", names.join(", ")))
        }
        Stage::Down(_) | Stage::Up | Stage::Opening | Stage::Closing(..) | Stage::Draining(_) => None,
    }
}
