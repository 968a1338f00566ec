//! The machine: its state, its three doors, and the way each input takes.

use std::collections::{BTreeMap, BTreeSet};

use remuda_model::{
    Config, Event, EventKind, HookCall, InstanceSpec, RequestId, ServiceName, Tick, WorkerId, WorkerPhase,
};
use serde::{Deserialize, Serialize};

use crate::input::Input;
use crate::life::{Cause, Move, react};
use crate::order::Order;
use crate::pending::Pending;
use crate::random::Random;
use crate::scaling::Sample;
use crate::service::Service;
use crate::timers::{Alarm, Key, Timers};
use crate::worker::{Doom, Role, Worker};

/// The arbiter.
#[derive(Debug)]
pub struct Arbiter {
    pub(crate) now: Tick,
    pub(crate) orders: Vec<Order>,
    pub(crate) instance: Option<InstanceSpec>,
    pub(crate) services: BTreeMap<ServiceName, Service>,
    pub(crate) workers: BTreeMap<WorkerId, Worker>,
    pub(crate) timers: Timers,
    pub(crate) requests: BTreeMap<RequestId, Pending>,
    pub(crate) hooks: BTreeMap<u64, HookCall>,
    /// Services whose picture this step changed.
    pub(crate) touched: BTreeSet<ServiceName>,
    pub(crate) stopping: Option<Stopping>,
    pub(crate) next_worker: u64,
    pub(crate) next_hook: u64,
    pub(crate) random: Random,
}

/// Everything is being stopped.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Stopping {
    pub(crate) askers: Vec<RequestId>,
    pub(crate) code: i32,
    pub(crate) left: bool,
    pub(crate) kills: u32,
}

