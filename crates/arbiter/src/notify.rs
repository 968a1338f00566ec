//! What workers tell of themselves.

use std::time::Duration;

use remuda_model::{EventKind, NotifyMessage, WorkerId, WorkerPhase};

use crate::Arbiter;
use crate::life::Cause;
use crate::timers::{Alarm, Key};

/// Longest `STATUS=` kept, bytes.
const STATUS_MAX_BYTES: usize = 512;

impl Arbiter {
    pub(crate) fn notified(&mut self, id: WorkerId, message: NotifyMessage) {
        let now = self.now;
        let Some(worker) = self.workers.get_mut(&id) else { return };
        match message {
            NotifyMessage::Ready => self.befall(id, Cause::Ready),
            NotifyMessage::Reloading => self.tell_worker(id, EventKind::WorkerReloading),
            // It goes on its own account; its exit tells the rest.
            NotifyMessage::Stopping => {}
            NotifyMessage::Status(mut status) => {
                status.truncate(status.floor_char_boundary(STATUS_MAX_BYTES));
                if worker.status.as_ref() != Some(&status) {
                    worker.status = Some(status.clone());
                    self.tell_worker(id, EventKind::WorkerStatus { status });
                }
            }
            NotifyMessage::WatchdogPing => {
                worker.pinged = now;
                self.wind_watchdog(id);
            }
            NotifyMessage::WatchdogTrigger => self.watchdog_missed(id, "declared itself broken"),
            NotifyMessage::WatchdogInterval(interval) => {
                worker.watchdog = Some(interval).filter(|interval| !interval.is_zero());
                worker.pinged = now;
                self.wind_watchdog(id);
            }
            NotifyMessage::ExtendTimeout(duration) => self.extend(id, duration),
            NotifyMessage::RestartReset => {
                let (name, slot) = (worker.service.clone(), worker.slot);
                if let Some(slot) = self.services.get_mut(&name).and_then(|service| service.slot_mut(slot)) {
                    slot.failures = 0;
                }
            }
            NotifyMessage::Requests(requests) => {
                worker.requests = Some(requests);
                if worker.requests_max.is_some_and(|limit| requests >= limit) {
                    self.recycle(id);
                }
            }
        }
    }

    fn wind_watchdog(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get(&id) else { return };
        let key = Key::Worker(id, Alarm::Watchdog);
        match (worker.phase, worker.watchdog) {
            (WorkerPhase::Starting | WorkerPhase::Ready | WorkerPhase::Draining, Some(interval)) => {
                self.timers.set(key, worker.pinged + interval);
            }
            (_, _) => self.timers.clear(key),
        }
    }

    /// The step it is in may take this much longer, from now; never less than it had.
    fn extend(&mut self, id: WorkerId, duration: Duration) {
        let Some(worker) = self.workers.get(&id) else { return };
        let alarm = match worker.phase {
            WorkerPhase::Spawning | WorkerPhase::Starting => Alarm::Ready,
            WorkerPhase::Draining => Alarm::Drained,
            WorkerPhase::Stopping => Alarm::Grace,
            WorkerPhase::Preparing | WorkerPhase::Ready | WorkerPhase::Killing | WorkerPhase::Ended => return,
        };
        let key = Key::Worker(id, alarm);
        let until = self.after(duration);
        if self.timers.at(&key).is_some_and(|at| at < until) {
            self.timers.set(key, until);
        }
    }
}
