//! Ending a worker with everything it started.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::fd::OwnedFd;

use remuda_model::Signal;

use super::worker::WorkerCgroup;
use crate::CallError;
use crate::process::{Stat, all, by_parents, pidfd_open, send_signal, stat};

/// Passes over `/proc` until one finds nobody new. Everybody found is stopped, so only processes forked between a
/// pass and its stop signal make another one necessary.
const ROUNDS_LIMIT: usize = 32;

/// Looks at processes that are just executing a program, whose environment nobody can see in that moment. The kernel
/// tells nobody when they are through.
const LOOKS_LIMIT: usize = 1000;

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

/// One that was killed for its ties to a leader. It may take a moment to vanish.
#[derive(Debug)]
pub struct Killed {
    /// Its pid at that time.
    pub pid: u32,
    /// The process; readable when it has ended.
    pub pidfd: OwnedFd,
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
        None => {
            let found = kill_trees(std::slice::from_ref(leader)).iter().map(|killed| killed.pid).collect();
            Ok(KillReport { way: KillWay::Descent, found })
        }
    }
}

/// Kills the workers of `leaders` and all their descendants, by what ties them to a leader, in as many passes over
/// `/proc` as one of them alone would need. Does not wait for the ends.
#[must_use]
pub fn kill_trees(leaders: &[Leader<'_>]) -> Vec<Killed> {
    by_descent(leaders, all)
}

fn by_descent(leaders: &[Leader<'_>], mut look: impl FnMut() -> BTreeMap<u32, Stat>) -> Vec<Killed> {
    if leaders.is_empty() {
        return Vec::new();
    }
    let mut held: BTreeMap<u32, OwnedFd> = BTreeMap::new();
    let mut ties = Ties::of(leaders);
    for _ in 0..ROUNDS_LIMIT {
        let processes = look();
        let before = held.len();
        for pid in ties.belonging(&held, &processes) {
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
    held.into_iter().map(|(pid, pidfd)| Killed { pid, pidfd }).collect()
}

/// A handle of the process that `seen` describes, and of no later one with its number.
fn hold(pid: u32, seen: &Stat) -> Option<OwnedFd> {
    let pidfd = pidfd_open(pid).ok()?;
    stat(pid).filter(|now| now.start_ticks == seen.start_ticks).map(|_| pidfd)
}

/// Whether a process is between two programs: it has the memory of the next one, and neither arguments nor variables
/// yet. One that has ended looks the same, but for its state.
fn is_executing(pid: u32) -> bool {
    let has_ended = stat(pid).is_none_or(|stat| matches!(stat.state, 'Z' | 'X'));
    !has_ended && fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|arguments| arguments.is_empty())
}

/// What ties processes to the leaders.
struct Ties {
    ourselves: u32,
    /// Start times by pid.
    leaders: BTreeMap<u32, u64>,
    markers: BTreeSet<Vec<u8>>,
    /// Orphans without marker, by pid and start time: what they were started with does not change from one pass to
    /// the next.
    unmarked: BTreeSet<(u32, u64)>,
}

impl Ties {
    fn of(leaders: &[Leader<'_>]) -> Self {
        let marker = |leader: &Leader<'_>| leader.marker.map(|marker| marker.as_bytes().to_vec());
        Self {
            ourselves: std::process::id(),
            leaders: leaders.iter().map(|leader| (leader.pid, leader.start_time)).collect(),
            markers: leaders.iter().filter_map(marker).collect(),
            unmarked: BTreeSet::new(),
        }
    }

    /// Living processes of the workers that are not held yet.
    fn belonging(&mut self, held: &BTreeMap<u32, OwnedFd>, processes: &BTreeMap<u32, Stat>) -> BTreeSet<u32> {
        let is_alive = |stat: &Stat| !matches!(stat.state, 'Z' | 'X');
        let leads = |pid: &u32| {
            processes.get(pid).is_some_and(|stat| self.leaders.get(pid) == Some(&stat.start_ticks))
        };
        let leading: BTreeSet<u32> = self.leaders.keys().copied().filter(leads).collect();
        let own = processes.get(&self.ourselves);
        let mut roots: Vec<u32> = leading.iter().chain(held.keys()).copied().collect();
        let mut unclear = Vec::new();
        for (pid, stat) in processes {
            // A worker that inherited our session or group does not lead them, and we must not kill ourselves.
            let session =
                leading.contains(&stat.session) && own.is_none_or(|own| own.session != stat.session);
            let group = leading.contains(&stat.group) && own.is_none_or(|own| own.group != stat.group);
            let orphan = stat.parent == self.ourselves || stat.parent == 1;
            let suspect = orphan && is_alive(stat) && !self.leaders.contains_key(pid);
            if session || group {
                roots.push(*pid);
            } else if suspect {
                match self.is_marked(*pid, stat) {
                    Some(true) => roots.push(*pid),
                    Some(false) => {}
                    None => unclear.push((*pid, stat)),
                }
            }
        }
        for _ in 0..LOOKS_LIMIT {
            unclear.retain(|(pid, stat)| match self.is_marked(*pid, stat) {
                Some(marked) => {
                    roots.extend(marked.then_some(*pid));
                    false
                }
                None => is_executing(*pid),
            });
            if unclear.is_empty() {
                break;
            }
            std::thread::yield_now();
        }
        let mut found: BTreeSet<u32> = by_parents(&roots, processes).into_iter().chain(roots).collect();
        found.retain(|pid| {
            let alive = processes.get(pid).is_some_and(is_alive);
            alive && *pid != self.ourselves && *pid != 1 && !held.contains_key(pid)
        });
        found
    }

    /// `None`: it shows no environment.
    fn is_marked(&mut self, pid: u32, stat: &Stat) -> Option<bool> {
        if self.markers.is_empty() || self.unmarked.contains(&(pid, stat.start_ticks)) {
            return Some(false);
        }
        let environment =
            fs::read(format!("/proc/{pid}/environ")).ok().filter(|entries| !entries.is_empty())?;
        let marked = environment.split(|byte| *byte == 0).any(|entry| self.markers.contains(entry));
        if !marked {
            self.unmarked.insert((pid, stat.start_ticks));
        }
        Some(marked)
    }
}

#[cfg(test)]
mod tests;
