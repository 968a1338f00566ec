//! The course of a service: up through waiting and its hook, down through its hook and its workers' end.

use remuda_model::{EventKind, HookPoint, ServiceName};

use crate::Arbiter;
use crate::life::Cause;
use crate::order::Order;
use crate::service::{Rest, Slot, Stage};
use crate::timers::Key;
use crate::worker::{Doom, Why};

impl Arbiter {
    /// Sets services on their way up. All are wanted before the first begins, so that each knows for whom to wait.
    pub(crate) fn begin_all(&mut self, names: &[ServiceName]) {
        for name in names {
            if let Some(service) = self.services.get_mut(name) {
                service.wanted = true;
            }
        }
        names.iter().for_each(|name| self.begin(name));
    }

    /// Sets a service on its way up: to its first worker, its first connection or its time.
    pub(crate) fn begin(&mut self, name: &ServiceName) {
        let Some(service) = self.services.get_mut(name) else { return };
        service.wanted = true;
        service.again = false;
        self.touched.insert(name.clone());
        self.timers.clear(Key::Held(name.clone()));
        if service.spec.schedule.is_some() {
            service.stage = Stage::Down(Rest::Scheduled);
            self.orders.push(Order::Arm { service: name.clone() });
        } else if service.spec.on_demand.is_some() {
            service.stage = Stage::Down(Rest::Idle);
            self.orders.push(Order::Watch { service: name.clone() });
            self.tell_service(name, EventKind::Idle);
        } else {
            self.wait_for_others(name);
        }
    }

    /// Goes on when those it comes after let it.
    pub(crate) fn wait_for_others(&mut self, name: &ServiceName) {
        let Some(service) = self.services.get(name) else { return };
        let blocks =
            |other: &&ServiceName| self.services.get(*other).is_some_and(|other| !other.lets_others_start());
        let after: Vec<ServiceName> = service.spec.after.iter().filter(blocks).cloned().collect();
        let waited = service.stage == Stage::Waiting;
        if after.is_empty() {
            self.open(name);
        } else if let Some(service) = self.services.get_mut(name) {
            service.stage = Stage::Waiting;
            if !waited {
                self.tell_service(name, EventKind::ServiceWaiting { after });
            }
        }
    }

    fn open(&mut self, name: &ServiceName) {
        if let Some(service) = self.services.get_mut(name) {
            service.stage = Stage::Opening;
        }
        if !self.run_gate(name, HookPoint::BeforeStart) {
            self.go_up(name);
        }
    }

    pub(crate) fn go_up(&mut self, name: &ServiceName) {
        let Some(service) = self.services.get_mut(name) else { return };
        service.stage = Stage::Up;
        service.announced = false;
        service.started = false;
        service.looping = false;
        service.streak = 0;
        service.trouble = None;
        service.idle_since = None;
        service.slots = vec![Slot::default(); usize::try_from(service.workers_wanted).unwrap_or(0)];
        self.tell_service(name, EventKind::ServiceStarting);
        self.settle(name);
    }

    /// Takes a service down; afterwards it rests as `rest` says.
    pub(crate) fn take_down(&mut self, name: &ServiceName, why: Why, rest: Rest) {
        self.cancel_rollout(name, &format!("ended by {why}"));
        self.timers.clear(Key::Held(name.clone()));
        let Some(service) = self.services.get_mut(name) else { return };
        self.touched.insert(name.clone());
        service.recycle.clear();
        service.due = false;
        service.gate = None;
        if rest == Rest::Stopped
            && (service.spec.schedule.is_some() || service.stage == Stage::Down(Rest::Scheduled))
        {
            self.orders.push(Order::Disarm { service: name.clone() });
        }
        match service.stage.clone() {
            Stage::Down(before) => {
                if before == Rest::Idle {
                    self.orders.push(Order::Unwatch { service: name.clone() });
                }
                self.rest(name, rest);
            }
            Stage::Waiting | Stage::Opening => self.rest(name, rest),
            Stage::Up => {
                service.stage = Stage::Closing(why, rest);
                if !self.run_hook(name, HookPoint::BeforeStop, None) {
                    self.drain(name);
                }
            }
            Stage::Closing(..) => service.stage = Stage::Closing(why, rest),
            Stage::Draining(_) => service.stage = Stage::Draining(rest),
        }
    }

    /// Tells all workers to stop. What is left when they are gone is done in [`Self::conclude`].
    pub(crate) fn drain(&mut self, name: &ServiceName) {
        let Some(service) = self.services.get_mut(name) else { return };
        let Stage::Closing(why, rest) = service.stage.clone() else { return };
        service.stage = Stage::Draining(rest);
        self.touched.insert(name.clone());
        let slots = service.slot_count();
        for slot in 0..slots {
            self.timers.clear(Key::Retry(name.clone(), slot));
        }
        self.timers.clear(Key::Idle(name.clone()));
        self.tell_service(name, EventKind::ServiceStopping);
        for id in self.workers_of(name) {
            self.doom(id, Doom::Asked(why), Cause::Stop);
        }
        // Only our own worker is known to lose nothing when its listener ends under it.
        let is_gateway = self.services.get(name).is_some_and(|service| service.spec.kind.gateway().is_some());
        if is_gateway && self.stopping.is_some() {
            self.orders.push(Order::Refuse { service: name.clone() });
        }
    }

