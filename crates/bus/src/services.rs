//! Request and reply between workers: a call goes to one worker of a named service, and its caller gets exactly one
//! outcome.
//!
//! Workers register for services; of those with room a call goes to the one with the fewest calls, and among equals to
//! the one that has waited longest for one. Without room it waits in the service's bounded queue. An outcome is the
//! worker's answer, or a failure: at once where the worker goes, where nobody ever offered the service, or where a bound
//! is reached; else at the caller's timeout. What a worker answers after that is counted and dropped.
//!
//! A worker stays taken by a call that has timed out, since it still works on it: until it answers, goes, or
//! [`ServicesOptions::abandoned_after`] has passed.

mod call;
mod desk;
mod options;
mod service;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use remuda_model::Tick;

use service::{Seat, Service};

pub use call::{Answered, CallFailure, CallId, CallSpec, ServiceOrder};
pub use options::{Capacity, RegisterError, ServicesOptions};
pub use view::{CallCounters, ServiceView};

/// Somebody who calls, or works, or both; the shell gives the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub u64);

/// All services.
#[derive(Debug)]
pub struct Services {
    options: ServicesOptions,
    services: BTreeMap<Bytes, Service>,
    /// Services by worker.
    registered: BTreeMap<PeerId, BTreeSet<Bytes>>,
    /// Calls that workers who pull have asked for and not got yet.
    asked: BTreeMap<PeerId, usize>,
    calls: BTreeMap<CallId, Call>,
    /// Bytes of the bodies of calls that wait for a worker.
    waiting_bytes: usize,
    /// Calls by who made or works on them.
    concerned: BTreeSet<(PeerId, CallId)>,
    deadlines: BTreeSet<(Tick, CallId)>,
    next_call: u64,
    /// Counts the deliveries, so that the worker that has waited longest is known.
    deliveries: u64,
    counters: CallCounters,
}

#[derive(Debug)]
struct Call {
    caller: PeerId,
    ticket: u64,
    service: Bytes,
    deadline: Tick,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// In the service's queue, with who calls and what is asked.
    Waiting { caller_name: Bytes, body: Bytes },
    /// A worker has it.
    Delivered(PeerId),
    /// A worker has it, and the caller has had its outcome or has gone.
    Abandoned(PeerId),
}

impl Services {
    /// No services yet.
    #[must_use]
    pub fn new(options: ServicesOptions) -> Self {
        let first_call = options.first_call;
        Self {
            options,
            services: BTreeMap::new(),
            registered: BTreeMap::new(),
            asked: BTreeMap::new(),
            calls: BTreeMap::new(),
            waiting_bytes: 0,
            concerned: BTreeSet::new(),
            deadlines: BTreeSet::new(),
            next_call: first_call,
            deliveries: 0,
            counters: CallCounters::default(),
        }
    }

    /// The number of the next call: for a successor's [`ServicesOptions::first_call`], so that a late answer to a call of
    /// this one is not taken for the answer to another.
    #[must_use]
    pub fn next_call(&self) -> CallId {
        CallId(self.next_call)
    }

    /// Lets a worker work for a service; registering again changes its capacity.
    ///
    /// # Errors
    /// [`RegisterError`].
    pub fn register(
        &mut self,
        worker: PeerId,
        service: &[u8],
        capacity: Capacity,
        orders: &mut Vec<ServiceOrder>,
    ) -> Result<(), RegisterError> {
        let bytes_max = self.options.name_bytes_max;
        if service.is_empty() || service.len() > bytes_max {
            return Err(RegisterError::Name { bytes: service.len(), bytes_max });
        }
        let Some(name) = self.know(service) else {
            return Err(RegisterError::TooManyServices(self.services.len()));
        };
        let workers_max = self.options.workers_max;
        let known = self.services.entry(name.clone()).or_default();
        if !known.workers.contains_key(&worker) && known.workers.len() >= workers_max {
            return Err(RegisterError::TooManyWorkers(workers_max));
        }
        let taken = self.concerned.range((worker, CallId(0))..=(worker, CallId(u64::MAX)));
        let outstanding = taken
            .filter(|(_, call)| self.calls.get(call).is_some_and(|call| call.is_of(worker, &name)))
            .count();
        let seat = known.workers.entry(worker).or_insert_with(|| Seat::new(outstanding, self.deliveries));
        seat.outstanding_max = capacity.outstanding_max.max(1);
        seat.is_pull = capacity.is_pull;
        self.registered.entry(worker).or_default().insert(name.clone());
        self.hand_out(&name, orders);
        Ok(())
    }

    /// Lets a worker work for a service no more. What it has begun it may still answer. False when it did not.
    pub fn unregister(&mut self, worker: PeerId, service: &[u8]) -> bool {
        let is_changed =
            self.services.get_mut(service).is_some_and(|service| service.workers.remove(&worker).is_some());
        if let Some(names) = self.registered.get_mut(&worker) {
            names.remove(service);
            if names.is_empty() {
                self.registered.remove(&worker);
                self.asked.remove(&worker);
            }
        }
        is_changed
    }

