//! What outlives us if we are killed: the record is written, and the keeper holds every descriptor it tells of.

mod holdings;
mod record;
mod watch;

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use remuda_model::InstanceSpec;
use remuda_sys::event::{Interest, Poller};

use crate::child::Child;
use crate::keeper::{Keeper, KeeperError, Policy, keeper_name};
use crate::record::holding;
use crate::source::Source;

/// A keeper that ends sooner after its start is not replaced: something ends every one.
const KEEPER_MIN_LIFE: Duration = Duration::from_secs(1);
/// Beyond the longest stop of a service, what workers have to end after `on_crash = "stop"`.
const GRACE_SLACK: Duration = Duration::from_secs(5);

/// The keeper, while there is one.
#[derive(Debug)]
pub(crate) struct Keeping {
    name: String,
    keeper: Option<Keeper>,
    since: Instant,
    /// The listeners it holds: their names and cookies.
    listeners: BTreeMap<String, u64>,
    /// Parked descriptors it holds.
    stored: Vec<String>,
    /// The record does not tell of all listeners yet.
    sockets_unwritten: bool,
}

impl Keeping {
    pub(crate) fn new(folder: &Path) -> Self {
        let (listeners, stored) = (BTreeMap::new(), Vec::new());
        let (name, since) = (keeper_name(folder), Instant::now());
        Self { name, keeper: None, since, listeners, stored, sockets_unwritten: false }
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.keeper.as_ref().map(Keeper::pid)
    }

    /// Calls `each` with what leads to the keeper.
    pub(crate) fn each_descriptor(&self, each: &mut impl FnMut(String, BorrowedFd<'_>)) {
        if let Some(keeper) = &self.keeper {
            each(holding::KEEPER_LINK.to_owned(), keeper.link());
            each(holding::KEEPER_PID.to_owned(), keeper.pidfd());
        }
    }

    fn start(&mut self, poller: &Poller) -> Result<(), KeeperError> {
        // The program that runs, whatever lies at its path by now.
        let keeper = Keeper::spawn(Path::new("/proc/self/exe"), &self.name)?;
        poller.add(keeper.pidfd(), Source::KeeperExit.token(), Interest::Read)?;
        poller.add(keeper.link(), Source::KeeperLink.token(), Interest::Read)?;
        (self.keeper, self.since) = (Some(keeper), Instant::now());
        self.listeners.clear();
        self.stored.clear();
        Ok(())
    }

    fn keep<'fd>(
        &mut self,
        items: impl IntoIterator<Item = (String, BorrowedFd<'fd>)>,
    ) -> Result<(), KeeperError> {
        self.keeper.as_mut().map_or(Ok(()), |keeper| keeper.keep(items))
    }

    /// Has the keeper let go of listeners, and waits until it has.
    pub(crate) fn release(&mut self, names: Vec<String>) -> Result<(), KeeperError> {
        let Some(keeper) = &mut self.keeper else { return Ok(()) };
        for name in &names {
            self.listeners.remove(name);
        }
        keeper.forget(names)?;
        keeper.sync()
    }

    fn forget(&mut self, names: Vec<String>) -> Result<(), KeeperError> {
        match &mut self.keeper {
            Some(keeper) if !names.is_empty() => keeper.forget(names),
            Some(_) | None => Ok(()),
        }
    }
}

/// What a keeper is to do when we are gone.
fn policy(instance: &InstanceSpec, longest_stop: Duration) -> Policy {
    let grace = instance.stop_timeout.unwrap_or(longest_stop + GRACE_SLACK);
    Policy { on_crash: instance.on_crash, grace, ..Policy::default() }
}

/// Everything of a worker that is held, but its pipes.
pub(crate) fn descriptors(child: &Child) -> impl Iterator<Item = (String, BorrowedFd<'_>)> {
    let main = child.main.as_ref().map(|main| (holding::main(child.id), main.pidfd.as_fd()));
    let notify = child.notify.as_ref().map(|notify| (holding::notify(child.id), notify.socket.as_fd()));
    let ready = child.ready.as_ref().map(|fd| (holding::ready(child.id), fd.as_fd()));
    let stdin = child.held.as_ref().map(|fd| (holding::stdin(child.id), fd.as_fd()));
    let pid = (holding::pid(child.id), child.pidfd.as_fd());
    [Some(pid), main, notify, ready, stdin].into_iter().flatten()
}
