//! The service manager above us, if there is one (systemd): it is told how we are.

use std::collections::BTreeMap;
use std::time::Duration;

use remuda_sys::clock;
use remuda_sys::notify::notify;
use tokio::time::Instant;

/// The service manager's notify socket.
#[derive(Debug)]
pub(crate) struct ServiceManager {
    socket: Option<String>,
    told_ready: bool,
    told_stopping: bool,
    /// It expects a sign of life within this time.
    watchdog: Option<Duration>,
    last_heartbeat: Instant,
}

impl ServiceManager {
    /// As our own variables tell.
    pub(crate) fn from_env(ours: &BTreeMap<String, String>) -> Self {
        let for_us = ours.get("WATCHDOG_PID").is_none_or(|pid| *pid == std::process::id().to_string());
        let interval = ours.get("WATCHDOG_USEC").filter(|_| for_us).and_then(|text| text.parse().ok());
        let watchdog = interval.filter(|microseconds| *microseconds > 0).map(Duration::from_micros);
        Self {
            socket: ours.get("NOTIFY_SOCKET").cloned(),
            told_ready: false,
            told_stopping: false,
            watchdog,
            last_heartbeat: Instant::now(),
        }
    }

    /// When the next sign of life is due, if any are expected: twice in the time it waits.
    pub(crate) fn next_heartbeat(&self) -> Option<Instant> {
        self.watchdog.filter(|_| self.socket.is_some()).map(|interval| self.last_heartbeat + interval / 2)
    }

    pub(crate) fn alive(&mut self) {
        self.last_heartbeat = Instant::now();
        self.tell("WATCHDOG=1");
    }

    /// It has not been told yet that we are ready.
    pub(crate) fn awaits_ready(&self) -> bool {
        self.socket.is_some() && !self.told_ready
    }

    /// Every service that starts with us has come up, or has failed to.
    pub(crate) fn ready(&mut self, status: &str) {
        if !self.told_ready {
            self.told_ready = true;
            self.tell(&format!("READY=1\nSTATUS={status}"));
        }
    }

    pub(crate) fn reloading(&self) {
        if self.told_ready {
            self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={}", clock::monotonic().as_micros()));
        }
    }

    pub(crate) fn reloaded(&self) {
        if self.told_ready {
            self.tell("READY=1");
        }
    }

    pub(crate) fn stopping(&mut self) {
        if !std::mem::replace(&mut self.told_stopping, true) {
            self.tell("STOPPING=1");
        }
    }

    fn tell(&self, state: &str) {
        if let Some(socket) = &self.socket {
            // A manager that does not listen any more changes nothing for those we serve.
            let _ = notify(socket, state);
        }
    }
}
