//! Remuda: the store in memory and its journal, as the hub drives them.

use std::path::Path;
use std::time::{Duration, Instant};

use remuda_hub::journal::{Fsync, Journal, Options, Position};
use remuda_store::{ClientId, Digits, Glance, Mode, Moment, Outcome, Store, StoreOptions, Unread};
use remuda_sys::clock;
use remuda_sys::event::wait_readable;

use super::Contender;
use crate::failure::BenchError;
use crate::plan::{Promise, SYNC_PERIOD};
use crate::work::{KEYS, Pair, belongs, key, key_at};

/// How long the disk may take for anything.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often a wait looks whether it was forgotten.
const LOOK: Duration = Duration::from_secs(1);

/// The store and its journal.
#[derive(Debug)]
pub(crate) struct Remuda {
    store: Store,
    journal: Journal,
    fsync: Fsync,
    moment: Moment,
    is_rewriting: bool,
}

impl Contender for Remuda {
    const NAME: &'static str = "remuda";

    fn open(folder: &Path, promise: Promise) -> Result<Self, BenchError> {
        let fsync = match promise {
            Promise::Durable => Fsync::Always,
            Promise::Soon => Fsync::Every(SYNC_PERIOD),
        };
        let moment = moment();
        let mut store = Store::new(StoreOptions::default());
        let recovery = Journal::open(folder, Options { fsync, ..Options::default() })?;
        let mut refused = None;
        let (journal, report) = recovery.replay(&mut |command| {
            if command.first() != Some(&b"SELECT".as_slice())
                && let Err(error) = store.replay(moment, 0, command)
            {
                refused = Some(error);
            }
        })?;
        if let Some(error) = refused {
            return Err(BenchError::Trouble(error.to_string()));
        }
        if report.is_damaged() {
            return Err(BenchError::Trouble(report.to_string()));
        }
        Ok(Self { store, journal, fsync, moment, is_rewriting: false })
    }

    fn write(&mut self, pairs: &[Pair]) -> Result<(), BenchError> {
        self.moment = moment();
        let (mut last, mut answer) = (Position::default(), Unread::default());
        for (key, value) in pairs {
            let Self { store, journal, moment, .. } = self;
            let command: [&[u8]; 3] = [b"SET", key, value];
            let outcome = store.execute(*moment, ClientId(1), 0, &command, Mode::Normal, &mut answer);
            // Now and then the store says more than the command itself: how far its revisions may go.
            store.drain_effects(&mut |database, arguments| journal.add(database, arguments));
            if outcome == (Outcome::Done { verbatim: true }) {
                journal.add(0, &command);
            }
            last = journal.end_record();
        }
        if let Some(error) = answer.error {
            return Err(BenchError::Trouble(error));
        }
        self.store.take_changes(&mut |_| ());
        self.journal.flush();
        self.keep_short()?;
        if self.fsync == Fsync::Always {
            self.wait("settle", |journal| journal.settled() >= last)
        } else if self.journal.is_congested() {
            self.wait("catch up", |journal| !journal.is_congested())
        } else {
            Ok(())
        }
    }

    /// The journal's thread syncs each second by itself.
    fn sync(&mut self) -> Result<(), BenchError> {
        Ok(())
    }

    fn count(&self) -> Result<usize, BenchError> {
        let mut digits = Digits::default();
        let mut count = 0;
        for number in (0..KEYS).map(key_at) {
            let found = self.store.glance(0, &key(number), &mut digits);
            count += usize::from(matches!(found, Some(Glance::Text(value)) if belongs(number, value)));
        }
        Ok(count)
    }

    fn close(mut self) -> Result<(), BenchError> {
        // A snapshot that was begun belongs to what was measured.
        let until = Instant::now() + PATIENCE;
        while self.is_rewriting && Instant::now() < until {
            wait_readable([&self.journal], Some(LOOK))?;
            self.journal.clear();
            self.take_rewritten()?;
        }
        Ok(self.journal.close(PATIENCE)?)
    }
}

impl Remuda {
    /// Makes a snapshot if one is due.
    fn keep_short(&mut self) -> Result<(), BenchError> {
        if self.is_rewriting {
            return self.take_rewritten();
        }
        if self.journal.is_rewrite_due() {
            let mut base = self.journal.begin_rewrite()?;
            self.store.dump(self.moment, &mut |database, arguments| base.command(database, arguments));
            base.finish();
            self.is_rewriting = true;
        }
        Ok(())
    }

    fn take_rewritten(&mut self) -> Result<(), BenchError> {
        if let Some(outcome) = self.journal.rewritten() {
            outcome?;
            self.is_rewriting = false;
        }
        Ok(())
    }

    fn wait(
        &mut self,
        what: &'static str,
        mut is_over: impl FnMut(&mut Journal) -> bool,
    ) -> Result<(), BenchError> {
        let until = Instant::now() + PATIENCE;
        while !is_over(&mut self.journal) {
            if let Some(trouble) = self.journal.trouble() {
                return Err(BenchError::Trouble(trouble.to_string()));
            }
            if Instant::now() > until {
                return Err(BenchError::Late(what));
            }
            wait_readable([&self.journal], Some(LOOK))?;
            self.journal.clear();
        }
        Ok(())
    }
}

fn moment() -> Moment {
    let wall_ms = u64::try_from(clock::realtime().as_millis()).unwrap_or(u64::MAX);
    Moment { tick: clock::boottime(), wall_ms }
}
