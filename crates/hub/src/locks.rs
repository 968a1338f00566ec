//! Locks between the machine that decides and the disk that remembers: nothing is told before the disk has it.
//!
//! They have a journal of their own, in the folder `locks` beside the store's, because they are kept however the store is:
//! in memory, by another server, or with a disk that is asked once a second. An acquisition and a release are answered when
//! the disk has them; a renewal needs the disk only where the lease gets longer than what it knows. The journal is opened
//! with the first lock, so a hub without locks has no thread and no file for them.
//!
//! Fences go on after a crash from what the disk has, and from the clock: milliseconds since 1970 times 2^11. So they grow
//! even when the disk is lost or restored to an older state, as long as the clock is not set back behind the last start as
//! well and fewer than two million locks a second are acquired all the time; and they stay below 2^53, which is what
//! numbers of JSON and JavaScript hold, until the year 2109.

mod deliver;
mod disk;
pub(crate) mod engine;
mod pass;
mod shared;
pub(crate) mod words;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use remuda_model::Tick;
use remuda_model::hub::{HubSettings, LockMetrics};
use remuda_store::{Asker, LockAsk, LockEvent, LockOrder, LockRecord, Locks, Moment};

pub(crate) use self::pass::PassedLocks;
pub(crate) use self::shared::Look;
use self::shared::Shared;
use crate::journal::Journal;

/// The folder of their journal in the state folder.
const FOLDER: &str = "locks";
/// The journal is written anew from this size on: a lock is some hundred bytes, and so is each change of it.
const REWRITE_MIN_BYTES: u64 = 4 << 20;
/// How far milliseconds are shifted for the smallest fence of a start.
const FENCES_PER_MILLISECOND_BITS: u32 = 11;
/// How long the end waits for the disk.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);
/// A journal that somebody else has is looked for again after this.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// All locks, and their disk.
#[derive(Debug)]
pub(crate) struct Locking {
    machine: Locks,
    /// Where an engine keeps them, in place of machine and journal.
    shared: Option<Shared>,
    folder: PathBuf,
    journal: Option<Journal>,
    /// Whether the loop watches the journal's descriptor.
    is_watched: bool,
    /// Why no locks are given here at all.
    refusal: Option<String>,
    orders: Vec<LockOrder>,
    /// What is to be told, each when the disk has this position.
    to_tell: VecDeque<(u64, News)>,
    /// What needs no disk: a holder goes on while the disk does not.
    at_once: VecDeque<News>,
    /// The last record that was appended.
    position: u64,
    /// Whether there are records that the disk's thread was not given.
    is_behind: bool,
    was_in_trouble: bool,
    /// Another hub is about to have everything.
    is_passing: bool,
    /// A hub that was to have everything failed, and may still have the journal: it is looked for again then. Until it is
    /// there no lease ends, since nobody could note who has the lock next.
    missing: Option<Tick>,
    /// What is counted; the rest of the figures is looked up.
    figures: LockMetrics,
    /// Connections that ended meanwhile.
    gone: Vec<u64>,
}

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum News {
    Granted {
        to: Asker,
        name: Arc<[u8]>,
        fence: u64,
    },
    Denied {
        to: Asker,
    },
    /// A release or a renewal is done, or could not be.
    Done {
        to: Asker,
        is_done: bool,
    },
    /// The engine is away, or did not answer.
    Refused {
        to: Asker,
        why: Arc<str>,
    },
    Happened {
        name: Arc<[u8]>,
        event: LockEvent,
        fence: u64,
        owner: Arc<[u8]>,
    },
}

impl Locking {
    pub(crate) fn new(settings: &HubSettings, moment: Moment) -> Self {
        Self {
            machine: Locks::new(floor_of(moment.wall_ms)),
            shared: settings.spec.locks.engine.external().map(|_| Shared::new(moment)),
            folder: settings.spec.state_dir.join(FOLDER),
            journal: None,
            is_watched: false,
            refusal: refusal(settings),
            orders: Vec::new(),
            to_tell: VecDeque::new(),
            at_once: VecDeque::new(),
            position: 0,
            is_behind: false,
            was_in_trouble: false,
            is_passing: false,
            missing: None,
            figures: LockMetrics::default(),
            gone: Vec::new(),
        }
    }

