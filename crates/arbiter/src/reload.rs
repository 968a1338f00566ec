//! A new generation because somebody asks: by replacement, or by a signal to those there are.

use remuda_model::{EventKind, ReloadMethod, RequestId, ServiceName, StopScope, WorkerId};

use crate::Arbiter;
use crate::order::Order;
use crate::rollout::{Kind, in_words};

impl Arbiter {
    /// Takes up a new generation in `slots`, as the service's config says.
    pub(crate) fn reload(&mut self, id: RequestId, name: &ServiceName, slots: Vec<u32>) {
        let Some(service) = self.services.get(name) else { return };
        if matches!(service.spec.reload.method, ReloadMethod::Signal(_)) {
            let told = self.reload_by_signal(name, &slots);
            let line = format!("{name}: {} told to reload", in_words(told));
            self.note(id, line);
        } else {
            self.roll(name, slots, Kind::Reload, None, Some(id));
        }
    }

    /// Tells the workers in `slots` to reload themselves.
    pub(crate) fn reload_by_signal(&mut self, name: &ServiceName, slots: &[u32]) -> u32 {
        let Some(service) = self.services.get_mut(name) else { return 0 };
        let ReloadMethod::Signal(signal) = service.spec.reload.method else { return 0 };
        if service.rollout.is_none() {
            service.generation += 1;
        }
        let generation = service.generation;
        let seats: Vec<WorkerId> = slots.iter().filter_map(|slot| service.slot(*slot)?.seat).collect();
        let mut told = 0;
        for id in seats {
            if let Some(worker) =
                self.workers.get_mut(&id).filter(|worker| worker.is_staying() && worker.takes_signals())
            {
                worker.generation = generation;
                told += 1;
                self.tell_worker(id, EventKind::WorkerReloading);
                self.orders.push(Order::Signal { worker: id, signal, scope: StopScope::Main });
            }
        }
        told
    }
}
