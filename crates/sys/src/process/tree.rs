//! Who descends from whom.

use std::collections::BTreeMap;
use std::fs;

use crate::process::stat::{Stat, stat};

/// Most processes looked at; a machine's `kernel.pid_max` is at most this.
const PROCESSES_LIMIT: usize = 1 << 22;

/// All processes alive, as `/proc` shows them during one pass; not an instant, since nobody can stop the machine.
pub(crate) fn all() -> BTreeMap<u32, Stat> {
    let Ok(entries) = fs::read_dir("/proc") else { return BTreeMap::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .take(PROCESSES_LIMIT)
        .filter_map(|pid| stat(pid).map(|stat| (pid, stat)))
        .collect()
}

/// Descendants of `pid` that are alive, without itself, parents before children. Those whose parent ended first
/// belong to another by then and are not among them.
#[must_use]
pub fn tree(pid: u32) -> Vec<u32> {
    match children(pid) {
        Some(first) => by_children(first),
        None => by_parents(&[pid], &all()),
    }
}

fn by_children(first: Vec<u32>) -> Vec<u32> {
    let mut found = first;
    let mut next = 0;
    while next < found.len() && found.len() < PROCESSES_LIMIT {
        found.extend(children(found[next]).unwrap_or_default());
        next += 1;
    }
    found
}

/// Children of all threads of `pid`; `None` where the kernel keeps no such file.
fn children(pid: u32) -> Option<Vec<u32>> {
    let mut found = Vec::new();
    for thread in fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten() {
        let list = fs::read_to_string(thread.path().join("children")).ok()?;
        found.extend(list.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
    }
    Some(found)
}

/// Descendants of `roots` among `processes`, parents before children.
pub(crate) fn by_parents(roots: &[u32], processes: &BTreeMap<u32, Stat>) -> Vec<u32> {
    let mut of = BTreeMap::<u32, Vec<u32>>::new();
    for (child, stat) in processes {
        of.entry(stat.parent).or_default().push(*child);
    }
    // Removed, so that a reused pid that looks like a ring ends the walk.
    let mut found: Vec<u32> = roots.iter().flat_map(|root| of.remove(root).unwrap_or_default()).collect();
    let mut next = 0;
    while next < found.len() {
        found.extend(of.remove(&found[next]).unwrap_or_default());
        next += 1;
    }
    found
}
