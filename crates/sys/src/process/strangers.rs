//! Children nobody here started: orphans that fell to us as the subreaper, or as process 1.

use std::fs;

use crate::CallError;
use crate::process::exit::{Exit, wait};

/// Strangers reaped per call; the rest follow at the next SIGCHLD.
const REAPED_PER_CALL: usize = 1024;

/// Makes this process the parent of all orphans below it; survives `execve`, is not inherited by children.
///
/// # Errors
/// None the kernel documents.
pub fn set_subreaper() -> Result<(), CallError> {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .map_err(|errno| CallError::new("become the parent of orphans", errno))
}

/// Reaps ended children for which `is_ours` says no, at most 1024; ours stay for [`reap`](crate::process::reap).
///
/// The kernel shows one zombie at a time, and one of ours shown first would hide strangers behind it for ever; then
/// all children are listed and asked singly.
///
/// # Errors
/// Waiting failed for another reason than that there is no child.
pub fn reap_strangers(is_ours: impl Fn(u32) -> bool) -> Result<Vec<Exit>, CallError> {
    let mut reaped = Vec::new();
    while reaped.len() < REAPED_PER_CALL {
        match attempt(libc::P_ALL, 0, libc::WNOWAIT)? {
            None => return Ok(reaped),
            Some(shown) if is_ours(shown.pid) => break,
            Some(shown) => reaped.extend(attempt(libc::P_PID, libc::c_long::from(shown.pid), 0)?),
        }
    }
    for pid in children().into_iter().filter(|pid| !is_ours(*pid)) {
        if reaped.len() >= REAPED_PER_CALL {
            break;
        }
        reaped.extend(attempt(libc::P_PID, libc::c_long::from(pid), 0)?);
    }
    Ok(reaped)
}

fn attempt(kind: libc::idtype_t, id: libc::c_long, extra: libc::c_int) -> Result<Option<Exit>, CallError> {
    match wait(kind, id, extra) {
        Ok(exit) => Ok(exit),
        Err(error) if error.raw_os_error() == Some(libc::ECHILD) => Ok(None),
        Err(error) => Err(CallError::new("reap orphans", error)),
    }
}

/// Children of every thread of this process.
fn children() -> Vec<u32> {
    let Ok(threads) = fs::read_dir("/proc/self/task") else { return Vec::new() };
    let lists =
        threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>())
        .collect()
}
