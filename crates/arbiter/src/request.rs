//! What somebody asks: checked whole before any of it is done.

use remuda_model::{EventKind, Refusal, Reply, Request, RequestId, ServiceName, Target, WorkerId};

use crate::Arbiter;
use crate::life::Cause;
use crate::order::Order;
use crate::pending::{Goal, Pending};
use crate::service::{Rest, Service, Stage};
use crate::timers::Key;
use crate::worker::{Doom, Why, Worker};

/// A service, and those of its slots that are meant; all of them when absent.
type Part = (ServiceName, Option<Vec<u32>>);

impl Arbiter {
    pub(crate) fn request(&mut self, id: RequestId, request: Request) {
        self.requests.insert(id, Pending::default());
        match self.try_request(id, request) {
            Ok(()) => self.accept(id),
            Err(refusal) => {
                self.requests.remove(&id);
                self.orders.push(Order::Reply { id, reply: Reply::Refused(refusal) });
            }
        }
    }

    fn try_request(&mut self, id: RequestId, request: Request) -> Result<(), Refusal> {
        if self.stopping.is_some() && request != Request::Shutdown {
            return Err(Refusal::Stopping);
        }
        match request {
            Request::Start(names) => {
                self.check_names(&names)?;
                for name in &names {
                    if let Some(service) = self.services.get_mut(name) {
                        service.wanted = true;
                    }
                }
                names.iter().for_each(|name| self.start(id, name));
            }
            Request::Stop(names) => {
                self.check_names(&names)?;
                names.iter().for_each(|name| self.stop(id, name));
            }
            Request::Restart(targets) => {
                let parts = self.parts(&targets)?;
                parts.iter().for_each(|(name, slots)| self.restart(id, name, slots.as_deref()));
            }
            Request::Reload(targets) => self.reload_targets(id, &targets)?,
            Request::Scale { service, to } => self.scale(id, &service, to)?,
            Request::Hold { service, lasting } => {
                self.check_names(std::slice::from_ref(&service))?;
                self.hold(id, &service, lasting)?;
            }
            Request::Release(service) => {
                self.check_names(std::slice::from_ref(&service))?;
                self.release_by(id, &service)?;
            }
            Request::Signal { targets, signal, scope } => {
                let parts = self.parts(&targets)?;
                let mut told = 0_u32;
                for (name, slots) in parts {
                    for slot in slots.unwrap_or_else(|| self.slots_of(&name)) {
                        let seat = self.services.get(&name).and_then(|service| service.slot(slot)?.seat);
                        if let Some(worker) = seat.filter(|seat| self.takes_signals(*seat)) {
                            self.orders.push(Order::Signal { worker, signal, scope });
                            told += 1;
                        }
                    }
                }
                self.note(
                    id,
                    format!("{signal} sent to {told} {}", if told == 1 { "worker" } else { "workers" }),
                );
            }
            Request::Shutdown => {
                self.stop_everything("request", 0);
                self.requests.remove(&id);
                if let Some(stopping) = &mut self.stopping {
                    stopping.askers.push(id);
                }
            }
        }
        Ok(())
    }

    fn start(&mut self, id: RequestId, name: &ServiceName) {
        if self.is_held(name) {
            self.release(name, "request");
        }
        let Some(service) = self.services.get_mut(name) else { return };
        service.wanted = true;
        match &service.stage {
            Stage::Down(Rest::Idle | Rest::Scheduled) | Stage::Waiting | Stage::Opening => {}
            Stage::Down(_) => self.begin(name),
            Stage::Closing(..) | Stage::Draining(_) => service.again = true,
            Stage::Up => {
                // What is held, done or backing off gets a new chance.
                for slot in 0..service.slot_count() {
                    self.timers.clear(Key::Retry(name.clone(), slot));
                    if let Some(slot) = service.slot_mut(slot) {
                        (slot.failures, slot.held, slot.done) = (0, None, None);
                    }
                }
                service.streak = 0;
                service.looping = false;
                self.settle(name);
            }
        }
        self.wait_for(id, name, Goal::Up);
    }

    fn stop(&mut self, id: RequestId, name: &ServiceName) {
        let Some(service) = self.services.get_mut(name) else { return };
        service.wanted = false;
        service.again = false;
        if service.stage != Stage::Down(Rest::Stopped) {
            self.take_down(name, Why::Stop, Rest::Stopped);
        }
        self.wait_for(id, name, Goal::Down);
    }

    fn restart(&mut self, id: RequestId, name: &ServiceName, slots: Option<&[u32]>) {
        if self.is_held(name) {
            return self.start(id, name);
        }
        let Some(service) = self.services.get_mut(name) else { return };
        let Some(slots) = slots.filter(|_| service.is_up()) else {
            if matches!(service.stage, Stage::Up | Stage::Closing(..) | Stage::Draining(_)) {
                service.generation += 1;
                service.wanted = true;
                self.take_down(name, Why::Restart, Rest::Stopped);
                if let Some(service) = self.services.get_mut(name) {
                    service.again = true;
                }
                self.wait_for(id, name, Goal::Up);
            } else {
                self.start(id, name);
            }
            return;
        };
        for slot in slots {
            self.timers.clear(Key::Retry(name.clone(), *slot));
            let Some(state) = self.services.get_mut(name).and_then(|service| service.slot_mut(*slot)) else {
                continue;
            };
            (state.failures, state.held, state.done) = (0, None, None);
            match state.seat {
                Some(seat) => self.doom(seat, Doom::Asked(Why::Restart), Cause::Stop),
                None => self.fill(name, *slot),
            }
        }
        if let Some(service) = self.services.get_mut(name) {
            service.announced = false;
        }
        self.wait_for(id, name, Goal::Up);
    }

