//! What the config asks of a service, resolved: every default is explicit, every name checked.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::gateway::GatewaySpec;
use crate::hub::HubSpec;
use crate::{Hook, HookPoint, Scaling, ServiceName, Signal, SocketName};

/// A service of the config.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceSpec {
    /// Its name.
    pub name: ServiceName,
    /// What its workers are.
    pub kind: Kind,
    /// What its workers run.
    pub command: Command,
    /// The sockets its workers inherit, in the order of their descriptors from 3 up.
    pub sockets: Vec<SocketName>,
    /// What its workers find on descriptor 0.
    pub stdin: Stdin,
    /// Wanted number of workers to begin with. Default 1.
    pub workers: u32,
    /// The number follows the load. Default: it stays as it is until somebody changes it.
    #[serde(default)]
    pub scaling: Option<Scaling>,
    /// At most one worker may live at any moment: reloads stop before they start. Default false.
    pub singleton: bool,
    /// The worker is a task with an end: exit 0 means done, not dead. Default false.
    pub oneshot: bool,
    /// Starts with the arbiter. Default true.
    pub autostart: bool,
    /// Starts only when these run (or, oneshot, are done).
    pub after: Vec<ServiceName>,
    /// Among services that may start, higher spawns first. Default 0.
    pub priority: i32,
    /// How a worker tells that it serves.
    pub ready: Readiness,
    /// A worker not ready after this long is killed. Default 60 s.
    pub ready_timeout: Duration,
    /// Who may speak on a worker's notify socket. Default all of its processes.
    pub notify_access: NotifyAccess,
    /// A worker must ping within this time (`WATCHDOG_USEC`), or it is aborted and restarted.
    pub watchdog: Option<Duration>,
    /// How a reload goes.
    pub reload: Reload,
    /// How a worker is stopped.
    pub stop: Stop,
    /// When an ended worker gets a successor.
    pub restart: Restart,
    /// Exit codes besides 0 that count as success.
    pub success_codes: Vec<i32>,
    /// How fast failing workers are retried.
    pub backoff: Backoff,
    /// Start on the first connection, stop when idle.
    pub on_demand: Option<OnDemand>,
    /// Run at times.
    pub schedule: Option<Schedule>,
    /// Replace workers that are old.
    pub recycle: Recycle,
    /// Variables of the workers.
    pub environment: Environment,
    /// As whom they run.
    pub identity: Identity,
    /// Working directory, absolute. Default: the config file's folder.
    pub directory: PathBuf,
    /// rlimits.
    pub limits: Vec<ResourceLimit>,
    /// Limits of the control group, where one can be had.
    pub cgroup: CgroupLimits,
    /// Niceness, -20 to 19. Default 0.
    pub nice: i32,
    /// `oom_score_adj`, -1000 to 1000; `None` inherits.
    pub oom_score_adjust: Option<i32>,
    /// Its session and process group. Default: its own.
    pub session: Session,
    /// Set `no_new_privs`: set-uid programs gain nothing. Default false.
    pub no_new_privileges: bool,
    /// Descriptors a worker may park with the arbiter (`FDSTORE=1`), per slot. Default 0.
    pub fd_store: u32,
    /// Where lines go besides the arbiter's memory.
    pub log: Option<LogFile>,
    /// Its workers are told where the hub is and may use it. False where there is no hub.
    #[serde(default)]
    pub hub: bool,
    /// Programs told about, or asked before, steps of life.
    pub hooks: BTreeMap<HookPoint, Hook>,
}

/// What the workers of a service are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Any program.
    #[default]
    Command,
    /// The hub, built in: bus and store. There is one worker of it.
    Hub(Box<HubSpec>),
    /// The gateway, built in: the web in front of the others. All gateway services of an instance have the same one.
    Gateway(Arc<GatewaySpec>),
}

impl Kind {
    /// What the hub is to be, if it is one.
    #[must_use]
    pub fn hub(&self) -> Option<&HubSpec> {
        match self {
            Self::Hub(spec) => Some(spec),
            Self::Command | Self::Gateway(_) => None,
        }
    }

    /// What the gateway is to do, if it is one.
    #[must_use]
    pub fn gateway(&self) -> Option<&Arc<GatewaySpec>> {
        match self {
            Self::Gateway(spec) => Some(spec),
            Self::Command | Self::Hub(_) => None,
        }
    }
}

/// A command line, split, with its placeholders (`$(socket.web)`, `$(slot)` …) still in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Program and arguments; never empty.
    pub argv: Vec<String>,
}

/// What a worker finds on descriptor 0.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Stdin {
    /// `/dev/null`: reads end at once.
    #[default]
    Null,
    /// A pipe nobody writes to: reads wait. For programs that quit when input ends.
    Hold,
    /// The listener of this socket, as inetd and FastCGI do.
    Socket(SocketName),
}

/// How a worker tells that it serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Readiness {
    /// As soon as its program runs.
    Started,
    /// `READY=1` on `NOTIFY_SOCKET`.
    Notify,
    /// When one of its processes listens on a socket of its own.
    Listen,
    /// When it writes a newline to this descriptor (s6), or closes it.
    Descriptor(i32),
    /// When a GET of this URL answers 2xx or 3xx; `/path` means on its first socket.
    Http(String),
    /// When a connection to this address succeeds; `None` means its first socket.
    Tcp(Option<String>),
    /// When this command exits 0.
    Exec(String),
    /// When a line of its output matches this regular expression.
    Log(String),
    /// After this long.
    Delay(Duration),
    /// When it acknowledges on the einhorn socket.
    Ack,
}

