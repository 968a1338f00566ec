//! Workers that are old, or have served enough, are replaced as in a reload.

use std::time::Duration;

use remuda_model::{EventKind, ServiceName, WorkerId};

use crate::Arbiter;
use crate::rollout::Kind;
use crate::timers::{Alarm, Key};
use crate::worker::Role;

/// At least so long between two tries to recycle a worker.
const PUT_OFF_MIN: Duration = Duration::from_secs(1);

impl Arbiter {
    /// A worker has reached its limit of age or requests.
    pub(crate) fn recycle(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get(&id).filter(|worker| worker.is_ready()) else { return };
        // While everything ends, who is still there waits for its own end.
        if self.now < worker.keep_until || self.stopping.is_some() {
            return;
        }
        let (name, slot, role) = (worker.service.clone(), worker.slot, worker.role);
        let served_enough = worker.requests_max.is_some_and(|limit| worker.requests >= Some(limit));
        let reason = if served_enough { "its number of requests" } else { "its age" };
        let Some(service) = self.services.get_mut(&name).filter(|service| service.is_up()) else { return };
        let under_way = service
            .rollout
            .as_ref()
            .is_some_and(|rollout| rollout.active.contains_key(&slot) || rollout.pending.contains(&slot));
        if under_way || role != Role::Seat {
            self.keep_for_now(id);
        } else if !service.recycle.contains(&slot) {
            service.recycle.push_back(slot);
            self.tell_worker(id, EventKind::Recycling { reason: reason.to_owned() });
            self.start_recycling(&name);
        }
    }

    pub(crate) fn start_recycling(&mut self, name: &ServiceName) {
        let Some(service) = self.services.get_mut(name).filter(|service| service.is_up()) else { return };
        if service.rollout.is_none() && !service.recycle.is_empty() {
            let slots = std::mem::take(&mut service.recycle).into();
            self.roll(name, slots, Kind::Recycle, None, None);
        }
    }

    /// The workers in `slots` go on; each is looked at again when a successor would have had time to come up.
    pub(crate) fn put_off(&mut self, name: &ServiceName, slots: &[u32]) {
        let Some(service) = self.services.get(name) else { return };
        let seats: Vec<WorkerId> = slots.iter().filter_map(|slot| service.slot(*slot)?.seat).collect();
        seats.into_iter().for_each(|seat| self.keep_for_now(seat));
    }

    pub(crate) fn keep_for_now(&mut self, id: WorkerId) {
        let now = self.now;
        let Some(worker) = self.workers.get_mut(&id).filter(|worker| worker.is_ready()) else { return };
        worker.keep_until = now + worker.spec.backoff.cap.max(PUT_OFF_MIN);
        self.timers.set(Key::Worker(id, Alarm::Age), worker.keep_until);
    }
}