    /// Somebody wants a lock; the answer comes as news.
    pub(crate) fn acquire(&mut self, now: Tick, ask: &LockAsk<'_>) -> Result<(), String> {
        if let Some(shared) = &mut self.shared {
            shared.acquire(now, ask)?;
            self.carry_out_shared();
            return Ok(());
        }
        self.ready(now)?;
        let asked = self.machine.acquire(now, ask, &mut self.orders);
        self.carry_out();
        asked.map_err(|error| format!("ERR {error}"))
    }

    /// A holder goes on; the answer comes as news.
    pub(crate) fn renew(
        &mut self,
        now: Tick,
        to: Asker,
        name: &[u8],
        fence: u64,
        ttl: Duration,
    ) -> Result<(), String> {
        if let Some(shared) = &mut self.shared {
            shared.renew(to, name, fence, ttl)?;
            self.carry_out_shared();
            return Ok(());
        }
        self.reachable(now)?;
        let renewed = self.machine.renew(now, name, fence, ttl, &mut self.orders);
        let needs_disk = self.carry_out();
        let is_done = renewed.map_err(|error| format!("ERR {error}"))?;
        self.tell(needs_disk, News::Done { to, is_done });
        Ok(())
    }

    /// A holder ends; the answer comes as news.
    pub(crate) fn release(&mut self, now: Tick, to: Asker, name: &[u8], fence: u64) -> Result<(), String> {
        if let Some(shared) = &mut self.shared {
            shared.release(to, name, fence)?;
            self.carry_out_shared();
            return Ok(());
        }
        self.ready(now)?;
        let is_done = self.machine.release(now, name, fence, &mut self.orders);
        let needs_disk = self.carry_out();
        self.tell(needs_disk, News::Done { to, is_done });
        Ok(())
    }

    /// A connection is gone.
    pub(crate) fn gone(&mut self, now: Tick, client: u64) {
        if let Some(shared) = &mut self.shared {
            shared.gone(now, client);
            return self.carry_out_shared();
        }
        if self.missing.is_some() {
            return self.gone.push(client);
        }
        self.machine.gone(now, client, &mut self.orders);
        self.carry_out();
    }

    /// Nobody is there any more to be told of this acquisition.
    fn give_back(&mut self, now: Tick, name: &[u8], fence: u64) {
        if let Some(shared) = &mut self.shared {
            shared.give_back(now, name, fence);
            return self.carry_out_shared();
        }
        self.machine.release(now, name, fence, &mut self.orders);
        self.carry_out();
    }

    /// What the clock brings. While the disk does not take anything leases end all the same.
    pub(crate) fn tick(&mut self, now: Tick) {
        if let Some(shared) = &mut self.shared {
            shared.tick(now);
            return self.carry_out_shared();
        }
        if !self.is_there(now) {
            return;
        }
        self.machine.tick(now, &mut self.orders);
        self.carry_out();
    }

    pub(crate) fn deadline(&self) -> Option<Tick> {
        match &self.shared {
            Some(shared) => shared.deadline(),
            None => self.missing.or_else(|| self.machine.deadline()),
        }
    }

