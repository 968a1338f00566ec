//! Holding a service: its workers go for a while, its sockets stay, and whoever comes meanwhile waits in their queues.
//!
//! A hold is bounded by its time, and the queues by their limits. It is in force as long as its moment is awaited
//! (`Key::Held`): it ends when that comes, when somebody releases, starts, restarts, stops or removes the service, and
//! when everything is stopped. Until then the service is on its way down, or rests as `Held`.

use std::time::Duration;

use remuda_model::{EventKind, Refusal, RequestId, ServiceName, Tick};

use crate::Arbiter;
use crate::exit::millis;
use crate::pending::Goal;
use crate::service::{Rest, Service, Stage};
use crate::steer::listens;
use crate::timers::Key;
use crate::worker::Why;

/// Nobody is kept waiting for longer.
const HOLD_MAX: Duration = Duration::from_secs(600);

impl Arbiter {
    /// Holds a service; one that is held already, for so long from now.
    pub(crate) fn hold(
        &mut self,
        id: RequestId,
        name: &ServiceName,
        lasting: Duration,
    ) -> Result<(), Refusal> {
        if lasting > HOLD_MAX {
            return Err(Refusal::HeldTooLong { asked_ms: millis(lasting), limit_ms: millis(HOLD_MAX) });
        }
        let Some(service) = self.services.get_mut(name) else { return Ok(()) };
        if !listens(&service.spec) {
            return Err(Refusal::NoSocket { service: name.clone() });
        }
        if !service.can_be_held() {
            let phase = self.phase(name).to_string();
            return Err(Refusal::NotRunning { service: name.clone(), phase });
        }
        service.again = false;
        self.tell_service(name, EventKind::ServiceHeld { for_ms: millis(lasting) });
        if self.services.get(name).is_some_and(|service| service.stage != Stage::Down(Rest::Held)) {
            self.take_down(name, Why::Hold, Rest::Held);
        }
        self.timers.set(Key::Held(name.clone()), self.after(lasting));
        self.wait_for(id, name, Goal::Held);
        Ok(())
    }

    /// Releases a service because somebody asks.
    pub(crate) fn release_by(&mut self, id: RequestId, name: &ServiceName) -> Result<(), Refusal> {
        if !self.is_held(name) {
            let phase = self.phase(name).to_string();
            return Err(Refusal::NotHeld { service: name.clone(), phase });
        }
        self.release(name, "request");
        self.wait_for(id, name, Goal::Up);
        Ok(())
    }

    /// It starts again: now, or when its last worker is gone.
    pub(crate) fn release(&mut self, name: &ServiceName, reason: &str) {
        self.timers.clear(Key::Held(name.clone()));
        self.touched.insert(name.clone());
        self.tell_service(name, EventKind::ServiceReleased { reason: reason.to_owned() });
        let Some(service) = self.services.get_mut(name) else { return };
        if service.stage == Stage::Down(Rest::Held) {
            self.begin(name);
        } else {
            service.again = true;
        }
    }

    /// Its hold is in force.
    pub(crate) fn is_held(&self, name: &ServiceName) -> bool {
        self.timers.at(&Key::Held(name.clone())).is_some()
    }

    /// So much of its hold is left.
    pub(crate) fn held_for(&self, name: &ServiceName, now: Tick) -> Option<Duration> {
        self.timers.at(&Key::Held(name.clone())).map(|until| until.since(now))
    }
}

impl Service {
    /// It rests as held, or is on its way there.
    pub(crate) fn is_going_to_be_held(&self) -> bool {
        let rest = match &self.stage {
            Stage::Down(rest) | Stage::Closing(_, rest) | Stage::Draining(rest) => Some(rest),
            Stage::Waiting | Stage::Opening | Stage::Up => None,
        };
        self.wanted && rest == Some(&Rest::Held)
    }

    /// It runs, or would without anybody's doing.
    fn can_be_held(&self) -> bool {
        let comes_back = |rest: &Rest| match rest {
            Rest::Idle | Rest::Scheduled | Rest::Held => true,
            Rest::Stopped => self.again,
            Rest::Failed(_) | Rest::Done => false,
        };
        self.wanted
            && !self.removed
            && match &self.stage {
                Stage::Waiting | Stage::Opening | Stage::Up => true,
                Stage::Down(rest) | Stage::Closing(_, rest) | Stage::Draining(rest) => comes_back(rest),
            }
    }
}
