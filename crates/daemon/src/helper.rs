//! Programs that are no workers: hooks and exec probes. Spawned like workers, awaited, killed when late.

use std::ffi::OsString;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use remuda_model::ExitStatus;
use remuda_sys::cgroup::{Leader, kill_tree};
use remuda_sys::process;
use remuda_sys::spawn::{Credentials, EnvironmentValue, SpawnPlan, StatusReport, read_status, spawn};
use tokio::io::unix::AsyncFd;
use tokio::time::timeout;

use crate::tasks::Helpers;

/// A program to run to its end.
#[derive(Debug)]
pub(crate) struct Helper {
    pub(crate) argv: Vec<OsString>,
    pub(crate) environment: Vec<(OsString, EnvironmentValue)>,
    pub(crate) directory: PathBuf,
    pub(crate) user: Option<Credentials>,
    pub(crate) stdin: Option<OwnedFd>,
    pub(crate) stdout: Option<OwnedFd>,
    pub(crate) stderr: Option<OwnedFd>,
    pub(crate) timeout: Duration,
}

impl Helper {
    /// Runs it. `Err` says in words why it did not end by itself.
    ///
    /// # Cancel safety
    /// When the future is dropped the program is killed with its descendants.
    pub(crate) async fn run(self, helpers: &Helpers) -> Result<ExitStatus, String> {
        let mut plan = SpawnPlan::new(self.argv);
        plan.environment = self.environment;
        plan.directory = Some(self.directory);
        plan.user = self.user;
        plan.stdin = self.stdin.as_ref().map(AsFd::as_fd);
        plan.stdout = self.stdout.as_ref().map(AsFd::as_fd);
        plan.stderr = self.stderr.as_ref().map(AsFd::as_fd);
        let spawned = spawn(&plan).map_err(|error| error.to_string())?;
        drop(plan);
        helpers.add(spawned.pid);
        let start_time = process::start_time(spawned.pid).unwrap_or(0);
        let running =
            Running { pid: spawned.pid, start_time, pidfd: spawned.pidfd, helpers: helpers.clone() };
        let ended = timeout(self.timeout, wait(&running.pidfd)).await;
        match ended {
            Ok(Ok(status)) => match read_status(&spawned.status) {
                Ok(Some(StatusReport::Failed { detail, .. })) => Err(detail),
                Ok(_) | Err(_) => Ok(status),
            },
            Ok(Err(error)) => Err(error),
            Err(_elapsed) => Err(format!("timed out after {:?}", self.timeout)),
        }
    }
}

async fn wait(pidfd: &OwnedFd) -> Result<ExitStatus, String> {
    let duplicate = pidfd.try_clone().map_err(|error| error.to_string())?;
    #[expect(
        deprecated,
        reason = "unsound only for types that change their descriptor, which an OwnedFd does not"
    )]
    let watched = AsyncFd::new(duplicate).map_err(|error| error.to_string())?;
    loop {
        let mut ready = watched.readable().await.map_err(|error| error.to_string())?;
        match process::peek_exit(pidfd).map_err(|error| error.to_string())? {
            Some(status) => return Ok(status),
            None => ready.clear_ready(),
        }
    }
}

/// A helper's process; when it is dropped, nothing of it is left.
struct Running {
    pid: u32,
    start_time: u64,
    pidfd: OwnedFd,
    helpers: Helpers,
}

impl Drop for Running {
    fn drop(&mut self) {
        let leader = Leader { pid: self.pid, start_time: self.start_time, marker: None };
        // Without a control group killing cannot fail: whoever is gone is gone.
        let _ = kill_tree(None, &leader);
        // If it has not died of that yet, the reaper of strangers takes it when it has.
        let _ = process::reap(&self.pidfd);
        self.helpers.remove(self.pid);
    }
}
