//! A changed config: what is the same is not touched.

use std::sync::Arc;

use remuda_model::{Change, Config, Event, EventKind, Plan, RequestId, ServiceName, ServiceSpec};

use crate::Arbiter;
use crate::order::Order;
use crate::pending::{Goal, Pending};
use crate::plan::service_change;
use crate::rollout::Kind;
use crate::service::{Rest, Service, Stage};
use crate::worker::Why;

impl Arbiter {
    pub(crate) fn apply(&mut self, id: RequestId, config: Config, plan: &Plan) {
        if self.stopping.is_some() {
            let reply = remuda_model::Reply::Refused(remuda_model::Refusal::Stopping);
            self.orders.push(Order::Reply { id, reply });
            return;
        }
        self.requests.insert(id, Pending::default());
        self.instance = Some(config.instance);
        let changes = plan.lines();
        self.orders.push(Order::Tell(Event::instance(EventKind::ConfigApplied { changes: changes.clone() })));
        for line in changes {
            self.note(id, line);
        }
        for change in &plan.services {
            let spec = config.services.get(&change.name).cloned();
            self.apply_to_service(id, &change.name, &change.change, spec);
        }
        let mut added = self.by_priority();
        added.retain(|name| {
            let new =
                plan.services.iter().any(|change| change.name == *name && change.change == Change::Added);
            new && self.services.get(name).is_some_and(|service| service.spec.autostart && !service.again)
        });
        self.begin_all(&added);
        // The order of starting may have changed.
        self.release_waiting();
        self.accept(id);
    }

    fn apply_to_service(
        &mut self,
        id: RequestId,
        name: &ServiceName,
        change: &Change,
        spec: Option<Arc<ServiceSpec>>,
    ) {
        match (change, spec) {
            (Change::Added, Some(spec)) => {
                let autostart = spec.autostart;
                match self.services.get_mut(name) {
                    // It was removed a moment ago and its workers are still going.
                    Some(leaving) => {
                        leaving.workers_wanted = spec.workers;
                        leaving.spec = spec;
                        leaving.removed = false;
                        leaving.again = autostart;
                    }
                    None => {
                        self.services.insert(name.clone(), Service::new(spec));
                    }
                }
                if autostart {
                    self.wait_for(id, name, Goal::Up);
                }
            }
            (Change::Removed, _) => {
                let Some(service) = self.services.get_mut(name) else { return };
                service.wanted = false;
                service.removed = true;
                service.again = false;
                self.take_down(name, Why::Removed, Rest::Stopped);
                self.wait_for(id, name, Goal::Down);
            }
            (Change::Scaled { .. } | Change::Bounded { .. } | Change::Adjusted { .. }, Some(spec))
                if self.went_back(name, &spec) =>
            {
                self.replace(id, name, spec);
            }
            (Change::Scaled { to, .. }, Some(spec)) => {
                self.take_spec(name, spec);
                self.set_workers(name, *to, "config");
                self.wait_if_up(id, name);
            }
            (Change::Bounded { .. }, Some(spec)) => {
                self.take_spec(name, spec);
                self.keep_bounds(name);
                self.wait_if_up(id, name);
            }
            (Change::Adjusted { .. }, Some(spec)) => {
                self.take_spec(name, spec);
                self.rearm(name);
            }
            (Change::Replaced { .. }, Some(spec)) => self.replace(id, name, spec),
            (_, None) => {}
        }
    }

    /// It runs an older spec than the config it was last given, which did not come up: more differs than the plan
    /// knows.
    fn went_back(&self, name: &ServiceName, spec: &Arc<ServiceSpec>) -> bool {
        let change =
            self.services.get(name).and_then(|service| service_change(&service.spec, spec, false, false));
        matches!(change, Some(Change::Replaced { .. }))
    }

    fn take_spec(&mut self, name: &ServiceName, spec: Arc<ServiceSpec>) -> Option<Arc<ServiceSpec>> {
        self.services.get_mut(name).map(|service| std::mem::replace(&mut service.spec, spec))
    }

    /// A changed time, or a changed way to wait, takes effect while it waits.
    fn rearm(&mut self, name: &ServiceName) {
        let Some(service) = self.services.get(name) else { return };
        if service.spec.schedule.is_some() && service.wanted {
            self.orders.push(Order::Arm { service: name.clone() });
        }
        self.watch_for_idleness(name);
    }

    fn wait_if_up(&mut self, id: RequestId, name: &ServiceName) {
        if self.services.get(name).is_some_and(|service| service.is_up()) {
            self.wait_for(id, name, Goal::Up);
        }
    }

    /// Workers have to be replaced for it to take effect.
    fn replace(&mut self, id: RequestId, name: &ServiceName, spec: Arc<ServiceSpec>) {
        let Some(service) = self.services.get(name) else { return };
        let to = service.workers_under(&spec);
        let previous = Arc::clone(&service.spec);
        let (stage, wanted) = (service.stage.clone(), service.wanted);
        let rescheduled = stage == Stage::Up && previous.schedule.is_some() != spec.schedule.is_some();
        if rescheduled {
            self.take_down(name, Why::Restart, Rest::Stopped);
            if let Some(service) = self.services.get_mut(name) {
                service.again = true;
            }
            self.wait_for(id, name, Goal::Up);
        }
        // New slots begin with the spec that is proven, so that there is one way back for all.
        self.set_workers(name, to, "config");
        self.take_spec(name, spec);
        match stage {
            Stage::Up if rescheduled => {}
            Stage::Up => {
                let slots = self.slots_of(name);
                self.roll(name, slots, Kind::Apply, Some(previous), Some(id));
            }
            Stage::Down(rest) => {
                // One that is held comes back with it, when it is released.
                if wanted && rest != Rest::Stopped && rest != Rest::Held {
                    self.take_down(name, Why::Restart, Rest::Stopped);
                    self.begin(name);
                    self.wait_for(id, name, Goal::Up);
                }
            }
            Stage::Closing(..) | Stage::Draining(_) => {
                if self.services.get(name).is_some_and(|service| service.again) {
                    self.wait_for(id, name, Goal::Up);
                }
            }
            Stage::Waiting | Stage::Opening => {}
        }
    }
}
