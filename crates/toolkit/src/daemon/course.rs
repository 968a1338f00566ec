//! The course of a daemon's life, on the thread that runs it: up, until something ends it, and down.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use remuda_model::Signal;
use remuda_sys::CallError;
use remuda_sys::event::{Interest, Poller, Signals, Token};

use super::crew::{Crew, Ended, words};
use super::error::chain;
use super::supervisor::Supervisor;
use super::{DaemonError, Death, Reload};
use crate::quit::Quit;

const SIGNALS: Token = Token(0);
const ENDINGS: Token = Token(1);
const QUIT: Token = Token(2);

/// Why a daemon goes down.
enum Reason {
    /// This signal, or a loop, asked.
    Asked(String),
    /// A loop has died.
    Died(String, Death),
    /// We cannot wait for news any more.
    Blind(CallError),
}

/// A daemon that runs.
pub(super) struct Course {
    pub(super) daemon: String,
    pub(super) signals: Signals,
    pub(super) quit: Quit,
    pub(super) crew: Crew,
    pub(super) supervisor: Supervisor,
    pub(super) reload: Option<Reload>,
    pub(super) quit_within: Duration,
}

impl Course {
    pub(super) fn run(mut self, ready: bool) -> Result<(), DaemonError> {
        if ready {
            self.supervisor.ready();
        }
        let reason = self.up().unwrap_or_else(Reason::Blind);
        match &reason {
            Reason::Asked(by) => {
                log::info!("quits: {by}");
                self.supervisor.stopping("");
            }
            Reason::Died(name, death) => {
                log::error!("quits: its loop {name:?} {death}");
                self.supervisor.stopping(&format!("loop {name} {death}"));
            }
            Reason::Blind(error) => {
                log::error!("quits: {error}");
                self.supervisor.stopping(&error.to_string());
            }
        }
        self.quit.ask();
        let start = Instant::now();
        let died = match self.down(start) {
            Ok(died) => died,
            Err(error) => {
                log::error!("{error}");
                None
            }
        };
        let stuck = self.crew.stuck(start.elapsed());
        let daemon = self.daemon;
        match (reason, died, stuck) {
            (Reason::Blind(source), _, stuck) => Err(DaemonError::Wait { daemon, source, stuck }),
            (Reason::Died(name, death), _, stuck) | (Reason::Asked(_), Some((name, death)), stuck) => {
                Err(DaemonError::Died { daemon, name, death, stuck })
            }
            (Reason::Asked(_), None, Some(stuck)) => Err(DaemonError::Stuck { daemon, stuck }),
            (Reason::Asked(_), None, None) => Ok(()),
        }
    }

    /// Until there is a reason to end.
    fn up(&mut self) -> Result<Reason, CallError> {
        let mut poller = Poller::new()?;
        poller.add(&self.signals, SIGNALS, Interest::Read)?;
        poller.add(&self.crew, ENDINGS, Interest::Read)?;
        poller.add(&self.quit, QUIT, Interest::Read)?;
        loop {
            self.supervisor.step();
            drop(poller.wait(self.supervisor.idle())?);
            while let Some(received) = self.signals.take()? {
                if received.signal == Signal::HUP {
                    self.reload();
                } else {
                    return Ok(Reason::Asked(format!(
                        "SIG{} from {}",
                        received.signal,
                        sender(received.sender)
                    )));
                }
            }
            if let Some(Ended { name, death: Some(death) }) = self.crew.ended() {
                return Ok(Reason::Died(name, death));
            }
            if self.quit.is_asked() {
                return Ok(Reason::Asked("one of its loops asked for it".into()));
            }
        }
    }

    /// Until all loops have ended, time is up, or somebody insists. The first who did not end well is returned.
    fn down(&mut self, start: Instant) -> Result<Option<(String, Death)>, CallError> {
        let mut died = None;
        let mut poller = Poller::new()?;
        poller.add(&self.signals, SIGNALS, Interest::Read)?;
        poller.add(&self.crew, ENDINGS, Interest::Read)?;
        loop {
            while let Some(Ended { name, death }) = self.crew.ended() {
                if let Some(death) = death {
                    log::error!("loop {name:?} {death}");
                    died.get_or_insert((name, death));
                }
            }
            let left = self.quit_within.saturating_sub(start.elapsed());
            if self.crew.is_over() || left.is_zero() {
                return Ok(died);
            }
            drop(poller.wait(Some(left))?);
            while let Some(received) = self.signals.take()? {
                if received.signal != Signal::HUP {
                    log::warn!(
                        "waits no longer: a second SIG{} from {}",
                        received.signal,
                        sender(received.sender)
                    );
                    return Ok(died);
                }
            }
        }
    }

    fn reload(&mut self) {
        let Some(reload) = &mut self.reload else {
            log::info!("SIGHUP changes nothing: this daemon has nothing to reload");
            return;
        };
        log::info!("reloads");
        self.supervisor.reloading();
        match catch_unwind(AssertUnwindSafe(reload)) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                log::error!("reload failed: {}; what was loaded before stays in use", chain(&*error));
            }
            Err(payload) => log::error!("reload panicked: {}", words(&*payload)),
        }
        self.supervisor.ready();
        self.supervisor.step();
    }
}

fn sender(pid: u32) -> String {
    if pid == 0 { "the kernel".into() } else { format!("process {pid}") }
}