    /// What is held, to look at.
    pub(crate) fn look(&self) -> Result<Look<'_>, String> {
        match (&self.refusal, &self.shared) {
            (Some(why), _) => Err(why.clone()),
            (None, Some(shared)) => Ok(Look::Shared(&shared.machine)),
            (None, None) => Ok(Look::Own(&self.machine)),
        }
    }

    fn tell(&mut self, needs_disk: bool, news: News) {
        if needs_disk {
            self.to_tell.push_back((self.position, news));
        } else {
            self.at_once.push_back(news);
        }
    }

    /// The journal gets what is to be kept, one record for all orders of a step; the rest waits for that. Says whether
    /// there was anything.
    fn carry_out(&mut self) -> bool {
        let mut has_added = false;
        for record in self.orders.iter().filter_map(LockRecord::of) {
            if let Some(journal) = &mut self.journal {
                record.write(&mut |words| journal.add(0, words));
                has_added = true;
            }
        }
        if let Some(journal) = self.journal.as_mut().filter(|_| has_added) {
            self.position = journal.end_record().0;
            self.is_behind = true;
        }
        let mut orders = std::mem::take(&mut self.orders);
        for order in orders.drain(..) {
            let news = match order {
                LockOrder::Keep { .. } | LockOrder::Forget { .. } => continue,
                LockOrder::Granted { to, name, fence } => News::Granted { to, name, fence },
                LockOrder::Denied { to } => News::Denied { to },
                LockOrder::Tell { name, event, fence, owner } => News::Happened { name, event, fence, owner },
            };
            self.tell(has_added, news);
        }
        self.orders = orders;
        has_added
    }

    /// The next that the disk lets be told. Who has a lock is told so only if it still has it: then its lease begins.
    fn next_news(&mut self, now: Tick) -> Option<News> {
        if let Some(news) = self.at_once.pop_front() {
            return Some(news);
        }
        let settled = self.settled();
        self.to_tell.front().filter(|(position, _)| *position <= settled)?;
        let (_, news) = self.to_tell.pop_front()?;
        if let News::Granted { to, name, fence } = &news
            && !self.machine.begin(now, name, *fence)
        {
            return Some(News::Denied { to: *to });
        }
        Some(news)
    }

    /// Whether nothing is left that another turn could do without the disk.
    pub(crate) fn is_quiet(&self) -> bool {
        let has_asks = self.shared.as_ref().is_some_and(Shared::has_asks);
        let has_more = self.is_behind || has_asks || !self.at_once.is_empty();
        !has_more && self.to_tell.front().is_none_or(|(position, _)| *position > self.settled())
    }

    /// A question was refused.
    pub(crate) fn count_refusal(&mut self) {
        self.figures.refused_total += 1;
    }

    /// What a monitor sees.
    pub(crate) fn metrics(&self) -> LockMetrics {
        let whole = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let (held, waiting) = match &self.shared {
            Some(shared) => (shared.machine.len(), shared.machine.waiting_in_all()),
            None => (self.machine.len(), self.machine.waiting_in_all()),
        };
        LockMetrics { held: whole(held), waiting: whole(waiting), ..self.figures }
    }
}

/// The fence below all of a start at this time.
fn floor_of(wall_ms: u64) -> u64 {
    wall_ms << FENCES_PER_MILLISECOND_BITS
}

/// Why this hub has no locks to give: others would give the same ones.
fn refusal(settings: &HubSettings) -> Option<String> {
    let spec = &settings.spec;
    if spec.locks.engine.external().is_some() {
        return None;
    }
    if let Some(home) = &spec.locks.home {
        if spec.herd.is_some() {
            // Nodes of a herd have names of their own, which are known when it is entered.
            return None;
        }
        return (*home != settings.node).then(|| {
            format!(
                "LOCKSELSEWHERE the locks are kept by the hub of '{home}' ([locks] home), and this is '{}'",
                settings.node
            )
        });
    }
    let has_engine = spec.bus.engine.external().is_some() || spec.store.engine.external().is_some();
    let why = match (&spec.herd, has_engine) {
        (Some(_), _) => "this hub is in a herd",
        (None, true) => "this hub shares its bus or its store with others",
        (None, false) => return None,
    };
    Some(format!(
        "LOCKSELSEWHERE {why}, and each of them would give the same lock away: name the one node that keeps the locks, \
         [locks] home = \"…\", or an engine that keeps them for all, [locks] engine = \"postgres://…\" or \"etcd://…\""
    ))
}

#[cfg(test)]
mod tests;
