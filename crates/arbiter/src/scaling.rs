//! A number of workers that follows the load.
//!
//! A service with bounds is measured once a second while it is up. More workers come when [`trend`] says so: at once a
//! quarter more, at least one. Whoever waits, waits for those that are on their way first, so nothing is judged until
//! all that are wanted are ready, and what was measured before does not count then. One worker goes when there was
//! nothing to do for long; the slot that goes is emptied like any that is no longer wanted. While workers are being
//! replaced or cannot boot the load says little about their number, so it stays. What an operator chooses within the
//! bounds holds until the load has shown itself again.

mod trend;

use std::time::Duration;

use remuda_model::{Refusal, Scaling, ServiceName, ServiceSpec};

use crate::Arbiter;
use crate::order::Order;
use crate::service::Service;
use crate::timers::Key;

pub(crate) use trend::{Sample, Trend};

/// Time between two measurements.
const MEASURE_EVERY: Duration = Duration::from_secs(1);

impl Arbiter {
    /// A service that is up and has bounds is measured; any other is not.
    pub(crate) fn keep_measuring(&mut self, name: &ServiceName) {
        let key = Key::Measure(name.clone());
        if !self.follows_load(name) {
            self.timers.clear(key);
            if let Some(service) = self.services.get_mut(name) {
                service.trend.forget();
            }
        } else if self.timers.at(&key).is_none() {
            self.timers.set(key, self.after(MEASURE_EVERY));
        }
    }

    /// A service is up and has bounds.
    pub(crate) fn follows_load(&self, name: &ServiceName) -> bool {
        self.services.get(name).is_some_and(|service| service.is_up() && service.spec.scaling.is_some())
    }

    pub(crate) fn ask_for_load(&mut self, name: &ServiceName) {
        self.orders.push(Order::Measure { service: name.clone() });
        // The answer to this one may be lost with a shell that is killed; the next one asks again.
        self.timers.set(Key::Measure(name.clone()), self.after(MEASURE_EVERY));
    }

    /// The load of a service is known.
    pub(crate) fn measured(&mut self, name: &ServiceName, sample: Sample) {
        let now = self.now;
        let Some(service) = self.services.get_mut(name).filter(|service| service.is_up()) else { return };
        let Some(bounds) = service.spec.scaling else { return };
        if service.rollout.is_some() || service.looping || service.ready < service.to_fill() {
            service.trend.forget();
            return;
        }
        let wanted = service.workers_wanted;
        let (to, reason) = match service.trend.judge(now, sample, bounds.on) {
            Some(trend::Verdict::More(reason)) => (wanted.saturating_add((wanted / 4).max(1)), reason),
            Some(trend::Verdict::Less) => (wanted.saturating_sub(1), "idle".to_owned()),
            None => return,
        };
        self.set_workers(name, to.clamp(bounds.min, bounds.max), &reason);
    }

    /// A worker was ready so long after its spawn.
    pub(crate) fn booted(&mut self, name: &ServiceName, after: Duration) {
        if let Some(service) = self.services.get_mut(name) {
            service.trend.booted(after);
        }
    }

    /// Brings the present number into the bounds of the present spec.
    pub(crate) fn keep_bounds(&mut self, name: &ServiceName) {
        let Some(service) = self.services.get(name) else { return };
        if let Some(bounds) = service.spec.scaling {
            let to = service.workers_wanted.clamp(bounds.min, bounds.max);
            self.set_workers(name, to, "config");
        }
    }
}

impl Service {
    /// The wanted number of workers when `spec` comes in place of the present one.
    pub(crate) fn workers_under(&self, spec: &ServiceSpec) -> u32 {
        let rewritten = self.spec.workers != spec.workers || self.spec.scaling.is_some();
        match spec.scaling {
            Some(bounds) => self.workers_wanted.clamp(bounds.min, bounds.max),
            None if rewritten || spec.singleton && self.workers_wanted > 1 => spec.workers,
            // A number an operator chose stays.
            None => self.workers_wanted,
        }
    }

    /// An operator may choose any number within the bounds.
    pub(crate) fn check_bounds(&self, asked: u32) -> Result<(), Refusal> {
        match self.spec.scaling {
            Some(Scaling { min, max, .. }) if !(min..=max).contains(&asked) => {
                Err(Refusal::OutOfBounds { service: self.spec.name.clone(), asked, min, max })
            }
            Some(_) | None => Ok(()),
        }
    }
}
