//! All upstreams of a process, and what is done for them while nobody asks.

use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use remuda_model::gateway::{ServicePlace, UpstreamMetrics, UpstreamSpec};
use tokio::task::{AbortHandle, JoinSet};

use super::deadlines::{Deadlines, LOOK_EVERY};
use super::forwarded::Forwarding;
use super::group::{Clock, SettingError, Shared, Upstream};
use crate::server::Server;

/// All upstreams, by their keys. What looks after them ends with it.
#[derive(Debug)]
pub struct Upstreams {
    all: Rc<BTreeMap<String, Rc<Upstream>>>,
    watch: AbortHandle,
}

impl Drop for Upstreams {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

impl Upstreams {
    /// Of `specs`, services being found at `services`; `seed` is for chance. To be called in a
    /// [`LocalSet`](tokio::task::LocalSet).
    ///
    /// # Errors
    /// [`SettingError`]: one of them cannot be used.
    pub fn new(
        server: &Rc<Server>,
        specs: &BTreeMap<String, UpstreamSpec>,
        services: &BTreeMap<String, Vec<ServicePlace>>,
        forwarding: Forwarding,
        seed: u64,
    ) -> Result<Self, SettingError> {
        let shared = Shared {
            server: Rc::clone(server),
            deadlines: Deadlines::new(),
            clock: Clock(Instant::now()),
            forwarding: Rc::new(forwarding),
        };
        let mut all = BTreeMap::new();
        for (number, (name, spec)) in (0_u64..).zip(specs) {
            let upstream = Upstream::new(name, spec, services, &shared, seed.wrapping_add(number))?;
            all.insert(name.clone(), upstream);
        }
        let all = Rc::new(all);
        let told = Rc::downgrade(&all);
        server.figures().ask_upstreams(move || told.upgrade().map(|all| figures(&all)).unwrap_or_default());
        let watching = tokio::task::spawn_local(watch(Rc::downgrade(&all), shared.deadlines));
        Ok(Self { all, watch: watching.abort_handle() })
    }

    /// The one with the key `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Rc<Upstream>> {
        self.all.get(name)
    }

    /// Figures of all, by key; [`Figures::tell`](crate::server::Figures::tell) has them too.
    #[must_use]
    pub fn figures(&self) -> BTreeMap<String, UpstreamMetrics> {
        figures(&self.all)
    }
}

/// Figures of all, by key.
fn figures(all: &BTreeMap<String, Rc<Upstream>>) -> BTreeMap<String, UpstreamMetrics> {
    let tell = |upstream: &Rc<Upstream>| {
        let view = upstream.group.borrow().view(upstream.clock.now());
        let in_flight = view.members.iter().map(|member| member.in_flight).collect();
        upstream.figures.tell(view.waiting, upstream.pool.len(), in_flight)
    };
    all.iter().map(|(name, upstream)| (name.clone(), tell(upstream))).collect()
}

/// Looks after all as long as there are any. Without connections, waiters and probes it does not wake.
async fn watch(all: Weak<BTreeMap<String, Rc<Upstream>>>, deadlines: Rc<Deadlines>) {
    let mut probes = JoinSet::new();
    loop {
        let Some(now) = all.upgrade() else { return };
        deadlines.look();
        let pause = now.values().filter_map(|upstream| look(upstream, &mut probes)).min();
        drop(now);
        let pause = if deadlines.is_empty() { pause } else { Some(LOOK_EVERY) };
        tokio::select! {
            () = rest(pause) => {}
            () = deadlines.bell.notified() => {}
            Some(_ended) = probes.join_next() => {}
        }
    }
}

/// Does what is due for one; when it is to be looked at again.
fn look(upstream: &Rc<Upstream>, probes: &mut JoinSet<()>) -> Option<Duration> {
    upstream.pool.sweep(upstream.deadlines.now());
    upstream.expire();
    // A member that was left alone may be tried again, for whoever waits.
    upstream.grant();
    let now = upstream.clock.now();
    loop {
        let due = upstream.group.borrow_mut().next_probe(now);
        let Some(member) = due else { break };
        probes.spawn_local(Rc::clone(upstream).probe(member));
    }
    let deadline = upstream.group.borrow().deadline()?;
    Some(deadline.since(now).max(Duration::from_millis(1)))
}

async fn rest(pause: Option<Duration>) {
    match pause {
        Some(pause) => tokio::time::sleep(pause).await,
        None => std::future::pending().await,
    }
}
