//! The load of a service: what waits in its queues, what its workers use, and whether the machine has more to give.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use remuda_arbiter::Input;
use remuda_model::{
    Event, EventKind, ServiceName, ServiceSpec, SocketName, Stdin, Tick, WorkerId, WorkerPhase, view,
};
use remuda_sys::clock;
use remuda_sys::process::usage;

use crate::child::Child;
use crate::daemon::Daemon;

/// Share of the last 10 s, percent, in which some task had to wait for a processor or for memory, above which the
/// machine is short of it.
const PRESSURE_MAX: f64 = 60.0;

/// What was measured last.
#[derive(Debug, Default)]
pub(crate) struct LoadMeter {
    /// Processor time of all processes of a worker, and when it was read.
    workers: BTreeMap<WorkerId, (Tick, Duration)>,
    /// Queues that were full when they were looked at last.
    full: BTreeSet<(SocketName, Option<u32>)>,
}

impl LoadMeter {
    /// Thousandths of a core that a worker has used since it was measured last; none the first time.
    fn permille(&mut self, worker: WorkerId, now: Tick, used: Duration) -> Option<u32> {
        let (since, before) = self.workers.insert(worker, (now, used))?;
        let elapsed = now.since(since).as_millis();
        let used = used.saturating_sub(before).as_millis();
        u32::try_from((used * 1000).checked_div(elapsed)?).ok()
    }
}

impl Daemon {
    /// Measures a service for the machine. One that has left the config is not measured.
    pub(crate) fn measure(&mut self, service: ServiceName) -> Option<Input> {
        let spec = self.config.services.get(&service)?;
        let config = &self.config;
        let sockets: Vec<view::Socket> = sockets_of(spec)
            .into_iter()
            .filter_map(|name| self.sockets.get(name))
            .map(|socket| socket.view(config, &self.files))
            .collect();
        let waiting = sockets.iter().flat_map(|socket| &socket.listeners).filter_map(|queue| queue.queue);
        let backlog = waiting.fold(0_u32, u32::saturating_add);
        self.notice_full_queues(&sockets);
        let cpu_permille = self.cpu_permille(&service);
        Some(Input::Measured { service, backlog, cpu_permille, pressure: machine_is_short() })
    }

    /// The average of its ready workers that were measured before.
    fn cpu_permille(&mut self, service: &ServiceName) -> u32 {
        let now = clock::boottime();
        let children = &self.children;
        self.load.workers.retain(|worker, _| children.contains_key(worker));
        let is_ready = |child: &&Child| {
            let standing = self.arbiter.standing(child.id);
            standing.is_some_and(|standing| standing.phase == WorkerPhase::Ready)
        };
        let ready = children.values().filter(|child| child.spec.name == *service).filter(is_ready);
        let mut shares: Vec<u32> = Vec::new();
        for child in ready {
            shares.extend(self.load.permille(child.id, now, processor_time(child)));
        }
        let sum = shares.iter().fold(0_u32, |sum, share| sum.saturating_add(*share));
        sum.checked_div(u32::try_from(shares.len()).unwrap_or(u32::MAX)).unwrap_or_default()
    }

    /// Tells of each queue that is full now and was not when it was looked at last.
    pub(crate) fn notice_full_queues(&mut self, sockets: &[view::Socket]) {
        for socket in sockets {
            for listener in &socket.listeners {
                let (Some(depth), Some(limit)) = (listener.queue, listener.queue_limit) else { continue };
                let key = (socket.name.clone(), listener.slot);
                if depth < limit {
                    self.load.full.remove(&key);
                } else if self.load.full.insert(key) {
                    let kind = EventKind::BacklogFull { socket: socket.name.clone(), depth, limit };
                    let service = socket.services.first().cloned();
                    self.tell(Event { service, slot: listener.slot, ..Event::instance(kind) });
                }
            }
        }
    }
}

fn sockets_of(spec: &ServiceSpec) -> BTreeSet<&SocketName> {
    let input = if let Stdin::Socket(name) = &spec.stdin { Some(name) } else { None };
    spec.sockets.iter().chain(input).collect()
}

/// What all processes of a worker that live have used.
fn processor_time(child: &Child) -> Duration {
    let pids: BTreeSet<u32> = child.pids().into_iter().collect();
    pids.into_iter().filter_map(|pid| usage(pid).ok()).map(|usage| usage.cpu).sum()
}

/// Kernels without pressure information are never short of anything.
fn machine_is_short() -> bool {
    ["/proc/pressure/cpu", "/proc/pressure/memory"]
        .into_iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .any(|text| some_share(&text).is_some_and(|share| share > PRESSURE_MAX))
}

/// `avg10` of the line `some`, percent.
fn some_share(text: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix("some "))?;
    line.split_whitespace().find_map(|word| word.strip_prefix("avg10="))?.parse().ok()
}

#[cfg(test)]
mod tests;
