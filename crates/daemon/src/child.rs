//! What the shell holds of one worker: its process, its descriptors, its tree.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use remuda_model::{ServiceSpec, Stdin, WorkerId};
use remuda_sys::cgroup::WorkerCgroup;
use remuda_sys::notify::NotifySocket;

use crate::record::ChildRecord;
use crate::sockets::Bound;

/// One worker that has, or had, a process.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) id: WorkerId,
    pub(crate) slot: u32,
    pub(crate) spec: Arc<ServiceSpec>,
    /// The process that was spawned. It is our child until it is reaped.
    pub(crate) pid: u32,
    pub(crate) pidfd: OwnedFd,
    /// Clock ticks since boot at its start: with the pid, its identity.
    pub(crate) start_time: u64,
    /// The trampoline's report; gone when it has come.
    pub(crate) status: Option<OwnedFd>,
    pub(crate) generation: u64,
    /// The user it runs as.
    pub(crate) user: u32,
    /// Its end has been told to the arbiter.
    pub(crate) ended: bool,
    /// Another process it has declared to be its main one.
    pub(crate) main: Option<MainProcess>,
    pub(crate) notify: Option<Notified>,
    /// The reading end of its readiness descriptor.
    pub(crate) ready: Option<OwnedFd>,
    /// Keeps a pipe open that nobody writes to, for `stdin = "hold"`.
    pub(crate) held: Option<OwnedFd>,
    /// The wanted number of workers when it was spawned.
    pub(crate) workers: u32,
    /// The sockets it was spawned with.
    pub(crate) sockets: Vec<Arc<Bound>>,
    pub(crate) cgroup: Option<WorkerCgroup>,
}

/// A main process that is not the one that was spawned (`MAINPID=`).
#[derive(Debug)]
pub(crate) struct MainProcess {
    pub(crate) pid: u32,
    pub(crate) pidfd: OwnedFd,
}

/// A notify socket and its file.
#[derive(Debug)]
pub(crate) struct Notified {
    pub(crate) socket: NotifySocket,
    pub(crate) path: PathBuf,
}

impl Drop for Notified {
    fn drop(&mut self) {
        // If the folder is gone, so is the file.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Child {
    /// The pid that stands for it: the one it declared, or the one that was spawned.
    pub(crate) fn main_pid(&self) -> u32 {
        self.main.as_ref().map_or(self.pid, |main| main.pid)
    }

    pub(crate) fn main_pidfd(&self) -> &OwnedFd {
        self.main.as_ref().map_or(&self.pidfd, |main| &main.pidfd)
    }

    /// As the record tells of it.
    pub(crate) fn record(&self) -> ChildRecord {
        ChildRecord {
            worker: self.id,
            pid: self.pid,
            start_time: self.start_time,
            user: self.user,
            sockets: self.sockets.iter().map(|socket| socket.id).collect(),
            workers: self.workers,
            cgroup: self.cgroup.is_some(),
        }
    }

    /// Whether a user may speak for it: its own, ours, or root.
    pub(crate) fn trusts(&self, user: u32) -> bool {
        user == 0 || user == self.user || user == remuda_sys::users::effective_user()
    }

    /// Whether it was given a listener of this socket.
    pub(crate) fn holds(&self, socket: &Bound) -> bool {
        let stdin = matches!(&self.spec.stdin, Stdin::Socket(name) if *name == socket.name);
        stdin || self.sockets.iter().any(|own| own.id == socket.id)
    }

    /// Its processes.
    pub(crate) fn pids(&self) -> Vec<u32> {
        match &self.cgroup {
            Some(cgroup) => cgroup.pids(),
            None => {
                let mut pids = remuda_sys::process::tree(self.pid);
                pids.push(self.pid);
                if let Some(main) = &self.main {
                    pids.extend(remuda_sys::process::tree(main.pid));
                    pids.push(main.pid);
                }
                pids
            }
        }
    }
}
