//! What a keeper holds.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use remuda_sys::CallError;

use super::drain::Drain;
use super::policy::Policy;
use super::protocol::{Holding, is_name};
use super::workers::Workers;

/// Before the names of log pipes.
const LOG: &str = "log/";
/// Before the names of pidfds.
const PID: &str = "pid/";
/// Descriptors we need for ourselves: pollers, visitors, the link.
const RESERVED: usize = 64;

#[derive(Debug)]
pub(super) struct Estate {
    /// While the arbiter lives everything; later what is only held.
    plain: BTreeMap<String, OwnedFd>,
    pub(super) drain: Drain,
    pub(super) workers: Workers,
    room: usize,
}

impl Estate {
    /// Nothing, in a process that may have `nofile` descriptors.
    pub(super) fn new(nofile: u64) -> Result<Self, CallError> {
        let nofile = usize::try_from(nofile).unwrap_or(usize::MAX);
        Ok(Self {
            plain: BTreeMap::new(),
            drain: Drain::new()?,
            workers: Workers::new()?,
            room: nofile.saturating_sub(RESERVED),
        })
    }

    /// Holds descriptors under names. `Err` says why none of them is held.
    pub(super) fn keep(&mut self, names: Vec<String>, descriptors: Vec<OwnedFd>) -> Result<(), String> {
        if names.len() != descriptors.len() {
            return Err(format!("{} names came with {} descriptors", names.len(), descriptors.len()));
        }
        if let Some(name) = names.iter().find(|name| !is_name(name)) {
            return Err(format!("{name:?} is no name"));
        }
        // What is read from a log pipe takes a descriptor too.
        let cost = |name: &String| if name.starts_with(LOG) { 2 } else { 1 };
        let new = names.iter().filter(|name| !self.plain.contains_key(*name)).map(cost).sum::<usize>();
        if self.plain.keys().map(cost).sum::<usize>() + new > self.room {
            return Err(format!("it may not have more than {} descriptors", self.room));
        }
        self.plain.extend(names.into_iter().zip(descriptors));
        Ok(())
    }

    pub(super) fn forget(&mut self, names: &[String]) {
        for name in names {
            self.plain.remove(name);
        }
    }

    /// Begins to empty the log pipes and to watch the workers.
    pub(super) fn take_care(&mut self, policy: &Policy) -> Result<(), CallError> {
        let all = std::mem::take(&mut self.plain);
        let (logs, rest): (BTreeMap<_, _>, BTreeMap<_, _>) =
            all.into_iter().partition(|(name, _)| name.starts_with(LOG));
        let (workers, rest): (BTreeMap<_, _>, BTreeMap<_, _>) =
            rest.into_iter().partition(|(name, _)| name.starts_with(PID));
        self.plain = rest;
        self.drain.begin(logs.into_iter(), policy);
        self.workers.begin(workers.into_iter())
    }

    /// Everything to hand over. The order stays the same while no log pipe is read.
    pub(super) fn entries(&self) -> impl Iterator<Item = (String, Holding, BorrowedFd<'_>)> {
        let plain = self.plain.iter().map(|(name, fd)| (name.clone(), Holding::default(), fd.as_fd()));
        plain.chain(self.drain.entries()).chain(self.workers.entries())
    }
}

#[cfg(test)]
mod tests;