    /// A service has no worker left and rests.
    fn rest(&mut self, name: &ServiceName, rest: Rest) {
        let Some(service) = self.services.get_mut(name) else { return };
        let was_up = matches!(service.stage, Stage::Draining(_));
        service.stage = Stage::Down(rest.clone());
        service.slots.clear();
        service.announced = false;
        service.looping = false;
        let (again, removed) = (std::mem::take(&mut service.again), service.removed);
        let another = std::mem::take(&mut service.due);
        if was_up {
            self.run_hook(name, HookPoint::AfterStop, None);
        }
        let told = match &rest {
            Rest::Stopped | Rest::Scheduled | Rest::Held => EventKind::ServiceStopped,
            Rest::Failed(reason) => EventKind::ServiceFailed { reason: reason.clone() },
            Rest::Done => EventKind::ServiceDone,
            Rest::Idle => EventKind::Idle,
        };
        self.tell_service(name, told);
        if removed {
            self.services.remove(name);
            self.timers.clear(Key::Idle(name.clone()));
            self.orders.push(Order::Forget { service: name.clone() });
        } else if again && self.stopping.is_none() {
            self.begin(name);
        } else if rest == Rest::Idle {
            self.orders.push(Order::Watch { service: name.clone() });
        } else if another && self.stopping.is_none() {
            self.wait_for_others(name);
        }
    }

    /// It cannot run, and is not retried until somebody asks.
    pub(crate) fn fail_service(&mut self, name: &ServiceName, reason: String) {
        if let Some(service) = self.services.get_mut(name) {
            service.trouble = Some(reason.clone());
        }
        self.take_down(name, Why::Stop, Rest::Failed(reason));
        self.end_with(name, 1);
    }

    /// Its last worker ended for good.
    pub(crate) fn finish(&mut self, name: &ServiceName, well: bool) {
        let Some(service) = self.services.get_mut(name) else { return };
        let reason = service.trouble.clone().unwrap_or_else(|| "ended".to_owned());
        let rest = if service.spec.schedule.is_some() {
            Rest::Scheduled
        } else if service.spec.on_demand.is_some() && well {
            Rest::Idle
        } else if well {
            Rest::Done
        } else {
            Rest::Failed(reason)
        };
        service.stage = Stage::Draining(rest);
        self.touched.insert(name.clone());
        self.end_with(name, i32::from(!well));
    }

    /// After all that one step brought: what follows from it.
    pub(crate) fn conclude(&mut self) {
        loop {
            while let Some(name) = self.touched.pop_first() {
                self.conclude_service(&name);
            }
            if !self.stop_hub() {
                break;
            }
        }
        self.conclude_stop();
    }

    fn conclude_service(&mut self, name: &ServiceName) {
        let Some(service) = self.services.get_mut(name) else {
            self.keep_measuring(name);
            self.release_waiting();
            self.check_goals(name);
            return;
        };
        match service.stage.clone() {
            Stage::Draining(rest) if service.alive == 0 => {
                self.rest(name, rest);
                self.release_waiting();
            }
            Stage::Up
                if !service.announced && service.ready >= service.to_fill() && service.to_fill() > 0
                    || service.is_up() && !service.announced && service.workers_wanted == 0 =>
            {
                service.announced = true;
                let again = std::mem::replace(&mut service.started, true);
                self.tell_service(name, EventKind::ServiceRunning);
                if !again {
                    self.run_gate(name, HookPoint::AfterStart);
                }
                self.watch_for_idleness(name);
                self.release_waiting();
            }
            Stage::Up if service.alive == 0 && service.to_fill() == 0 && service.workers_wanted > 0 => {
                let well = service.slots.iter().all(|slot| slot.done != Some(false));
                self.finish(name, well);
            }
            Stage::Up if service.alive == 0 && service.is_held() => {
                let reason = service.trouble.clone().unwrap_or_else(|| "cannot be spawned".to_owned());
                self.fail_service(name, reason);
            }
            Stage::Down(_) => self.release_waiting(),
            Stage::Up | Stage::Draining(_) | Stage::Waiting | Stage::Opening | Stage::Closing(..) => {}
        }
        self.keep_measuring(name);
        self.check_goals(name);
    }

    pub(crate) fn release_waiting(&mut self) {
        if self.services.values().any(|service| service.stage == Stage::Waiting) {
            for name in self.by_priority() {
                if self.services.get(&name).is_some_and(|service| service.stage == Stage::Waiting) {
                    self.wait_for_others(&name);
                }
            }
        }
    }
}
