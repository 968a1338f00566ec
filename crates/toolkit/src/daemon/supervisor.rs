//! The daemon's side of the talk with its supervisor: when to say what, and again if it was not heard.

use std::time::{Duration, Instant};

use crate::notify::{Notifier, NotifyError};
use crate::watchdog::Watchdog;

/// `READY=1` that was refused is said again after this long: who is never ready is killed.
const READY_AGAIN: Duration = Duration::from_millis(100);

/// What the supervisor is owed, and when.
pub(super) struct Supervisor {
    notifier: Notifier,
    watchdog: Watchdog,
    /// Half of what the supervisor expects.
    interval: Option<Duration>,
    ready_at: Option<Instant>,
    ping_at: Option<Instant>,
    /// Whether it has been told that somebody starves.
    starves: bool,
}

impl Supervisor {
    pub(super) fn new(notifier: Notifier, watchdog: Watchdog, expected: Option<Duration>) -> Self {
        let interval = expected.filter(|_| notifier.is_heard()).map(|interval| interval / 2);
        let ping_at = interval.map(|_| Instant::now());
        Self { notifier, watchdog, interval, ready_at: None, ping_at, starves: false }
    }

    /// `READY=1` is owed from now on.
    pub(super) fn ready(&mut self) {
        self.ready_at = Some(Instant::now());
    }

    pub(super) fn reloading(&mut self) {
        mention(self.notifier.reloading());
    }

    pub(super) fn stopping(&mut self, why: &str) {
        (self.ready_at, self.ping_at) = (None, None);
        mention(self.notifier.stopping(why));
    }

    /// Pays what is due.
    pub(super) fn step(&mut self) {
        let now = Instant::now();
        if self.ready_at.is_some_and(|at| now >= at) {
            self.ready_at = match self.notifier.ready() {
                Ok(_) => None,
                Err(error) => {
                    log::warn!("{error}; trying again");
                    Some(now + READY_AGAIN)
                }
            };
        }
        if let (Some(at), Some(interval)) = (self.ping_at, self.interval)
            && now >= at
        {
            self.ping(now);
            self.ping_at = now.checked_add(interval);
        }
    }

    fn ping(&mut self, now: Instant) {
        let starving = self.watchdog.starving(now);
        if starving.is_empty() {
            if std::mem::take(&mut self.starves) {
                log::warn!("all loops give signs of life again");
            }
            mention(self.notifier.watchdog());
        } else if !std::mem::replace(&mut self.starves, true) {
            for one in starving {
                log::error!(
                    "loop {:?} gave no sign of life for {:.1?}, it had promised one every {:.1?}; \
                     the supervisor's watchdog gets none either",
                    one.name,
                    one.silent,
                    one.within
                );
            }
        }
    }

    /// How long nothing is due; `None`: for ever.
    pub(super) fn idle(&self) -> Option<Duration> {
        let next = [self.ready_at, self.ping_at].into_iter().flatten().min();
        next.map(|next| next.saturating_duration_since(Instant::now()))
    }
}

/// A supervisor that does not hear is no reason to stop serving.
fn mention(told: Result<bool, NotifyError>) {
    if let Err(error) = told {
        log::warn!("{error}");
    }
}
