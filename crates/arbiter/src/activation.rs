//! Services that wait for a connection or for their time.

use std::time::Duration;

use remuda_model::{EventKind, Overlap, ServiceName};

use crate::Arbiter;
use crate::order::Order;
use crate::service::{Rest, Stage};
use crate::timers::Key;
use crate::worker::Why;

/// At least so long between two looks.
const IDLE_LOOK_MIN: Duration = Duration::from_millis(100);

impl Arbiter {
    /// A connection waits.
    pub(crate) fn demanded(&mut self, name: &ServiceName) {
        if self.services.get(name).is_none_or(|service| service.stage != Stage::Down(Rest::Idle)) {
            return;
        }
        self.orders.push(Order::Unwatch { service: name.clone() });
        self.tell_service(name, EventKind::Demanded);
        self.touched.insert(name.clone());
        self.wait_for_others(name);
    }

    /// Looks at an on-demand service that runs, twice in its idle time, so that it stops at most half that time late.
    pub(crate) fn watch_for_idleness(&mut self, name: &ServiceName) {
        let Some(service) = self.services.get(name).filter(|service| service.is_up()) else { return };
        if let Some(idle) = service.spec.on_demand.as_ref().and_then(|on_demand| on_demand.idle) {
            self.timers.set(Key::Idle(name.clone()), self.after((idle / 2).max(IDLE_LOOK_MIN)));
        }
    }

    pub(crate) fn look_for_idleness(&mut self, name: &ServiceName) {
        if self.services.get(name).is_some_and(|service| service.is_up()) {
            self.orders.push(Order::CountConnections { service: name.clone() });
        }
    }

    pub(crate) fn connections(&mut self, name: &ServiceName, count: u32) {
        let now = self.now;
        let Some(service) = self.services.get_mut(name).filter(|service| service.is_up()) else { return };
        let Some(idle) = service.spec.on_demand.as_ref().and_then(|on_demand| on_demand.idle) else { return };
        if count > 0 {
            service.idle_since = None;
        } else {
            let since = *service.idle_since.get_or_insert(now);
            if now.since(since) >= idle {
                service.idle_since = None;
                self.take_down(name, Why::Idle, Rest::Idle);
                return;
            }
        }
        self.watch_for_idleness(name);
    }

    /// The time of a scheduled service has come.
    pub(crate) fn due(&mut self, name: &ServiceName) {
        let Some(service) = self.services.get_mut(name) else { return };
        let may = service.wanted && self.stopping.is_none();
        let Some(schedule) = service.spec.schedule.as_ref().filter(|_| may) else { return };
        let overlap = schedule.overlap;
        self.orders.push(Order::Arm { service: name.clone() });
        self.touched.insert(name.clone());
        let Some(service) = self.services.get_mut(name) else { return };
        if service.stage == Stage::Down(Rest::Held) || self.is_held(name) {
            self.tell_service(name, EventKind::DueSkipped);
            return;
        }
        let Some(service) = self.services.get_mut(name) else { return };
        // A run that failed does not end the schedule.
        if matches!(service.stage, Stage::Down(_)) {
            self.tell_service(name, EventKind::Due);
            self.wait_for_others(name);
            return;
        }
        match overlap {
            Overlap::Skip => self.tell_service(name, EventKind::DueSkipped),
            Overlap::Queue => service.due = true,
            Overlap::Replace => {
                self.take_down(name, Why::Overlap, Rest::Scheduled);
                let Some(service) = self.services.get_mut(name) else { return };
                if service.stage == Stage::Down(Rest::Scheduled) {
                    self.wait_for_others(name);
                } else {
                    service.due = true;
                }
            }
        }
    }
}
