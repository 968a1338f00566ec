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
    /// What the workers were started with.
    specs: Vec<Arc<ServiceSpec>>,
    /// Each with the place of its spec among them.
    workers: Vec<Worker<usize>>,
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
        let (mut specs, mut places) = (Vec::new(), BTreeMap::new());
        let mut place_of = |spec: Arc<ServiceSpec>| {
            *places.entry(Arc::as_ptr(&spec)).or_insert_with(|| {
                // The same words may have been said twice.
                let known = specs.iter().position(|known: &Arc<ServiceSpec>| **known == *spec);
                known.unwrap_or_else(|| {
                    specs.push(spec);
                    specs.len() - 1
                })
            })
        };
        let workers = self.workers.values().map(|worker| worker.clone().with_spec(&mut place_of)).collect();
        Snapshot {
            now: self.now,
            instance: self.instance.as_ref().map(Cow::Borrowed),
            services: self.services.values().map(Cow::Borrowed).collect(),
            specs,
            workers,
            timers: self.timers.moments().collect(),
            requests: Cow::Borrowed(&self.requests),
            hooks: Cow::Borrowed(&self.hooks),
            stopping: self.stopping.as_ref().map(Cow::Borrowed),
            next_worker: self.next_worker,
            next_hook: self.next_hook,
            random: self.random.clone(),
        }
    }

    /// The machine that a snapshot was taken of. A worker whose spec is not in it is not either.
    #[must_use]
    pub fn restore(snapshot: Snapshot<'_>) -> Self {
        let services: BTreeMap<ServiceName, Service> = snapshot
            .services
            .into_iter()
            .map(|service| (service.spec.name.clone(), service.into_owned()))
            .collect();
        // A service and its workers share one spec again.
        let own = |spec: Arc<ServiceSpec>| {
            let same = services.get(&spec.name).filter(|service| service.spec == spec);
            same.map_or(spec, |service| Arc::clone(&service.spec))
        };
        let specs: Vec<Arc<ServiceSpec>> = snapshot.specs.into_iter().map(own).collect();
        let workers = snapshot.workers.into_iter().filter_map(|worker| {
            let spec = Arc::clone(specs.get(worker.spec)?);
            Some((worker.id, worker.with_spec(|_place| spec)))
        });
        let workers: BTreeMap<_, _> = workers.collect();
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
