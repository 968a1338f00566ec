//! The way back when the keeper is gone too: from the record's file, and from the workers themselves.
//!
//! A worker is known again by its pid and the time of its start. What it was given it still has: its listeners are
//! taken out of it, and the pipes it writes to are opened anew by way of `/proc`. What waited in a pipe is still there;
//! a worker that wrote while nobody could read has had `SIGPIPE`, which is why there is a keeper.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;

use remuda_model::{Mode, WorkerId};
use remuda_sys::CallError;
use remuda_sys::process::{pidfd_open, start_time, take_descriptor};
use remuda_sys::socket::Listener;

use super::{Found, RECORD_MAX_BYTES, RecoveryError};
use crate::logs::Stream;
use crate::record::replay::{Past, RecordError, replay};
use crate::record::{ChildRecord, holding};

/// Number of the first descriptor that a worker is passed.
const FIRST_PASSED: i32 = 3;

/// Reads the record at `path`, and takes what its workers have. `None`: nobody lives.
pub(super) fn find(path: &Path) -> Result<Option<Found>, RecoveryError> {
    let file = match File::open(path) {
        Ok(file) => OwnedFd::from(file),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(CallError::new(format!("open the record {}", path.display()), error).into()),
    };
    let text = remuda_sys::memfd::content(&file, RECORD_MAX_BYTES)?;
    let past = match replay(&text) {
        Ok(past) => past,
        // Of another boot nobody lives.
        Err(RecordError::OtherBoot) => return Ok(None),
        Err(error) => {
            let reason = format!("{error} ({})", path.display());
            return Err(RecoveryError::Record { workers: 0, reason });
        }
    };
    let living: BTreeMap<WorkerId, OwnedFd> =
        past.children.values().filter_map(|child| Some((child.worker, still(child)?))).collect();
    if living.is_empty() {
        return Ok(None);
    }
    let mut descriptors = BTreeMap::new();
    for (worker, pidfd) in living {
        if let Some(child) = past.children.get(&worker) {
            listeners(&past, child, &pidfd, &mut descriptors);
            outputs(child, &mut descriptors);
        }
        descriptors.insert(holding::pid(worker), pidfd);
    }
    Ok(Some(Found { past, descriptors, dropped: BTreeMap::new(), alone: None }))
}

/// A handle of the process, if it is the one that was recorded and not one that got its number.
fn still(child: &ChildRecord) -> Option<OwnedFd> {
    let pidfd = pidfd_open(child.pid).ok()?;
    start_time(child.pid).is_ok_and(|time| time == child.start_time).then_some(pidfd)
}

/// The listeners that a worker was passed, each in its place. Whether they are what they were is looked at by their
/// cookies.
fn listeners(past: &Past, child: &ChildRecord, pidfd: &OwnedFd, descriptors: &mut BTreeMap<String, OwnedFd>) {
    let slot = past.arbiter.standing(child.worker).map_or(0, |standing| standing.slot);
    for (number, id) in (FIRST_PASSED..).zip(&child.sockets) {
        let Some(socket) = past.sockets.iter().find(|socket| socket.id == *id) else { continue };
        let index = match socket.mode {
            Mode::Shared => 0,
            Mode::PerWorker => usize::try_from(slot).unwrap_or(usize::MAX),
        };
        let (Some(known), name) = (socket.listeners.get(index), holding::listener(*id, index)) else {
            continue;
        };
        let taken = take_descriptor(pidfd, number).ok().and_then(|fd| Listener::inspect(fd).ok());
        if let Some(listener) = taken.filter(|listener| listener.cookie == known.cookie) {
            descriptors.entry(name).or_insert(listener.fd);
        }
    }
}

fn outputs(child: &ChildRecord, descriptors: &mut BTreeMap<String, OwnedFd>) {
    for (number, stream) in [(1, Stream::Stdout), (2, Stream::Stderr)] {
        // A program may have sent its output elsewhere.
        if let Ok(pipe) = remuda_sys::pipe::reopen(child.pid, number) {
            descriptors.insert(holding::log(child.worker, stream), pipe);
        }
    }
}