impl Arbiter {
    /// A machine that knows nothing yet; its first input is [`Input::Boot`]. `seed` decides all jitter.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            now: Tick(0),
            orders: Vec::new(),
            instance: None,
            services: BTreeMap::new(),
            workers: BTreeMap::new(),
            timers: Timers::default(),
            requests: BTreeMap::new(),
            hooks: BTreeMap::new(),
            touched: BTreeSet::new(),
            stopping: None,
            next_worker: 1,
            next_hook: 1,
            random: Random::new(seed),
        }
    }

    /// Takes in one fact at time `now` and appends what is to be done to `orders`. Moments that have come by `now`
    /// are dealt with too, whatever the fact.
    pub fn step(&mut self, now: Tick, input: Input, orders: &mut Vec<Order>) {
        self.now = self.now.max(now);
        self.take(input);
        while let Some(key) = self.timers.pop_due(self.now) {
            self.ring(key);
        }
        self.conclude();
        orders.append(&mut self.orders);
    }

    /// The next moment it wants [`Input::Woke`]; `None`: not before something happens.
    #[must_use]
    pub fn deadline(&self) -> Option<Tick> {
        self.timers.next()
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Boot(config) => self.boot(*config),
            Input::Request { id, request } => self.request(id, request),
            Input::Apply { id, config, plan } => self.apply(id, *config, &plan),
            Input::Spawned { worker, pid } | Input::MainPid { worker, pid } => {
                if let Some(worker) = self.workers.get_mut(&worker) {
                    worker.pid = Some(pid);
                }
            }
            Input::Running { worker } => self.befall(worker, Cause::Running),
            Input::NotSpawned { worker, failure } => self.fail_spawn(worker, failure, Cause::NotSpawned),
            Input::SetupFailed { worker, failure } => self.fail_spawn(worker, failure, Cause::SetupFailed),
            Input::Ready { worker } => self.befall(worker, Cause::Ready),
            Input::Notify { worker, message } => self.notified(worker, message),
            Input::Exited { worker, status } => self.exited(worker, status),
            Input::HookDone { id, outcome } => self.hook_done(id, outcome),
            Input::Demand { service } => self.demanded(&service),
            Input::Connections { service, count } => self.connections(&service, count),
            Input::Measured { service, backlog, cpu_permille, pressure } => {
                self.measured(&service, Sample { backlog, cpu_permille, pressure });
            }
            Input::Drained { service, slot } => self.drained(&service, slot),
            Input::Due { service } => self.due(&service),
            Input::Resumed => self.resumed(),
            Input::Woke => {}
            Input::KillAll => self.kill_all(),
        }
    }

    fn boot(&mut self, config: Config) {
        if self.instance.is_some() {
            return;
        }
        self.instance = Some(config.instance);
        for (name, spec) in config.services {
            self.services.insert(name, Service::new(spec));
        }
        let mut names = self.by_priority();
        names.retain(|name| self.services.get(name).is_some_and(|service| service.spec.autostart));
        self.begin_all(&names);
    }

    /// Services in the order in which they may spawn: higher priority first, then by name.
    pub(crate) fn by_priority(&self) -> Vec<ServiceName> {
        let mut names: Vec<_> =
            self.services.iter().map(|(name, service)| (-service.spec.priority, name)).collect();
        names.sort_unstable();
        names.into_iter().map(|(_, name)| name.clone()).collect()
    }

    /// A moment has come.
    fn ring(&mut self, key: Key) {
        match key {
            Key::Worker(worker, alarm) => match alarm {
                Alarm::Ready => self.too_late(worker),
                Alarm::Drained => self.befall(worker, Cause::Drained),
                Alarm::Grace => self.grace_over(worker),
                Alarm::Watchdog => self.watchdog_missed(worker, "missed its watchdog"),
                Alarm::Proven => self.proven(worker),
                Alarm::Healthy => self.healthy(worker),
                Alarm::Baked => self.promote(worker),
                Alarm::Age => self.recycle(worker),
            },
            Key::Retry(service, slot) => self.fill(&service, slot),
            Key::Idle(service) => self.look_for_idleness(&service),
            Key::Measure(service) => self.ask_for_load(&service),
            Key::Held(service) => self.release(&service, "time"),
            Key::Shutdown => self.kill_all(),
        }
    }

    /// Applies the table of a worker's life.
    pub(crate) fn befall(&mut self, id: WorkerId, cause: Cause) {
        let Some(worker) = self.workers.get(&id) else { return };
        self.touched.insert(worker.service.clone());
        let was = worker.phase;
        let made = react(was, cause);
        if let Some(phase) = made.leads_to() {
            self.set_phase(id, phase);
        }
        match made {
            Move::Ignore | Move::Note => {}
            Move::Spawn => self.order_spawn(id),
            Move::Drop => self.gone(id),
            Move::Await => self.running(id),
            Move::Serve => {
                if was == WorkerPhase::Spawning {
                    self.running(id);
                }
                self.served(id);
            }
            Move::Drain => self.begin_drain(id),
            Move::Resume => self.resume(id),
            Move::Signal => self.signal_stop(id),
            Move::Abort => self.abort(id),
            Move::Kill => self.order_kill(id),
            Move::End => self.ended(id),
            Move::Bury => self.bury(id),
        }
    }

    /// Ends a worker for a reason, gently or at once. The first reason stands.
    pub(crate) fn doom(&mut self, id: WorkerId, doom: Doom, cause: Cause) {
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.doom.get_or_insert(doom);
            self.befall(id, cause);
        }
    }

    pub(crate) fn set_phase(&mut self, id: WorkerId, phase: WorkerPhase) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let was = worker.is_ready();
        worker.phase = phase;
        let is = worker.is_ready();
        if worker.role == Role::Seat && was != is {
            self.count_ready(id, is);
        }
        if was != is {
            self.steer(id);
        }
    }

    pub(crate) fn set_role(&mut self, id: WorkerId, role: Role) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let was = worker.role == Role::Seat;
        worker.role = role;
        let is = role == Role::Seat;
        if worker.is_ready() && was != is {
            self.count_ready(id, is);
            self.steer(id);
        }
    }

    fn count_ready(&mut self, id: WorkerId, more: bool) {
        let Some(worker) = self.workers.get(&id) else { return };
        if let Some(service) = self.services.get_mut(&worker.service) {
            service.ready = if more { service.ready + 1 } else { service.ready.saturating_sub(1) };
        }
    }

    pub(crate) fn tell_service(&mut self, name: &ServiceName, kind: EventKind) {
        self.orders.push(Order::Tell(Event::service(name.clone(), kind)));
    }

    pub(crate) fn tell_worker(&mut self, id: WorkerId, kind: EventKind) {
        if let Some(worker) = self.workers.get(&id) {
            self.orders.push(Order::Tell(worker.event(kind)));
        }
    }
}
