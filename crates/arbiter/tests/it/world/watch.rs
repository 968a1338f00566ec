//! What must hold after every step, whatever the world does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use remuda_arbiter::Order;
use remuda_model::view::{Service, ServicePhase};
use remuda_model::{Event, EventKind, ServiceName, WorkerPhase};

use super::World;

fn stays(phase: WorkerPhase) -> bool {
    match phase {
        WorkerPhase::Preparing | WorkerPhase::Spawning | WorkerPhase::Starting | WorkerPhase::Ready => true,
        WorkerPhase::Draining | WorkerPhase::Stopping | WorkerPhase::Killing | WorkerPhase::Ended => false,
    }
}

impl World {
    pub(super) fn watch(&self, before: &[Service], orders: &[Order]) {
        let after = self.arbiter.view(self.now);
        let faults = self.arbiter.faults();
        self.hold(faults.is_empty(), || faults.join("; "));
        if let Some(at) = self.arbiter.deadline() {
            self.hold(at > self.now, || format!("the deadline {at} is not after {}", self.now));
        }
        let workers: usize = before.iter().chain(&after).map(|service| service.workers.len()).sum();
        let bound = 30 * (workers + before.len() + after.len() + 5);
        self.hold(orders.len() <= bound, || format!("{} orders in one step", orders.len()));
        for service in &after {
            self.watch_seats(service);
            self.watch_bounds(service);
            self.watch_holds(service);
            self.watch_slots(service);
            if self.stopped_by_operator.contains(&service.name) {
                self.hold(!service.wanted, || format!("{} was stopped and is wanted again", service.name));
            }
        }
        self.watch_spawns(&after, orders);
        self.watch_singletons();
        self.watch_replacements(before, &after, orders);
        self.watch_scaling(before, orders);
        self.hold(self.exits.len() <= 1, || "the arbiter ends twice".to_owned());
    }

    fn watch_seats(&self, service: &Service) {
        // While its hook runs before it stops, all stays as it is.
        if service.phase == ServicePhase::Stopping {
            return;
        }
        let staying: Vec<u32> =
            service.workers.iter().filter(|worker| stays(worker.phase)).map(|worker| worker.slot).collect();
        let mut by_slot: BTreeMap<u32, u32> = BTreeMap::new();
        staying.iter().for_each(|slot| *by_slot.entry(*slot).or_default() += 1);
        let each = if service.reload.is_some() { 2 } else { 1 };
        for (slot, count) in &by_slot {
            self.hold(*count <= each, || format!("{count} workers stay in {}.{slot}", service.name));
            self.hold(*slot < service.workers_wanted, || {
                format!("{}.{slot} is not wanted and stays", service.name)
            });
        }
        let surge = if service.reload.is_some() { 3 } else { 0 };
        let most = usize::try_from(service.workers_wanted + surge).unwrap();
        self.hold(staying.len() <= most, || {
            format!("{} of {most} workers of {}", staying.len(), service.name)
        });
    }

    /// A number that follows the load stays within its bounds.
    fn watch_bounds(&self, service: &Service) {
        if let Some(bounds) = service.scaling {
            let within = (bounds.min..=bounds.max).contains(&service.workers_wanted);
            self.hold(within, || format!("{} has {} of {bounds:?}", service.name, service.workers_wanted));
        }
    }

    /// A number does not fall for want of work sooner than a minute after it last changed.
    pub(super) fn watch_pace(&mut self, orders: &[Order]) {
        for order in orders {
            let Order::Tell(Event { service: Some(name), kind: EventKind::Scaled { reason, .. }, .. }) =
                order
            else {
                continue;
            };
            let before = self.scaled.insert(name.clone(), self.now);
            if let Some(before) = before.filter(|_| reason.as_deref() == Some("idle")) {
                let paused = self.now.since(before) >= Duration::from_secs(60);
                self.hold(paused, || format!("{name} is idle so soon after {before}"));
            }
        }
    }

    /// A service that is held has no worker, and a moment at which it is released.
    fn watch_holds(&self, service: &Service) {
        if service.phase == ServicePhase::Held {
            let ends = service.held_for_ms.is_some() && service.wanted;
            self.hold(ends && service.workers.is_empty(), || format!("a strange hold: {service:?}"));
        }
    }