    /// Somebody is gone: what it worked on fails at once, what it called is forgotten.
    pub fn gone(&mut self, now: Tick, peer: PeerId, orders: &mut Vec<ServiceOrder>) {
        self.asked.remove(&peer);
        for name in self.registered.remove(&peer).unwrap_or_default() {
            if let Some(service) = self.services.get_mut(&name) {
                service.workers.remove(&peer);
            }
        }
        let concerned = self.concerned.range((peer, CallId(0))..=(peer, CallId(u64::MAX)));
        let concerned: Vec<CallId> = concerned.map(|(_, call)| *call).collect();
        for id in concerned {
            let Some(call) = self.calls.get(&id) else { continue };
            match call.phase {
                Phase::Delivered(worker) if worker == peer => {
                    if call.caller == peer {
                        self.counters.caller_gone += 1;
                        self.end(id);
                    } else {
                        self.counters.worker_gone += 1;
                        self.answer_caller(id, Err(CallFailure::WorkerGone), orders);
                        self.end(id);
                    }
                }
                Phase::Abandoned(worker) if worker == peer => self.end(id),
                Phase::Abandoned(_) => {}
                Phase::Delivered(worker) => {
                    self.counters.caller_gone += 1;
                    self.abandon(now, id, worker);
                }
                Phase::Waiting { .. } => {
                    self.counters.caller_gone += 1;
                    self.end(id);
                }
            }
        }
    }

    /// Calls a service: the outcome comes as an order, now or later.
    pub fn call(&mut self, now: Tick, spec: CallSpec, orders: &mut Vec<ServiceOrder>) {
        self.counters.calls += 1;
        let admitted = self.admit(&spec);
        let CallSpec { caller, caller_name, ticket, timeout, body, .. } = spec;
        let name = match admitted {
            Ok(name) => name,
            Err(failure) => {
                self.counters.refused += 1;
                orders.push(ServiceOrder::Answer { caller, ticket, outcome: Err(failure) });
                return;
            }
        };
        let id = CallId(self.next_call);
        self.next_call += 1;
        let deadline = now + timeout.min(self.options.timeout_max);
        self.deadlines.insert((deadline, id));
        self.concerned.insert((caller, id));
        self.waiting_bytes += body.len();
        if let Some(service) = self.services.get_mut(&name) {
            service.waiting.insert(id);
        }
        self.calls.insert(
            id,
            Call {
                caller,
                ticket,
                service: name.clone(),
                deadline,
                phase: Phase::Waiting { caller_name, body },
            },
        );
        self.hand_out(&name, orders);
    }

    /// A worker answers a call.
    pub fn answer(
        &mut self,
        worker: PeerId,
        call: CallId,
        outcome: Result<Bytes, Bytes>,
        orders: &mut Vec<ServiceOrder>,
    ) -> Answered {
        let bytes_max = self.options.body_bytes_max;
        let Some(found) = self.calls.get(&call) else {
            // The number was given, so there was such a call; whose it was is forgotten with it.
            return if call.0 < self.next_call && call.0 > 0 {
                self.counters.late += 1;
                Answered::Late
            } else {
                self.counters.unknown += 1;
                Answered::Unknown
            };
        };
        let name = found.service.clone();
        let answered = match found.phase {
            Phase::Delivered(of) if of == worker => {
                self.counters.answered += 1;
                let outcome = outcome.map_err(CallFailure::Failed);
                let outcome = match outcome {
                    Ok(body) | Err(CallFailure::Failed(body)) if body.len() > bytes_max => {
                        Err(CallFailure::TooLong { bytes: body.len(), bytes_max })
                    }
                    fitting => fitting,
                };
                self.answer_caller(call, outcome, orders);
                Answered::Delivered
            }
            Phase::Abandoned(of) if of == worker => {
                self.counters.late += 1;
                Answered::Late
            }
            Phase::Waiting { .. } | Phase::Delivered(_) | Phase::Abandoned(_) => {
                self.counters.unknown += 1;
                return Answered::Unknown;
            }
        };
        self.end(call);
        self.hand_out(&name, orders);
        answered
    }

    /// A worker that pulls asks for one call: it gets the one that waits longest in its services now, or the next to come.
    /// False when it is registered for no service to pull from.
    pub fn next(&mut self, worker: PeerId, orders: &mut Vec<ServiceOrder>) -> bool {
        let mut pulled = Vec::new();
        for name in self.registered.get(&worker).into_iter().flatten() {
            let Some(service) = self.services.get(name) else { continue };
            if service.workers.get(&worker).is_some_and(|seat| seat.is_pull) {
                let oldest = service.waiting.first().copied();
                pulled.push((oldest.unwrap_or(CallId(u64::MAX)), name.clone()));
            }
        }
        if pulled.is_empty() {
            return false;
        }
        let asked = self.asked.entry(worker).or_default();
        *asked = asked.saturating_add(1);
        pulled.sort_unstable();
        for (_, name) in pulled {
            self.hand_out(&name, orders);
        }
        true
    }

    /// A worker that pulls does not wait for a call any more. False when it did not: the call it waited for is among the
    /// orders already.
    pub fn stop_asking(&mut self, worker: PeerId) -> bool {
        self.asked.remove(&worker).is_some_and(|count| count > 0)
    }

    /// Ends what has timed out at `now`.
    pub fn tick(&mut self, now: Tick, orders: &mut Vec<ServiceOrder>) {
        while let Some((deadline, id)) = self.deadlines.first().copied()
            && deadline <= now
        {
            let Some(call) = self.calls.get(&id) else {
                self.deadlines.remove(&(deadline, id));
                continue;
            };
            let name = call.service.clone();
            match call.phase {
                Phase::Waiting { .. } => {
                    self.counters.timed_out += 1;
                    self.answer_caller(id, Err(CallFailure::TimedOut), orders);
                    self.end(id);
                }
                Phase::Delivered(worker) => {
                    self.counters.timed_out += 1;
                    self.answer_caller(id, Err(CallFailure::TimedOut), orders);
                    self.abandon(now, id, worker);
                }
                Phase::Abandoned(_) => {
                    self.end(id);
                    self.hand_out(&name, orders);
                }
            }
        }
    }

    /// When [`Services::tick`] has something to do.
    #[must_use]
    pub fn deadline(&self) -> Option<Tick> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }
}
