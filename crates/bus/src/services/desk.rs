//! How calls pass over the desk: admitted, handed to a worker, answered, abandoned, ended.

use bytes::Bytes;
use remuda_model::Tick;

use super::{Call, CallFailure, CallId, CallSpec, PeerId, Phase, ServiceOrder, Services};

impl Call {
    /// Whether `worker` has it, for the service `name`.
    pub(super) fn is_of(&self, worker: PeerId, name: &[u8]) -> bool {
        let has = match self.phase {
            Phase::Delivered(of) | Phase::Abandoned(of) => of == worker,
            Phase::Waiting { .. } => false,
        };
        has && self.service == name
    }
}

impl Services {
    /// The name of a service, known from now on; nothing where there are too many.
    pub(super) fn know(&mut self, service: &[u8]) -> Option<Bytes> {
        if let Some((name, _)) = self.services.get_key_value(service) {
            return Some(name.clone());
        }
        if self.services.len() >= self.options.services_max {
            let idle = self.services.iter().find(|(_, service)| service.is_idle());
            let idle = idle.map(|(name, _)| name.clone())?;
            self.services.remove(&idle);
        }
        let name = Bytes::copy_from_slice(service);
        self.services.insert(name.clone(), super::Service::default());
        Some(name)
    }

    /// Whether a call may wait for its service, which is known then; the name to call it by.
    pub(super) fn admit(&mut self, spec: &CallSpec) -> Result<Bytes, CallFailure> {
        let (bytes, bytes_max) = (spec.body.len(), self.options.body_bytes_max);
        if bytes > bytes_max {
            return Err(CallFailure::TooLong { bytes, bytes_max });
        }
        if self.calls.len() >= self.options.calls_max {
            return Err(CallFailure::Busy(self.calls.len()));
        }
        let is_name = (1..=self.options.name_bytes_max).contains(&spec.service.len());
        let may_wait = spec.waits_for_service && is_name;
        if !may_wait && !self.services.contains_key(&spec.service) {
            return Err(CallFailure::NoSuchService);
        }
        let Some(name) = self.know(&spec.service) else { return Err(CallFailure::NoSuchService) };
        let Some(service) = self.services.get(&name) else { return Err(CallFailure::NoSuchService) };
        if service.pick(&self.asked).is_none() {
            if service.waiting.len() >= self.options.waiting_max {
                return Err(CallFailure::Busy(service.waiting.len()));
            }
            if self.waiting_bytes + bytes > self.options.waiting_bytes_max {
                return Err(CallFailure::NoMemory(self.waiting_bytes));
            }
        }
        Ok(name)
    }

    /// Gives calls that wait for the service to workers as long as one has room.
    pub(super) fn hand_out(&mut self, name: &Bytes, orders: &mut Vec<ServiceOrder>) {
        let Some(service) = self.services.get_mut(name) else { return };
        while let Some(id) = service.waiting.first().copied() {
            let Some(worker) = service.pick(&self.asked) else { return };
            service.waiting.remove(&id);
            let Some(call) = self.calls.get_mut(&id) else { continue };
            let phase = std::mem::replace(&mut call.phase, Phase::Delivered(worker));
            let Phase::Waiting { caller_name, body } = phase else { continue };
            self.waiting_bytes -= body.len();
            self.deliveries += 1;
            if let Some(seat) = service.workers.get_mut(&worker) {
                seat.outstanding += 1;
                seat.last_delivery = self.deliveries;
                if seat.is_pull
                    && let Some(asked) = self.asked.get_mut(&worker)
                {
                    *asked -= 1;
                }
            }
            self.concerned.insert((worker, id));
            let service = name.clone();
            orders.push(ServiceOrder::Deliver { worker, call: id, service, caller_name, body });
        }
    }

    /// Sends the caller of a call its outcome.
    pub(super) fn answer_caller(
        &self,
        id: CallId,
        outcome: Result<Bytes, CallFailure>,
        orders: &mut Vec<ServiceOrder>,
    ) {
        if let Some(call) = self.calls.get(&id) {
            orders.push(ServiceOrder::Answer { caller: call.caller, ticket: call.ticket, outcome });
        }
    }

    /// Leaves a call with its worker although nobody waits for the outcome any more.
    pub(super) fn abandon(&mut self, now: Tick, id: CallId, worker: PeerId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        self.deadlines.remove(&(call.deadline, id));
        call.deadline = now + self.options.abandoned_after;
        call.phase = Phase::Abandoned(worker);
        self.deadlines.insert((call.deadline, id));
        if call.caller != worker {
            self.concerned.remove(&(call.caller, id));
        }
    }

    /// Forgets a call; a worker that had it has room again.
    pub(super) fn end(&mut self, id: CallId) {
        let Some(call) = self.calls.remove(&id) else { return };
        self.deadlines.remove(&(call.deadline, id));
        self.concerned.remove(&(call.caller, id));
        let service = self.services.get_mut(&call.service);
        match call.phase {
            Phase::Waiting { body, .. } => {
                self.waiting_bytes -= body.len();
                if let Some(service) = service {
                    service.waiting.remove(&id);
                }
            }
            Phase::Delivered(worker) | Phase::Abandoned(worker) => {
                self.concerned.remove(&(worker, id));
                if let Some(seat) = service.and_then(|service| service.workers.get_mut(&worker)) {
                    seat.outstanding = seat.outstanding.saturating_sub(1);
                }
            }
        }
    }
}
