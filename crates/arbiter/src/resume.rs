//! Going on in another process: what the last one was told to keep doing, this one is told again.
//!
//! Whatever has an end of its own (a signal that was sent, a timer that runs) needs no telling: the moment that bounds
//! it is part of the snapshot.

use remuda_model::{HookOutcome, ServiceName, WorkerId, WorkerPhase};

use crate::Arbiter;
use crate::life::Cause;
use crate::order::Order;
use crate::service::{Rest, Service, Stage};
use crate::worker::{Doom, Why};

impl Arbiter {
    /// The shell has forgotten every order that stands.
    pub(crate) fn resumed(&mut self) {
        let names: Vec<ServiceName> = self.services.keys().cloned().collect();
        for name in &names {
            self.stand_by(name);
        }
        let workers: Vec<(WorkerId, WorkerPhase)> =
            self.workers.values().map(|worker| (worker.id, worker.phase)).collect();
        for (id, phase) in workers {
            match phase {
                WorkerPhase::Spawning => self.spawn_again(id),
                WorkerPhase::Starting => self.orders.push(Order::Probe { worker: id }),
                WorkerPhase::Draining => {
                    if let Some(worker) = self.workers.get(&id) {
                        self.orders.push(Order::Drain { service: worker.service.clone(), slot: worker.slot });
                    }
                }
                WorkerPhase::Killing => self.orders.push(Order::Kill { worker: id }),
                WorkerPhase::Preparing | WorkerPhase::Ready => {}
                WorkerPhase::Stopping | WorkerPhase::Ended => {}
            }
        }
        self.run_hooks_again();
    }

    /// A worker that was ordered and has no process: it is ordered again, unless its service is on its way down.
    fn spawn_again(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get(&id).filter(|worker| worker.pid.is_none()) else { return };
        if self.services.get(&worker.service).is_some_and(Service::is_up) {
            self.order_spawn(id);
        } else {
            self.doom(id, Doom::Asked(Why::Stop), Cause::NotSpawned);
        }
    }

    /// What is watched or steered for a service.
    fn stand_by(&mut self, name: &ServiceName) {
        let Some(service) = self.services.get(name) else { return };
        if service.spec.schedule.is_some() && service.wanted && !service.removed && self.stopping.is_none() {
            self.orders.push(Order::Arm { service: name.clone() });
        }
        if service.stage == Stage::Down(Rest::Idle) {
            self.orders.push(Order::Watch { service: name.clone() });
        }
        let served: Vec<u32> =
            service.numbered().filter(|(_, slot)| slot.serves).map(|(slot, _)| slot).collect();
        for slot in served {
            self.orders.push(Order::Steer { service: name.clone(), slot, away: false });
        }
        self.touched.insert(name.clone());
    }

    /// Nobody knows whether an interrupted run did its work, so each gets another one.
    fn run_hooks_again(&mut self) {
        let calls: Vec<_> = self.hooks.values().cloned().collect();
        for call in calls {
            let spec = self.services.get(&call.service).map(|service| &service.spec);
            match spec.and_then(|spec| spec.hooks.get(&call.point).cloned()) {
                Some(hook) => self.orders.push(Order::RunHook { call, hook }),
                None => {
                    let reason = "was interrupted, and the config has it no more".to_owned();
                    self.hook_done(call.id, HookOutcome::Failed(reason));
                }
            }
        }
    }
}
