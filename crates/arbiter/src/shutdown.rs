//! The end of everything: all services at once, in bounded time, whatever their workers do.

use std::time::Duration;

use remuda_model::{Event, EventKind, ServiceName, WorkerId};

use crate::Arbiter;
use crate::life::Cause;
use crate::order::Order;
use crate::service::{Rest, Service, Stage};
use crate::timers::{Key, Timers};
use crate::worker::{Doom, Why, Worker};

/// Time that a stop of everything has beyond the longest stop of a service, and between two tries to kill all.
const STOP_SLACK: Duration = Duration::from_secs(5);
/// After so many tries to kill all, the arbiter leaves without those that are stuck in the kernel.
const KILLS_MAX: u32 = 2;

impl Arbiter {
    /// The instance ends with this service, if the config says so.
    pub(crate) fn end_with(&mut self, name: &ServiceName, code: i32) {
        if self.instance.as_ref().is_some_and(|instance| instance.exit_with.as_ref() == Some(name)) {
            let code = self
                .services
                .get(name)
                .and_then(|service| service.last_code)
                .filter(|last| code != 0 && *last != 0)
                .unwrap_or(code);
            self.stop_everything(&format!("{name} has ended"), code);
        }
    }

    /// Stops everything; the arbiter ends with `code` when all is gone.
    pub(crate) fn stop_everything(&mut self, reason: &str, code: i32) {
        if self.stopping.is_some() {
            return;
        }
        self.stopping = Some(crate::arbiter::Stopping { code, ..Default::default() });
        self.orders
            .push(Order::Tell(Event::instance(EventKind::InstanceStopping { reason: reason.to_owned() })));
        let names: Vec<ServiceName> = self.services.keys().cloned().collect();
        let configured = self.instance.as_ref().and_then(|instance| instance.stop_timeout);
        let longest =
            self.services.values().map(|service| service.spec.stop.timeout).max().unwrap_or_default();
        self.timers.set(Key::Shutdown, self.after(configured.unwrap_or(longest + STOP_SLACK)));
        // Workers finish what they do, and may need the hub for it: it goes when they are gone.
        for name in names {
            if self.services.get(&name).is_some_and(|service| service.spec.kind.hub().is_some()) {
                self.cancel_rollout(&name, &format!("ended by {}", Why::Shutdown));
                if self.serves(&name) {
                    continue;
                }
            }
            self.end_service(&name);
        }
    }

    /// All workers of a service that are not about to end serve, and there are some: nothing of it is on its way up.
    fn serves(&self, name: &ServiceName) -> bool {
        let is_up = self.services.get(name).is_some_and(|service| service.stage == Stage::Up);
        let mut staying =
            self.workers.values().filter(|worker| worker.service == *name && worker.is_staying()).peekable();
        is_up && staying.peek().is_some() && staying.all(Worker::is_ready)
    }

    fn end_service(&mut self, name: &ServiceName) {
        let Some(service) = self.services.get_mut(name) else { return };
        service.again = false;
        // A service that rests keeps its reason, so that the last picture still tells it.
        let rest = match &service.stage {
            Stage::Down(rest) | Stage::Draining(rest) | Stage::Closing(_, rest) => rest.clone(),
            Stage::Waiting | Stage::Opening | Stage::Up => Rest::Stopped,
        };
        let rest = match rest {
            Rest::Idle | Rest::Scheduled | Rest::Held => Rest::Stopped,
            Rest::Stopped | Rest::Failed(_) | Rest::Done => rest,
        };
        if !matches!(service.stage, Stage::Down(Rest::Failed(_) | Rest::Done | Rest::Stopped)) {
            self.take_down(name, Why::Shutdown, rest);
        }
    }

    /// Everything is being stopped and nobody is left who uses the hub: it is told to stop. Says whether it was told now.
    pub(crate) fn stop_hub(&mut self) -> bool {
        let uses = |service: &Service| service.spec.hub && !matches!(service.stage, Stage::Down(_));
        if self.stopping.is_none() {
            return false;
        }
        // One that has died meanwhile gets no successor.
        let hub = self.services.values().find(|service| service.spec.kind.hub().is_some());
        let is_of_use = hub.is_some_and(|hub| self.serves(&hub.spec.name));
        !(is_of_use && self.services.values().any(uses)) && self.end_hub()
    }

    fn end_hub(&mut self) -> bool {
        let stays = |service: &&Service| {
            let is_over = matches!(
                service.stage,
                Stage::Down(Rest::Failed(_) | Rest::Done | Rest::Stopped)
                    | Stage::Closing(..)
                    | Stage::Draining(_)
            );
            service.spec.kind.hub().is_some() && !is_over
        };
        let hub = self.services.values().find(stays).map(|service| service.spec.name.clone());
        if let Some(name) = &hub {
            self.end_service(name);
        }
        hub.is_some()
    }

    pub(crate) fn conclude_stop(&mut self) {
        let Some(stopping) = &mut self.stopping else { return };
        let stuck = stopping.kills > KILLS_MAX;
        if !stopping.left && !stuck && (!self.workers.is_empty() || !self.hooks.is_empty()) {
            return;
        }
        let left = std::mem::replace(&mut stopping.left, true);
        if stuck && !left {
            let pids: Vec<String> =
                self.workers.values().filter_map(|worker| Some(worker.pid?.to_string())).collect();
            let message =
                format!("leaving without the workers that cannot be killed: pid {}", pids.join(", "));
            self.orders.push(Order::Tell(Event::instance(EventKind::Trouble { message })));
        }
        let Some(stopping) = &mut self.stopping else { return };
        let (askers, code) = (std::mem::take(&mut stopping.askers), stopping.code);
        self.refuse_open_requests();
        for id in askers {
            let lines = vec!["everything is stopped".to_owned()];
            self.orders.push(Order::Reply { id, reply: remuda_model::Reply::Done { lines } });
        }
        self.timers = Timers::default();
        if !left {
            self.orders.push(Order::Exit { code });
        }
    }

    pub(crate) fn kill_all(&mut self) {
        self.stop_everything("kill", 0);
        if let Some(stopping) = &mut self.stopping {
            stopping.kills += 1;
        }
        self.timers.set(Key::Shutdown, self.after(STOP_SLACK));
        self.end_hub();
        // Nobody waits for a hook any more.
        self.hooks.clear();
        let names: Vec<ServiceName> = self.services.keys().cloned().collect();
        names.iter().for_each(|name| self.drain(name));
        let all: Vec<WorkerId> = self.workers.keys().copied().collect();
        for id in all {
            self.doom(id, Doom::Asked(Why::Shutdown), Cause::Kill);
            self.befall(id, Cause::Released);
        }
    }
}
