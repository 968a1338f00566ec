//! Ending a worker with everything it started.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::OwnedFd;

use remuda_model::Signal;

use super::worker::WorkerCgroup;
use crate::CallError;
use crate::process::{Stat, all, by_parents, pidfd_open, send_signal, stat};

/// Passes over `/proc` until one finds nobody new. Everybody found is stopped, so only processes forked between a
/// pass and its stop signal make another one necessary.
const ROUNDS_LIMIT: usize = 32;

/// Whose tree is to be killed, for the way without control group.
#[derive(Debug, Clone, Copy)]
pub struct Leader<'text> {
    /// The worker's pid, unreaped: then its session and group cannot be another's.
    pub pid: u32,
    /// When it started, as [`start_time`](crate::process::start_time) said: guards against a reused pid.
    pub start_time: u64,
    /// An entry of its environment that no other worker has (`REMUDA_WORKER=17`). Descendants that left session and
    /// parents behind are known by it, as long as they did not clear their environment.
    pub marker: Option<&'text str>,
}

/// By which way a tree was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KillWay {
    /// `cgroup.kill`: certain.
    Cgroup,
    /// Session, group, descent and marker: best effort.
    Descent,
}

/// What was killed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KillReport {
    /// How.
    pub way: KillWay,
    /// Who was found alive, with the leader if it was; they may take a moment to vanish.
    pub found: Vec<u32>,
}

/// Kills the worker `leader` and all its descendants: through its control group if it has one, otherwise by what ties
/// them to it. Does not wait for the ends.
///
/// # Errors
/// The group was removed; nobody was killed then.
pub fn kill_tree(cgroup: Option<&WorkerCgroup>, leader: &Leader<'_>) -> Result<KillReport, CallError> {
    match cgroup {
        Some(cgroup) => {
            let found = cgroup.pids();
            cgroup.kill()?;
            Ok(KillReport { way: KillWay::Cgroup, found })
        }
        None => Ok(KillReport { way: KillWay::Descent, found: by_descent(leader) }),
    }
}

fn by_descent(leader: &Leader<'_>) -> Vec<u32> {
    let mut held: BTreeMap<u32, OwnedFd> = BTreeMap::new();
    let ourselves = std::process::id();
    for _ in 0..ROUNDS_LIMIT {
        let processes = all();
        let before = held.len();
        for pid in belonging(leader, &held, &processes, ourselves) {
            let Some(pidfd) = hold(pid, &processes[&pid]) else { continue };
            // It may end by itself meanwhile, or be another user's; the kill below tries once more.
            drop(send_signal(&pidfd, Signal::from_number(libc::SIGSTOP).expect("a signal")));
            held.insert(pid, pidfd);
        }
        if held.len() == before {
            break;
        }
    }
    for pidfd in held.values() {
        // SIGKILL ends stopped processes too. Those it cannot reach have ended or are not ours to kill.
        drop(send_signal(pidfd, Signal::KILL));
    }
    held.into_keys().collect()
}

/// A handle of the process that `seen` describes, and of no later one with its number.
fn hold(pid: u32, seen: &Stat) -> Option<OwnedFd> {
    let pidfd = pidfd_open(pid).ok()?;
    stat(pid).filter(|now| now.start_ticks == seen.start_ticks).map(|_| pidfd)
}

/// Living processes of the worker that are not held yet.
fn belonging(
    leader: &Leader<'_>,
    held: &BTreeMap<u32, OwnedFd>,
    processes: &BTreeMap<u32, Stat>,
    ourselves: u32,
) -> Vec<u32> {
    let led = processes.get(&leader.pid).is_some_and(|stat| stat.start_ticks == leader.start_time);
    let alive = |pid: &u32| processes.get(pid).is_some_and(|stat| !matches!(stat.state, 'Z' | 'X'));
    let own = processes.get(&ourselves);
    let tied = |pid: u32, stat: &Stat| {
        // A worker that inherited our session or group does not lead them, and we must not kill ourselves.
        let session = led && stat.session == leader.pid && own.is_none_or(|own| own.session != leader.pid);
        let group = led && stat.group == leader.pid && own.is_none_or(|own| own.group != leader.pid);
        let orphan = stat.parent == ourselves || stat.parent == 1;
        session || group || (orphan && pid != leader.pid && is_marked(pid, leader.marker))
    };
    let mut roots: Vec<u32> =
        processes.iter().filter(|(pid, stat)| tied(**pid, stat)).map(|(pid, _)| *pid).collect();
    roots.extend(led.then_some(leader.pid));
    roots.extend(held.keys());
    let mut found: Vec<u32> = roots.iter().flat_map(|root| by_parents(*root, processes)).collect();
    found.extend(roots);
    found.sort_unstable();
    found.dedup();
    found.retain(|pid| *pid != ourselves && *pid != 1 && alive(pid) && !held.contains_key(pid));
    found
}

fn is_marked(pid: u32, marker: Option<&str>) -> bool {
    let Some(marker) = marker else { return false };
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|entry| entry == marker.as_bytes())
}
