//! The keeper comes, speaks and goes.

use remuda_sys::event::Interest;
use remuda_sys::process::reap;

use super::{KEEPER_MIN_LIFE, policy};
use crate::daemon::Daemon;
use crate::keeper::{Keeper, KeeperError};
use crate::source::Source;

impl Daemon {
    /// Starts a keeper and gives it everything. As the first process of a container we need none: nobody outlives us.
    pub(crate) fn start_keeper(&mut self) {
        if std::process::id() == 1 {
            return;
        }
        let started = self.keeping.start(self.poller.get_ref());
        if let Err(error) = started.and_then(|()| self.keep_all()) {
            self.lose_keeper(&error);
        }
    }

    /// Takes over a keeper that came through `execve`.
    pub(crate) fn resume_keeper(&mut self, keeper: Keeper) {
        let poller = self.poller.get_ref();
        let watched = poller
            .add(keeper.pidfd(), Source::KeeperExit.token(), Interest::Read)
            .and_then(|()| poller.add(keeper.link(), Source::KeeperLink.token(), Interest::Read));
        self.keeping.keeper = Some(keeper);
        if let Err(error) = watched.map_err(KeeperError::from).and_then(|()| self.keep_again()) {
            self.lose_keeper(&error);
        }
    }

    /// Waits until the keeper has carried out everything.
    pub(crate) fn sync_keeper(&mut self) {
        let synced = self.keeping.keeper.as_mut().map_or(Ok(()), Keeper::sync);
        self.mind_keeper(synced);
    }

    pub(crate) fn keeper_ended(&mut self) {
        let Some(keeper) = &self.keeping.keeper else { return };
        // One that lives has just been started: the end of the one before was seen by its link in this same look.
        // One that is no child of ours any more has ended and was taken already.
        if !matches!(reap(keeper.pidfd()), Ok(None)) {
            self.lose_keeper(&KeeperError::Gone);
        }
    }

    pub(crate) fn keeper_speaks(&mut self) {
        let flushed = self.keeping.keeper.as_mut().map_or(Ok(()), Keeper::flush);
        self.mind_keeper(flushed);
    }

    pub(crate) fn mind_keeper(&mut self, done: Result<(), KeeperError>) {
        if let Err(error) = done {
            self.lose_keeper(&error);
        }
    }

    /// This keeper is of no use any more: another one gets everything.
    pub(super) fn lose_keeper(&mut self, error: &KeeperError) {
        let lost = self.keeping.keeper.take();
        let had = lost.is_some();
        if let Some(keeper) = lost {
            let poller = self.poller.get_ref();
            for fd in [keeper.pidfd(), keeper.link()] {
                let _ = poller.remove(fd);
            }
            // One that does not leave by itself is killed; what it held, we hold.
            let _ = keeper.farewell();
        }
        let again = had && self.keeping.since.elapsed() >= KEEPER_MIN_LIFE;
        let then =
            if again { "another one is started" } else { "a crash of remuda would end its workers' output" };
        self.trouble(format!("{error}; {then}"));
        if again {
            self.start_keeper();
        }
    }

    /// The config in force, and with it what the keeper is to do, has changed.
    pub(crate) fn policy_changed(&mut self) {
        let told = self.tell_policy();
        self.mind_keeper(told);
    }

    pub(super) fn tell_policy(&mut self) -> Result<(), KeeperError> {
        let longest = self.specs.values().map(|spec| spec.stop.timeout).max().unwrap_or_default();
        let policy = policy(&self.config.instance, longest);
        self.keeping.keeper.as_mut().map_or(Ok(()), |keeper| keeper.policy(policy))
    }
}
