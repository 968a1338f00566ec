//! The way back when the keeper is gone too: from the record's file, and from the workers themselves.
//!
//! A worker is known again by its pid and the time of its start. What it was given it still has: its listeners are
//! taken out of it, and the pipes it writes to are opened anew by way of `/proc`. What waited in a pipe is still there;
//! a worker that wrote while nobody could read has had `SIGPIPE`, which is why there is a keeper.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;

use remuda_model::Mode;
use remuda_sys::CallError;
use remuda_sys::process::{foreign_exit, pidfd_open, start_time, take_descriptor};
use remuda_sys::socket::Listener;

use super::{Found, RECORD_MAX_BYTES, RecoveryError};
use crate::logs::Stream;
use crate::record::replay::{Past, RecordError, replay};
use crate::record::{ChildRecord, holding};

/// Number of the first descriptor that a worker is passed.
const FIRST_PASSED: i32 = 3;

/// Reads the record at `path`, and takes what its workers have. `None`: nobody lives.
pub(super) fn find(path: &Path) -> Result<Option<Found>, RecoveryError> {
    let Some(text) = text(path)? else { return Ok(None) };
    let past = match replay(&text) {
        Ok(past) => past,
        // Of another boot nobody lives.
        Err(RecordError::OtherBoot) => return Ok(None),
        Err(error) => {
            let reason = format!("{error} ({})", path.display());
            return Err(RecoveryError::Record { workers: 0, reason });
        }
    };
    let mut descriptors = BTreeMap::new();
    complete(&past, &mut descriptors);
    if descriptors.is_empty() {
        return Ok(None);
    }
    Ok(Some(Found { past, descriptors, dropped: BTreeMap::new(), alone: None }))
}

/// The record at `path`, if there is one.
pub(super) fn text(path: &Path) -> Result<Option<Vec<u8>>, RecoveryError> {
    match File::open(path) {
        Ok(file) => Ok(Some(remuda_sys::memfd::content(&OwnedFd::from(file), RECORD_MAX_BYTES)?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CallError::new(format!("open the record {}", path.display()), error).into()),
    }
}

/// Adds what is lacking of workers that live. Of a keeper's holdings that is what its arbiter could not give it any
/// more; nothing, but after an arbiter that was killed as it began.
pub(super) fn complete(past: &Past, descriptors: &mut BTreeMap<String, OwnedFd>) {
    for child in past.children.values() {
        let name = holding::pid(child.worker);
        let held = descriptors.remove(&name);
        let was_held = held.is_some();
        let Some(pidfd) = held.or_else(|| still(child)) else { continue };
        listeners(past, child, &pidfd, descriptors);
        // A worker's pipes are held before it is: one that is lacking has ended, and what the worker has in its place
        // is none of ours.
        if !was_held {
            outputs(child, descriptors);
        }
        descriptors.insert(name, pidfd);
    }
}

/// A handle of the process, if it is the one that was recorded and not one that got its number, and lives: one that has
/// ended keeps its number until its new parent reaps it.
pub(super) fn still(child: &ChildRecord) -> Option<OwnedFd> {
    let pidfd = pidfd_open(child.pid).ok()?;
    let same = start_time(child.pid).is_ok_and(|time| time == child.start_time);
    let lives = same && foreign_exit(&pidfd).is_ok_and(|ended| ended.is_none());
    lives.then_some(pidfd)
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
        if descriptors.contains_key(&name) {
            continue;
        }
        let taken = take_descriptor(pidfd, number).ok().and_then(|fd| Listener::inspect(fd).ok());
        if let Some(listener) = taken.filter(|listener| listener.cookie == known.cookie) {
            descriptors.insert(name, listener.fd);
        }
    }
}

fn outputs(child: &ChildRecord, descriptors: &mut BTreeMap<String, OwnedFd>) {
    for (number, stream) in [(1, Stream::Stdout), (2, Stream::Stderr)] {
        let name = holding::log(child.worker, stream);
        if descriptors.contains_key(&name) {
            continue;
        }
        // A program may have sent its output elsewhere.
        if let Ok(pipe) = remuda_sys::pipe::reopen(child.pid, number) {
            descriptors.insert(name, pipe);
        }
    }
}
