//! The command that runs while a lock is held: started as the program it would be without us.
//!
//! Signals are blocked in us, and a program inherits that; so it is started as workers are, by the trampoline, which gives
//! it a fresh set. Sockets that an arbiter gave us are passed on, and what names us by our pid names the program then:
//! `remuda lock NAME --` may stand in front of any service's command.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::exit::{Exit, Failure};
use remuda_model::{ExitStatus, Session};
use remuda_sys::event::wait_readable;
use remuda_sys::image;
use remuda_sys::process::reap;
use remuda_sys::spawn::{EnvironmentValue, SpawnPlan, StatusReport, read_status, spawn};

/// As shells have it: it cannot be run, or is not there.
const NOT_RUN: (u8, u8) = (126, 127);
/// Behind the standard ones.
const FIRST_SOCKET: i32 = 3;
/// Variables that say whom the others are for, by pid.
const PIDS: [&str; 2] = ["LISTEN_PID", "WATCHDOG_PID"];

/// The running command.
#[derive(Debug)]
pub(super) struct Guarded {
    process: OwnedFd,
}

impl Guarded {
    /// Starts it, with its lock and fence in its variables.
    pub(super) fn start(argv: &[OsString], name: &str, fence: u64) -> Result<Self, Failure> {
        let program = argv.first().map(|program| program.to_string_lossy().into_owned()).unwrap_or_default();
        let cannot = |code: u8, why: &dyn std::fmt::Display| {
            Failure::new(Exit::Worker(code), format!("cannot run {program}: {why}"))
        };
        let (stdin, stdout, stderr) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
        let sockets = inherited();
        let mut plan = SpawnPlan::new(argv.to_vec());
        plan.environment = environment(name, fence);
        (plan.stdin, plan.stdout, plan.stderr) =
            (Some(stdin.as_fd()), Some(stdout.as_fd()), Some(stderr.as_fd()));
        plan.passed = sockets.iter().map(AsFd::as_fd).collect();
        plan.session = Session::Inherit;
        let spawned = spawn(&plan).map_err(|error| cannot(NOT_RUN.0, &error))?;
        loop {
            match read_status(&spawned.status).map_err(|error| cannot(NOT_RUN.0, &error))? {
                Some(StatusReport::Execed) => return Ok(Self { process: spawned.pidfd }),
                Some(StatusReport::Failed { errno, detail, .. }) => {
                    // It has said its last word.
                    let _ = wait_readable([&spawned.pidfd.as_fd()], None);
                    let _ = reap(&spawned.pidfd);
                    let is_absent = std::io::Error::from_raw_os_error(errno).kind() == ErrorKind::NotFound;
                    return Err(cannot(if is_absent { NOT_RUN.1 } else { NOT_RUN.0 }, &detail));
                }
                None => drop(wait_readable([&spawned.status.as_fd()], None)),
            }
        }
    }

    /// The process; readable when it has ended.
    pub(super) fn process(&self) -> BorrowedFd<'_> {
        self.process.as_fd()
    }

    /// How it ended, once it has.
    pub(super) fn ended(&self) -> Result<Option<ExitStatus>, Failure> {
        let exit = reap(&self.process).map_err(|error| Failure::new(Exit::No, error.to_string()))?;
        Ok(exit.map(|exit| exit.status))
    }
}

/// Ours, and what it is told of the lock.
fn environment(name: &str, fence: u64) -> Vec<(OsString, EnvironmentValue)> {
    let own = std::process::id().to_string();
    let is_told = |key: &OsString| key == "REMUDA_LOCK_NAME" || key == "REMUDA_FENCE";
    let inherited = std::env::vars_os().filter(|(key, _)| !is_told(key)).map(|(key, value)| {
        let is_ours = PIDS.iter().any(|pid| key == *pid) && value == own.as_str();
        let value = match key.to_str() {
            _ if is_ours => EnvironmentValue::Pid,
            Some("LISTEN_PIDFDID") => EnvironmentValue::PidfdId,
            _ => EnvironmentValue::Text(value),
        };
        (key, value)
    });
    let told = [("REMUDA_LOCK_NAME", name.to_owned()), ("REMUDA_FENCE", fence.to_string())];
    let told = told.map(|(key, value)| (key.into(), EnvironmentValue::Text(value.into())));
    inherited.chain(told).collect()
}

/// Sockets that an arbiter gave us: 3 and up, as many as it says, if it means us.
fn inherited() -> Vec<OwnedFd> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u32>().ok();
    if number("LISTEN_PID") != Some(std::process::id()) {
        return Vec::new();
    }
    let count = i32::try_from(number("LISTEN_FDS").unwrap_or_default()).unwrap_or_default();
    (FIRST_SOCKET..FIRST_SOCKET.saturating_add(count)).map_while(|fd| image::inherited(fd).ok()).collect()
}