    /// New connections go where somebody accepts, and nowhere else.
    fn watch_slots(&self, service: &Service) {
        let ready = service.workers.iter().filter(|worker| worker.phase == WorkerPhase::Ready);
        let accepting: BTreeSet<u32> = ready
            .filter(|worker| self.processes.get(&worker.id).is_some_and(|process| process.listens))
            .map(|worker| worker.slot)
            .collect();
        let served = self.served.iter().filter(|(name, _)| *name == service.name).map(|(_, slot)| *slot);
        let served: BTreeSet<u32> = served.collect();
        self.hold(served == accepting, || {
            format!("{}: {accepting:?} accept, {served:?} get connections", service.name)
        });
    }

    /// Nobody who accepts is told to stop for a smaller number before what waits for him is served.
    fn watch_scaling(&self, before: &[Service], orders: &[Order]) {
        for order in orders {
            let Order::Tell(event) = order else { continue };
            let EventKind::WorkerStopping { reason, .. } = &event.kind else { continue };
            let workers = before.iter().flat_map(|service| &service.workers);
            let was = workers.into_iter().find(|worker| Some(worker.id) == event.worker);
            let listens = |process: &super::Process| process.listens;
            if let Some(was) = was.filter(|was| reason == "scale" && was.phase == WorkerPhase::Ready) {
                let listens = self.processes.get(&was.id).is_some_and(listens);
                self.hold(!listens, || format!("{} goes for a smaller number, undrained", was.id));
            }
        }
    }

    fn watch_spawns(&self, after: &[Service], orders: &[Order]) {
        for order in orders {
            let Order::Spawn { spec, .. } = order else { continue };
            let service = after.iter().find(|service| service.name == spec.name);
            let may = service.is_some_and(|service| {
                service.wanted
                    && match service.phase {
                        ServicePhase::Starting | ServicePhase::Running | ServicePhase::Degraded => true,
                        ServicePhase::Reloading | ServicePhase::CrashLoop => true,
                        ServicePhase::Stopped | ServicePhase::Waiting | ServicePhase::Stopping => false,
                        ServicePhase::Failed | ServicePhase::Idle | ServicePhase::Scheduled => false,
                        ServicePhase::Done | ServicePhase::Held => false,
                    }
            });
            self.hold(may, || {
                format!("{} is spawned while it is {:?}", spec.name, service.map(|known| known.phase))
            });
            self.hold(!self.arbiter.is_stopping(), || format!("{} is spawned while all stops", spec.name));
        }
    }

    fn watch_singletons(&self) {
        let mut living: BTreeMap<&ServiceName, u32> = BTreeMap::new();
        for process in self.processes.values().filter(|process| process.singleton && process.lives()) {
            *living.entry(&process.service).or_default() += 1;
        }
        for (name, count) in living {
            self.hold(count <= 1, || format!("{count} processes of the singleton {name} live"));
        }
    }

    /// No worker that serves is told to go for a successor that does not serve.
    fn watch_replacements(&self, before: &[Service], after: &[Service], orders: &[Order]) {
        for order in orders {
            let Order::Tell(event) = order else { continue };
            let EventKind::WorkerStopping { reason, .. } = &event.kind else { continue };
            if reason != "reload" && reason != "recycle" {
                continue;
            }
            let find = |views: &[Service]| {
                views.iter().find(|known| Some(&known.name) == event.service.as_ref()).cloned()
            };
            let (Some(was), Some(is)) = (find(before), find(after)) else { continue };
            if !self.singletons.contains(&is.name) {
                let least = was.workers_ready.min(is.workers_wanted);
                let crashed = orders.iter().any(|order| matches!(order, Order::Bury { .. }));
                self.hold(crashed || is.workers_ready >= least, || {
                    format!(
                        "a replacement takes {} from {} ready to {}",
                        is.name, was.workers_ready, is.workers_ready
                    )
                });
            }
        }
    }

    pub(crate) fn hold(&self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            let from = self.history.len().saturating_sub(150);
            panic!("{}\n{}", self.history[from..].join("\n"), what());
        }
    }
}
