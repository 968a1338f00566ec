//! Hooks: which steps wait for them, and what their failure means.

use remuda_model::{EventKind, HookCall, HookFailure, HookOutcome, HookPoint, ServiceName, WorkerId};

use crate::Arbiter;
use crate::life::Cause;
use crate::order::Order;
use crate::service::{Service, Stage};
use crate::worker::{Doom, Why};

impl Arbiter {
    /// Orders a hook, if the service has one for this point. The steps that wait for it go on in
    /// [`Self::hook_done`]; the caller goes on at once when the answer is `false`.
    pub(crate) fn run_hook(
        &mut self,
        name: &ServiceName,
        point: HookPoint,
        worker: Option<WorkerId>,
    ) -> bool {
        let Some(service) = self.services.get(name) else { return false };
        let Some(hook) = service.spec.hooks.get(&point).cloned() else { return false };
        let id = self.next_hook;
        self.next_hook += 1;
        let call = HookCall { id, point, service: name.clone(), worker };
        self.hooks.insert(id, call.clone());
        self.orders.push(Order::RunHook { call, hook });
        true
    }

    /// Orders a hook whose failure keeps the service from running.
    pub(crate) fn run_gate(&mut self, name: &ServiceName, point: HookPoint) -> bool {
        let id = self.next_hook;
        let runs = self.run_hook(name, point, None);
        if let Some(service) = self.services.get_mut(name) {
            service.gate = runs.then_some(id);
        }
        runs
    }

    pub(crate) fn hook_done(&mut self, id: u64, outcome: HookOutcome) {
        let Some(call) = self.hooks.remove(&id) else { return };
        let name = call.service;
        self.touched.insert(name.clone());
        let failure = match outcome {
            HookOutcome::Passed => None,
            HookOutcome::Failed(reason) => {
                let told = EventKind::HookFailed { point: call.point, reason: reason.clone() };
                match call.worker.filter(|worker| self.workers.contains_key(worker)) {
                    Some(worker) => self.tell_worker(worker, told),
                    None => self.tell_service(&name, told),
                }
                let hook = self.services.get(&name).and_then(|service| service.spec.hooks.get(&call.point));
                hook.is_some_and(|hook| hook.on_failure == HookFailure::Abort).then_some(reason)
            }
        };
        let failure = failure.map(|reason| format!("{} hook: {reason}", call.point));
        let decides = self.services.get(&name).is_some_and(|service| service.gate == Some(id));
        match call.point {
            HookPoint::BeforeStart => {
                if decides {
                    self.opened(&name, failure);
                }
            }
            HookPoint::AfterStart => {
                if let Some(reason) = failure.filter(|_| decides) {
                    self.fail_service(&name, reason);
                }
            }
            HookPoint::BeforeStop => {
                if self.services.get(&name).is_some_and(|service| matches!(service.stage, Stage::Closing(..)))
                {
                    self.drain(&name);
                }
            }
            HookPoint::AfterStop | HookPoint::AfterReap => {}
            HookPoint::BeforeSpawn | HookPoint::AfterSpawn | HookPoint::BeforeReap => {
                if let Some(worker) = call.worker {
                    self.worker_hook_done(worker, call.point, failure);
                }
            }
        }
    }

    fn opened(&mut self, name: &ServiceName, failure: Option<String>) {
        if self.services.get(name).is_none_or(|service| service.stage != Stage::Opening) {
            return;
        }
        match failure {
            None => self.go_up(name),
            Some(reason) => self.fail_service(name, reason),
        }
    }

    fn worker_hook_done(&mut self, worker: WorkerId, point: HookPoint, failure: Option<String>) {
        let service = self.workers.get(&worker).and_then(|worker| self.services.get(&worker.service));
        let is_up = service.is_some_and(Service::is_up);
        match (point, failure) {
            // Its service began to stop meanwhile.
            (HookPoint::BeforeSpawn, None) if !is_up => {
                self.doom(worker, Doom::Asked(Why::Stop), Cause::Refused);
            }
            (HookPoint::BeforeSpawn, None) => self.befall(worker, Cause::Passed),
            (HookPoint::BeforeSpawn, Some(reason)) => self.doom(worker, Doom::Failed(reason), Cause::Refused),
            (HookPoint::AfterSpawn, Some(reason)) => self.doom(worker, Doom::Failed(reason), Cause::Kill),
            (HookPoint::BeforeReap, _) => self.befall(worker, Cause::Released),
            (_, _) => {}
        }
    }
}
