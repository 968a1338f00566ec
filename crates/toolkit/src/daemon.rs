//! A daemon: a few named loops, and one place that starts, watches and ends them.
//!
//! Every loop runs on its own thread and gets a [`Quit`] handle. [`Daemon::run`] holds the calling thread until all is
//! over: it receives the signals, speaks to the supervisor, and joins every loop. A daemon lives as a whole or not at
//! all: when a main loop ends, for whatever reason, the others are asked to quit and `run` returns that reason, so that
//! the supervisor above starts a fresh process instead of keeping half of one. What may fail and be tried again goes
//! into a resilient loop.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use remuda_model::Signal;
use remuda_sys::CallError;
use remuda_sys::event::Signals;

use crate::backoff::Backoff;
use crate::notify::{Notifier, watchdog_interval};
use crate::quit::Quit;
use crate::watchdog::Watchdog;

mod course;
mod crew;
mod error;
mod resilient;
mod supervisor;

pub use error::{DaemonError, Death, Stuck};

use course::Course;
use crew::Crew;
use supervisor::Supervisor;

/// How long loops have to end after they were asked, unless told otherwise. Below the 30 s that Remuda and the 90 s
/// that systemd wait before they kill, so that the report is still written.
pub const QUIT_WITHIN: Duration = Duration::from_secs(10);
/// Loops of one daemon; a thread for each is meant for a handful of them.
pub const LOOPS_LIMIT: usize = 256;
/// Longest name of a daemon or loop, in bytes.
pub const NAME_LIMIT_BYTES: usize = 48;

/// Any error, as loops return them.
pub type AnyError = Box<dyn Error + Send + Sync>;

type Run = Box<dyn FnOnce(&Quit) -> Result<(), AnyError> + Send>;

/// A loop before it runs.
struct Body {
    name: String,
    run: Run,
}

type Reload = Box<dyn FnMut() -> Result<(), AnyError>>;

/// A daemon that does not run yet.
#[must_use = "a daemon does nothing before it is run"]
pub struct Daemon {
    name: String,
    signals: Result<Signals, CallError>,
    bodies: Vec<Body>,
    quit_within: Duration,
    reload: Option<Reload>,
    notifier: Option<Notifier>,
    watchdog: Watchdog,
    ready_by_hand: bool,
}

