//! Everything about a program that is to be started.

use std::ffi::OsString;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;

use remuda_model::{ResourceLimit, Session};

/// The value of an environment variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvironmentValue {
    /// As it is.
    Text(OsString),
    /// The program's own pid, known only after it is started: `LISTEN_PID`, `WATCHDOG_PID`.
    Pid,
    /// The inode number of its own pidfd: `LISTEN_PIDFDID`. Left out where the kernel has none.
    PidfdId,
}

/// As whom the program runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Real, effective and saved user.
    pub uid: u32,
    /// Real, effective and saved group.
    pub gid: u32,
    /// Supplementary groups, all of them.
    pub groups: Vec<u32>,
}

/// A program to be started. Descriptors are borrowed: the child gets duplicates.
#[derive(Debug, Clone)]
pub struct SpawnPlan<'fd> {
    /// The executable that serves as trampoline; its `main` has to call
    /// [`run_trampoline_if_asked`](super::run_trampoline_if_asked). Default `/proc/self/exe`.
    pub trampoline: PathBuf,
    /// Program and arguments. A program without a slash is searched in the `PATH` of `environment`.
    pub argv: Vec<OsString>,
    /// The whole environment; nothing is inherited.
    pub environment: Vec<(OsString, EnvironmentValue)>,
    /// Working directory, entered as the user it runs as; ours when absent.
    pub directory: Option<PathBuf>,
    /// Descriptor 0; `/dev/null` when absent.
    pub stdin: Option<BorrowedFd<'fd>>,
    /// Descriptor 1; `/dev/null` when absent.
    pub stdout: Option<BorrowedFd<'fd>>,
    /// Descriptor 2; `/dev/null` when absent.
    pub stderr: Option<BorrowedFd<'fd>>,
    /// Descriptors 3 and up, in this order. No other is open in the program.
    pub passed: Vec<BorrowedFd<'fd>>,
    /// As whom it runs; as ourselves when absent.
    pub user: Option<Credentials>,
    /// File mode creation mask; ours when absent.
    pub umask: Option<u32>,
    /// Resource limits; the others are ours.
    pub limits: Vec<ResourceLimit>,
    /// Niceness, -20 to 19, absolute; ours when absent.
    pub nice: Option<i32>,
    /// `oom_score_adj`, -1000 to 1000; ours when absent.
    pub oom_score_adjust: Option<i32>,
    /// Processors it may run on, by number; ours when empty.
    pub cpus: Vec<u32>,
    /// Session and process group.
    pub session: Session,
    /// The open folder of a control group to be born in.
    pub cgroup: Option<BorrowedFd<'fd>>,
    /// Its open `cgroup.procs`, to join where that cannot be.
    pub cgroup_procs: Option<BorrowedFd<'fd>>,
    /// No program it executes gains privileges by setuid bits or file capabilities.
    pub no_new_privileges: bool,
}

impl SpawnPlan<'_> {
    /// A plan for `argv` with everything else at its default and an empty environment.
    #[must_use]
    pub fn new(argv: Vec<OsString>) -> Self {
        Self {
            trampoline: PathBuf::from("/proc/self/exe"),
            argv,
            environment: Vec::new(),
            directory: None,
            stdin: None,
            stdout: None,
            stderr: None,
            passed: Vec::new(),
            user: None,
            umask: None,
            limits: Vec::new(),
            nice: None,
            oom_score_adjust: None,
            cpus: Vec::new(),
            session: Session::New,
            cgroup: None,
            cgroup_procs: None,
            no_new_privileges: false,
        }
    }
}
