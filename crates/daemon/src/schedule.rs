//! Scheduled services: which runs next, on the wall clock.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use remuda_model::{Schedule, ServiceName};
use remuda_sys::CallError;
use remuda_sys::clock::{self, WallEvent, WallTimer};

/// The times of scheduled services.
#[derive(Debug)]
pub(crate) struct Schedules {
    timer: WallTimer,
    armed: BTreeMap<ServiceName, (Schedule, Option<Timestamp>)>,
}

fn now() -> Timestamp {
    let since_epoch = clock::realtime();
    let seconds = i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX);
    // A clock beyond the year 9999 is as good as unset.
    Timestamp::new(seconds, 0).unwrap_or(Timestamp::UNIX_EPOCH)
}

impl Schedules {
    pub(crate) fn new() -> Result<Self, CallError> {
        Ok(Self { timer: WallTimer::new()?, armed: BTreeMap::new() })
    }

    pub(crate) fn timer(&self) -> &WallTimer {
        &self.timer
    }

    /// Awaits the next run of a service.
    pub(crate) fn arm(&mut self, service: &ServiceName, schedule: &Schedule) -> Result<(), CallError> {
        let next = remuda_config::schedule::next(schedule, now());
        self.armed.insert(service.clone(), (schedule.clone(), next));
        self.set()
    }

    pub(crate) fn disarm(&mut self, service: &ServiceName) -> Result<(), CallError> {
        self.armed.remove(service);
        self.set()
    }

    /// When the next run of a service is due, milliseconds since 1970.
    pub(crate) fn next_ms(&self, service: &ServiceName) -> Option<u64> {
        self.armed
            .get(service)
            .and_then(|(_, next)| *next)
            .and_then(|next| u64::try_from(next.as_millisecond()).ok())
    }

    /// The timer's descriptor is readable: the services that are due. When somebody set the clock none is; their
    /// times are computed anew.
    pub(crate) fn rung(&mut self) -> Result<Vec<ServiceName>, CallError> {
        let due = match self.timer.take()? {
            WallEvent::Quiet => Vec::new(),
            WallEvent::Fired => {
                let now = now();
                let is_due = |(_, next): &(Schedule, Option<Timestamp>)| next.is_some_and(|next| next <= now);
                let due: Vec<ServiceName> = self
                    .armed
                    .iter()
                    .filter(|(_, armed)| is_due(armed))
                    .map(|(name, _)| name.clone())
                    .collect();
                // Each is armed again by the arbiter, when it has decided about this run.
                due.iter().for_each(|name| drop(self.armed.remove(name)));
                due
            }
            WallEvent::ClockChanged => {
                let now = now();
                for (schedule, next) in self.armed.values_mut() {
                    *next = remuda_config::schedule::next(schedule, now);
                }
                Vec::new()
            }
        };
        self.set()?;
        Ok(due)
    }

    fn set(&self) -> Result<(), CallError> {
        let next = self.armed.values().filter_map(|(_, next)| *next).min();
        let since_epoch = next.and_then(|next| u64::try_from(next.as_second()).ok()).map(Duration::from_secs);
        self.timer.set(since_epoch)
    }
}