impl Daemon {
    /// A daemon without loops. From here on the calling thread, and every thread it starts later, holds SIGTERM, SIGINT
    /// and SIGHUP back for [`run`](Self::run) to receive: so make it first thing in `main`, before any other thread is
    /// there to be killed by one of them. Programs started later inherit that, unless whoever starts them resets it.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            signals: Signals::only(&[Signal::TERM, Signal::INT, Signal::HUP]),
            bodies: Vec::new(),
            quit_within: QUIT_WITHIN,
            reload: None,
            notifier: None,
            watchdog: Watchdog::new(),
            ready_by_hand: false,
        }
    }

    /// A loop the daemon stands and falls with: its return before anybody asked it to quit, its error and its panic all
    /// end the daemon. Its name, too, is the name of its thread.
    pub fn main_loop<E: Into<AnyError>>(
        mut self,
        name: &str,
        body: impl FnOnce(&Quit) -> Result<(), E> + Send + 'static,
    ) -> Self {
        let run = Box::new(|quit: &Quit| body(quit).map_err(Into::into));
        self.bodies.push(Body { name: name.into(), run });
        self
    }

    /// A loop that survives its errors: `body` runs once every `every` (start to start; rounds that are missed are not
    /// caught up), and after an error or a panic again after a [`Backoff`] of 100 ms doubling to 60 s, which ten healthy
    /// seconds reset. Each failure is logged as a warning. In a program built with `panic = "abort"` a panic ends the
    /// process, here as everywhere.
    pub fn resilient_loop<E: Into<AnyError>>(
        self,
        name: &str,
        every: Duration,
        body: impl FnMut(&Quit) -> Result<(), E> + Send + 'static,
    ) -> Self {
        self.resilient_loop_with(name, every, Backoff::new(resilient::seed()), body)
    }

    /// [`resilient_loop`](Self::resilient_loop) with a backoff of one's own.
    pub fn resilient_loop_with<E: Into<AnyError>>(
        mut self,
        name: &str,
        every: Duration,
        backoff: Backoff,
        mut body: impl FnMut(&Quit) -> Result<(), E> + Send + 'static,
    ) -> Self {
        let run = Box::new(move |quit: &Quit| {
            resilient::run(every, backoff, &mut |quit| body(quit).map_err(Into::into), quit);
            Ok(())
        });
        self.bodies.push(Body { name: name.into(), run });
        self
    }

    /// How long the loops have to end once they are asked. Default [`QUIT_WITHIN`]. A second SIGTERM or SIGINT ends the
    /// wait at once.
    pub fn quit_within(mut self, quit_within: Duration) -> Self {
        self.quit_within = quit_within;
        self
    }

    /// Runs on SIGHUP, on the thread of [`run`](Self::run), between `RELOADING=1` and `READY=1`. An error is logged, and
    /// what runs stays running. Signals and watchdog wait meanwhile. Without it SIGHUP is logged and changes nothing.
    pub fn on_reload<E: Into<AnyError>>(
        mut self,
        mut reload: impl FnMut() -> Result<(), E> + 'static,
    ) -> Self {
        self.reload = Some(Box::new(move || reload().map_err(Into::into)));
        self
    }

    /// Speaks to this supervisor. Default: the one of `NOTIFY_SOCKET`, if there is one.
    pub fn notifier(mut self, notifier: Notifier) -> Self {
        self.notifier = Some(notifier);
        self
    }

    /// Gives a sign of life only while the loops that hold a pulse of `watchdog` give theirs. Default: while the thread
    /// of [`run`](Self::run) lives.
    pub fn watchdog(mut self, watchdog: &Watchdog) -> Self {
        self.watchdog = watchdog.clone();
        self
    }

    /// Does not say `READY=1`: some loop does, when it serves. Default: it is said as soon as all loops are started.
    pub fn ready_by_hand(mut self) -> Self {
        self.ready_by_hand = true;
        self
    }

    /// Runs until SIGTERM, SIGINT, a [`Quit::ask`] of a loop, or a loop's death; then asks all loops to quit and waits
    /// for them. `Ok` means that all was well: nobody died, everybody ended in time.
    ///
    /// # Errors
    /// See [`DaemonError`]; [`DaemonError::exit_code`] advises what to exit with. Loops that the error names as stuck
    /// still run: return from `main`, which ends them.
    pub fn run(self) -> Result<(), DaemonError> {
        let daemon = self.checked_name()?;
        let failed = |source| DaemonError::Start { daemon: daemon.clone(), source };
        let signals = self.signals.map_err(failed)?;
        let notifier = match self.notifier {
            Some(notifier) => notifier,
            None => Notifier::from_environment()
                .map_err(|source| DaemonError::Supervisor { daemon: daemon.clone(), source })?,
        };
        let interval = watchdog_interval()
            .map_err(|source| DaemonError::Supervisor { daemon: daemon.clone(), source })?;
        let supervisor = Supervisor::new(notifier, self.watchdog, interval);
        let quit = Quit::new().map_err(|error| failed(CallError::new("create a pipe", error)))?;
        let crew = Crew::start(self.bodies, &quit, &daemon, self.quit_within)?;
        Course { daemon, signals, quit, crew, supervisor, reload: self.reload, quit_within: self.quit_within }
            .run(!self.ready_by_hand)
    }

    /// The daemon's name, if all names are in order.
    fn checked_name(&self) -> Result<String, DaemonError> {
        let daemon = self.name.clone();
        let names = || self.bodies.iter().map(|body| &body.name);
        if let Some(name) = names().chain([&self.name]).find(|name| !is_name(name)) {
            return Err(DaemonError::Name { daemon, name: name.clone() });
        }
        if self.bodies.is_empty() || self.bodies.len() > LOOPS_LIMIT {
            return Err(DaemonError::Loops { daemon, count: self.bodies.len() });
        }
        let mut seen = std::collections::BTreeSet::new();
        match names().find(|name| !seen.insert(name.as_str())) {
            Some(name) => Err(DaemonError::SameName { daemon, name: name.clone() }),
            None => Ok(daemon),
        }
    }
}

/// What fits a thread's name, a log line and a field of syslog.
fn is_name(name: &str) -> bool {
    (1..=NAME_LIMIT_BYTES).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
}

impl fmt::Debug for Daemon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let loops: Vec<&str> = self.bodies.iter().map(|body| body.name.as_str()).collect();
        f.debug_struct("Daemon").field("name", &self.name).field("loops", &loops).finish_non_exhaustive()
    }
}