    fn reload_targets(&mut self, id: RequestId, targets: &[Target]) -> Result<(), Refusal> {
        let parts = self.parts(targets)?;
        for (name, _) in &parts {
            let serves_or_will =
                |service: &Service| service.is_up() || service.starts_anew() || self.is_held(name);
            if !self.services.get(name).is_some_and(serves_or_will) {
                return Err(Refusal::NotRunning {
                    service: name.clone(),
                    phase: self.phase(name).to_string(),
                });
            }
        }
        for (name, slots) in parts {
            if self.is_held(&name) {
                self.note(id, format!("{name} is held; it comes back with new workers"));
                continue;
            }
            if self.services.get(&name).is_some_and(Service::starts_anew) {
                self.wait_for(id, &name, Goal::Up);
                continue;
            }
            let slots = slots.unwrap_or_else(|| self.slots_of(&name));
            self.reload(id, &name, slots);
        }
        Ok(())
    }

    fn scale(&mut self, id: RequestId, name: &ServiceName, to: u32) -> Result<(), Refusal> {
        self.check_names(std::slice::from_ref(name))?;
        let limit = self.instance.as_ref().map_or(u32::MAX, |instance| instance.workers_max);
        let Some(service) = self.services.get_mut(name) else { return Ok(()) };
        if service.spec.kind.hub().is_some() && to != service.spec.workers {
            return Err(Refusal::FixedWorkers { service: name.clone(), workers: service.spec.workers });
        }
        if service.spec.singleton && to > 1 {
            return Err(Refusal::Singleton { service: name.clone() });
        }
        if to > limit {
            return Err(Refusal::TooMany { asked: to, limit });
        }
        service.check_bounds(to)?;
        service.trend.forget();
        self.set_workers(name, to, "request");
        if self.services.get(name).is_some_and(|service| service.is_up()) {
            self.wait_for(id, name, Goal::Up);
        } else {
            self.note(id, format!("{name} will have {to} when it runs (it is {})", self.phase(name)));
        }
        Ok(())
    }

    pub(crate) fn set_workers(&mut self, name: &ServiceName, to: u32, reason: &str) {
        let Some(service) = self.services.get_mut(name) else { return };
        let from = std::mem::replace(&mut service.workers_wanted, to);
        if from != to {
            service.announced = false;
            service.trend.forget();
            self.tell_service(name, EventKind::Scaled { from, to, reason: Some(reason.to_owned()) });
            self.settle(name);
        }
    }

    fn check_names(&self, names: &[ServiceName]) -> Result<(), Refusal> {
        let known = |name: &&ServiceName| !self.services.contains_key(*name);
        names.iter().find(known).map_or(Ok(()), |name| Err(self.no_such(name.as_str())))
    }

    fn takes_signals(&self, worker: WorkerId) -> bool {
        self.workers.get(&worker).is_some_and(Worker::takes_signals)
    }

    fn no_such(&self, name: &str) -> Refusal {
        let distance = |known: &ServiceName| strsim::damerau_levenshtein(known.as_str(), name);
        let nearest = self.services.keys().map(|known| (distance(known), known)).min();
        let nearest = nearest.filter(|(distance, _)| *distance <= 2).map(|(_, known)| known.to_string());
        Refusal::NoSuchService { name: name.to_owned(), nearest }
    }

    /// The services and slots that targets mean; `None` means all slots.
    fn parts(&self, targets: &[Target]) -> Result<Vec<Part>, Refusal> {
        let mut parts: Vec<Part> = Vec::new();
        for target in targets {
            let name = &target.service;
            let Some(service) = self.services.get(name) else { return Err(self.no_such(name.as_str())) };
            let workers = service.workers_wanted;
            if let Some(slot) = target.slot.filter(|slot| *slot >= workers) {
                return Err(Refusal::NoSuchSlot { service: name.clone(), slot, workers });
            }
            match (parts.iter_mut().find(|(known, _)| known == name), target.slot) {
                (Some((_, slots)), None) => *slots = None,
                (Some((_, Some(slots))), Some(slot)) if !slots.contains(&slot) => slots.push(slot),
                (Some(_), Some(_)) => {}
                (None, slot) => parts.push((name.clone(), slot.map(|slot| vec![slot]))),
            }
        }
        Ok(parts)
    }

    pub(crate) fn slots_of(&self, name: &ServiceName) -> Vec<u32> {
        self.services.get(name).map(|service| (0..service.workers_wanted).collect()).unwrap_or_default()
    }
}