/// Who may speak on a worker's notify socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NotifyAccess {
    /// Its main process.
    Main,
    /// Any process of its tree; helpers such as `systemd-notify` included.
    #[default]
    All,
}

/// How a reload of a service goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reload {
    /// By replacement or by signal.
    pub method: ReloadMethod,
    /// Workers above the wanted number while a reload lasts, at least 1. Default 1.
    pub surge: u32,
    /// One worker goes first, alone. Default true.
    pub canary: bool,
    /// A replacement must stay alive this long after it is ready. Default 1 s for `ready = "started"`, else 0.
    pub bake: Duration,
    /// A replacement that is not ready after this long ends the reload. Default: `ready_timeout`.
    pub timeout: Duration,
}

/// By what means workers take up a new generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReloadMethod {
    /// A new process is started and ready before the old one goes.
    Replace,
    /// The process is told by this signal to reload itself.
    Signal(Signal),
}

/// How a worker is stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// First asked with this signal. Default TERM.
    pub signal: Signal,
    /// Who gets it. Default the main process.
    pub scope: StopScope,
    /// After this long its whole tree is killed. Default 30 s.
    pub timeout: Duration,
}

/// Which processes of a worker get a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StopScope {
    /// The main process.
    #[default]
    Main,
    /// Its process group.
    Group,
    /// All processes that descend from it.
    Tree,
}

/// When an ended worker gets a successor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// Whatever its exit (OTP: permanent).
    #[default]
    Always,
    /// When it failed (OTP: transient).
    OnFailure,
    /// Not (OTP: temporary).
    Never,
}

/// How fast failing workers are retried. The delay before the n-th retry in a row is
/// `rand(0.5..1.0) * min(cap, base * 2^(n-2))`, and none before the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backoff {
    /// Delay the doubling begins with. Default 100 ms.
    pub base: Duration,
    /// Longest delay. Default 60 s.
    pub cap: Duration,
    /// A worker that was ready for this long ends the row of failures. Default 10 s.
    pub healthy_after: Duration,
    /// So many failures in a row, over all slots, with no worker healthy in between, are a crash loop. Default 10.
    pub crash_loop_after: u32,
    /// So many failures in a row end the retries: the service has failed. `None` retries for ever.
    pub give_up_after: Option<u32>,
}

/// Start on the first connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnDemand {
    /// Stop after this long without a connection; `None` stays.
    pub idle: Option<Duration>,
}

/// Run at times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Cron expression of five or six fields, or `@daily` and its like.
    pub cron: String,
    /// IANA name of the time zone; the system's when absent.
    pub timezone: Option<String>,
    /// What happens when the last run still goes on.
    pub overlap: Overlap,
}

/// What happens when a scheduled run is due and the last one still goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Overlap {
    /// The new run does not take place.
    #[default]
    Skip,
    /// The new run starts when the last one ends; more than one waiting count as one.
    Queue,
    /// The last one is stopped, then the new one starts.
    Replace,
}

/// Replace workers that are old. A replacement is ready before the old one goes, as in a reload.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Recycle {
    /// Replace a worker at this age.
    pub max_age: Option<Duration>,
    /// Replace a worker that has reported this many requests (`X_REMUDA_REQUESTS=n` on `NOTIFY_SOCKET`).
    pub max_requests: Option<u64>,
    /// Each worker's limits are lengthened by a random share of up to so many percent, so that not all go at
    /// once. Default 20.
    pub jitter_percent: u32,
}

/// Variables of the workers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Environment {
    /// Take over the arbiter's own variables; otherwise only PATH, HOME, USER, LOGNAME, SHELL, LANG and TZ.
    pub inherit: bool,
    /// Set on top, with placeholders still in them.
    pub variables: BTreeMap<String, String>,
}

/// As whom a worker runs. Names are resolved when it is spawned.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Identity {
    /// User name or number; the arbiter's own when absent.
    pub user: Option<String>,
    /// Group name or number; the user's own when absent.
    pub group: Option<String>,
    /// Supplementary groups; those of the user's entries when absent.
    pub groups: Option<Vec<String>>,
    /// File mode creation mask; inherited when absent.
    pub umask: Option<u32>,
}

/// Which session and process group a worker is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Session {
    /// It leads its own session and group, without a terminal.
    #[default]
    New,
    /// It leads its own group in the arbiter's session.
    Group,
    /// It stays in the arbiter's group: a key such as Ctrl-C reaches it too.
    Inherit,
}

/// One rlimit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceLimit {
    /// Its name as in setrlimit(2) without `RLIMIT_`, lower case: `nofile`, `core`, `nproc` …
    pub name: String,
    /// Soft limit; `None` is unlimited.
    pub soft: Option<u64>,
    /// Hard limit; `None` is unlimited.
    pub hard: Option<u64>,
}

/// Limits of a worker's control group.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CgroupLimits {
    /// `memory.max`, bytes.
    pub memory: Option<u64>,
    /// `cpu.max`, in CPUs: 1.5 is one and a half.
    pub cpu: Option<f64>,
    /// `pids.max`.
    pub pids: Option<u64>,
}

/// A log file of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogFile {
    /// Where, absolute.
    pub path: PathBuf,
    /// Rotated when it would grow beyond so many bytes. Default 64 MiB; 0 never rotates.
    pub max_size: u64,
    /// Rotated files kept (`.1` is the youngest). Default 5.
    pub keep: u32,
}
