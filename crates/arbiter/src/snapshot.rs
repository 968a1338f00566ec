//! The machine as text that describes itself, and back: for a successor image, or the next arbiter.
//!
//! The encoding is serde's, so that it can be JSON: keys a reader does not know are skipped, and keys that were added
//! since have defaults. What a step has ordered is not part of it: a snapshot is taken between two steps.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use remuda_model::{HookCall, InstanceSpec, RequestId, ServiceName, ServiceSpec, Tick};
use serde::{Deserialize, Serialize};

use crate::Arbiter;
use crate::arbiter::Stopping;
use crate::pending::Pending;
use crate::random::Random;
use crate::service::Service;
use crate::timers::{Key, Timers};
use crate::worker::Worker;

/// All that [`Arbiter`] knows between two steps.
#[derive(Debug, Serialize, Deserialize)]
pub struct Snapshot<'arbiter> {
    now: Tick,
    instance: Option<Cow<'arbiter, InstanceSpec>>,
    services: Vec<Cow<'arbiter, Service>>,
    workers: Vec<Cow<'arbiter, Worker>>,
    timers: Vec<(Key, Tick)>,
    requests: Cow<'arbiter, BTreeMap<RequestId, Pending>>,
    hooks: Cow<'arbiter, BTreeMap<u64, HookCall>>,
    stopping: Option<Cow<'arbiter, Stopping>>,
    next_worker: u64,
    next_hook: u64,
    random: Random,
}

impl Arbiter {
    /// All it knows.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot<'_> {
        Snapshot {
            now: self.now,
            instance: self.instance.as_ref().map(Cow::Borrowed),
            services: self.services.values().map(Cow::Borrowed).collect(),
            workers: self.workers.values().map(Cow::Borrowed).collect(),
            timers: self.timers.moments().collect(),
            requests: Cow::Borrowed(&self.requests),
            hooks: Cow::Borrowed(&self.hooks),
            stopping: self.stopping.as_ref().map(Cow::Borrowed),
            next_worker: self.next_worker,
            next_hook: self.next_hook,
            random: self.random.clone(),
        }
    }

    /// The machine that a snapshot was taken of. Workers that run with the same spec share it again.
    #[must_use]
    pub fn restore(snapshot: Snapshot<'_>) -> Self {
        let services: BTreeMap<ServiceName, Service> = snapshot
            .services
            .into_iter()
            .map(|service| (service.spec.name.clone(), service.into_owned()))
            .collect();
        let mut specs: Vec<Arc<ServiceSpec>> =
            services.values().map(|service| Arc::clone(&service.spec)).collect();
        let mut workers = BTreeMap::new();
        for worker in snapshot.workers {
            let mut worker = worker.into_owned();
            match specs.iter().find(|spec| **spec == worker.spec) {
                Some(spec) => worker.spec = Arc::clone(spec),
                None => specs.push(Arc::clone(&worker.spec)),
            }
            workers.insert(worker.id, worker);
        }
        let mut timers = Timers::default();
        for (key, at) in snapshot.timers {
            timers.set(key, at);
        }
        Self {
            now: snapshot.now,
            orders: Vec::new(),
            instance: snapshot.instance.map(Cow::into_owned),
            services,
            workers,
            timers,
            requests: snapshot.requests.into_owned(),
            hooks: snapshot.hooks.into_owned(),
            touched: std::collections::BTreeSet::new(),
            stopping: snapshot.stopping.map(Cow::into_owned),
            next_worker: snapshot.next_worker,
            next_hook: snapshot.next_hook,
            random: snapshot.random,
        }
    }
}
