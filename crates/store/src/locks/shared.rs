//! Locks that an engine keeps for several hubs: what one of these hubs does about it.
//!
//! The engine alone says who has a lock, and gives it its fence; each acquisition, renewal and release is asked of it.
//! The hub has what an engine does not know: who waits here and in which order, which locks end with a connection, and what
//! was given out here, so that a lease that ends unrenewed is given back.
//!
//! For a lock that somebody waits for, the engine is asked again and again: one try at a time for each name, for the first
//! who waits, [`PAUSE_MIN`] to [`PAUSE_MAX`] apart. A lock that was given back here is tried at once for the next who waits
//! here, but after [`ROUNDS_MAX`] times in a row hubs elsewhere have their turn first. Between hubs there is no order.
//!
//! A lease that was given out here is held to last from when the engine's answer came, which is later than the engine
//! and the holder count from: so it is never given back while the holder may think that it has it.

mod asking;
mod order;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use remuda_model::Tick;

use super::ask::check_ttl;
use super::holders::Holders;
use super::waiters::{Waiter, Waiters};
use super::{Asker, Held, LOCKS_MAX, LockAsk, LockError, LockEvent};
pub use order::{EngineAnswer, EngineAsk, SharedOrder};

/// The shortest time between two tries for one lock: a hundred hubs that wait for it are no load for an engine.
const PAUSE_MIN: Duration = Duration::from_millis(100);
/// The longest: so long, at most, a lock that is free elsewhere waits for those who want it here.
const PAUSE_MAX: Duration = Duration::from_millis(250);
/// After so many acquisitions in a row by those who wait here, others have their turn.
const ROUNDS_MAX: u32 = 8;
/// Who asks without waiting has an answer within this time, or is told that there is none.
const ANSWER_WITHIN: Duration = Duration::from_secs(6);
/// Questions that an engine has not answered yet: a few for each client there may be.
const ASKED_MAX: usize = 20_000;
/// Leases that end, waits that are over and tries, in one [`SharedLocks::tick`]; the rest is due at once.
const PER_TICK: usize = 1_000;
/// What they are told who asked without waiting, when there is no answer.
const NO_ANSWER: &str =
    "it does not answer; whether the lock was acquired is not known, and if so it ends by itself";

/// Locks of this hub at an engine.
#[derive(Debug)]
pub struct SharedLocks {
    held: Holders,
    waiters: Waiters,
    /// Names that somebody waits for.
    wanted: BTreeMap<Arc<[u8]>, Wanted>,
    due: BTreeSet<(Tick, Arc<[u8]>)>,
    asked: BTreeMap<u64, Asked>,
    last_number: u64,
    /// Why there is no engine now.
    away: Option<Arc<str>>,
    chance: u64,
}

#[derive(Debug, Clone, Copy)]
struct Wanted {
    is_asked: bool,
    at: Tick,
    rounds: u32,
}

/// What the engine was asked, and for whom.
#[derive(Debug)]
enum Asked {
    Acquire { name: Arc<[u8]>, who: Asker },
    Renew { name: Arc<[u8]>, who: Asker, fence: u64, ttl: Duration },
    Release { name: Arc<[u8]>, who: Option<Asker>, fence: u64 },
}

impl SharedLocks {
    /// Nothing is held, and the engine is not there yet. `seed` decides how tries of several hubs spread.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            held: Holders::default(),
            waiters: Waiters::default(),
            wanted: BTreeMap::new(),
            due: BTreeSet::new(),
            asked: BTreeMap::new(),
            last_number: 0,
            away: Some("not connected yet".into()),
            chance: seed,
        }
    }

    /// Somebody wants a lock.
    ///
    /// # Errors
    /// What was asked is out of range, or there are too many; nothing has changed.
    pub fn acquire(
        &mut self,
        now: Tick,
        ask: &LockAsk<'_>,
        orders: &mut Vec<SharedOrder>,
    ) -> Result<(), LockError> {
        ask.check()?;
        if let Some(why) = self.away.as_ref().filter(|_| ask.wait.is_zero()) {
            orders.push(SharedOrder::Refused { to: ask.who, why: Arc::clone(why) });
            return Ok(());
        }
        if self.held.len() >= LOCKS_MAX {
            return Err(LockError::TooManyLocks);
        }
        let name: Arc<[u8]> = ask.name.into();
        let mut waiter = Waiter::new(ask, now);
        if waiter.is_once {
            waiter.until = now + ANSWER_WITHIN;
        }
        let is_once = waiter.is_once;
        self.waiters.add(Arc::clone(&name), waiter)?;
        // Who does not wait wants to know how it is now, not how it was when it was tried last.
        let is_asked = self.wanted.get(&name).is_some_and(|wanted| wanted.is_asked);
        if !is_asked && (is_once || !self.wanted.contains_key(&name)) {
            self.plan(&name, now);
            self.attempt(now, &name, orders);
        }
        Ok(())
    }

    /// Begins the lease of `fence` anew, whichever hub gave it.
    ///
    /// # Errors
    /// The ttl is out of range, or too much is asked; nothing has changed.
    pub fn renew(
        &mut self,
        who: Asker,
        name: &[u8],
        fence: u64,
        ttl: Duration,
        orders: &mut Vec<SharedOrder>,
    ) -> Result<(), LockError> {
        check_ttl(ttl)?;
        let name: Arc<[u8]> = name.into();
        let ask = EngineAsk::Renew { name: Arc::clone(&name), fence, ttl };
        self.question(who, ask, Asked::Renew { name, who, fence, ttl }, orders)
    }

    /// Ends the lease of `fence`, whichever hub gave it.
    ///
    /// # Errors
    /// Too much is asked; nothing has changed.
    pub fn release(
        &mut self,
        who: Asker,
        name: &[u8],
        fence: u64,
        orders: &mut Vec<SharedOrder>,
    ) -> Result<(), LockError> {
        let name: Arc<[u8]> = name.into();
        let ask = EngineAsk::Release { name: Arc::clone(&name), fence };
        self.question(who, ask, Asked::Release { name, who: Some(who), fence }, orders)
    }

    /// Nobody is there any more to be told of this acquisition.
    pub fn give_back(&mut self, now: Tick, name: &[u8], fence: u64, orders: &mut Vec<SharedOrder>) {
        if let Some((name, _)) = self.held.of_fence(name, fence) {
            self.end(now, &name, LockEvent::Released, orders);
        }
    }

    /// A client is gone: it waits for nothing, and what it holds for as long as it is connected is given back.
    pub fn gone(&mut self, now: Tick, client: u64, orders: &mut Vec<SharedOrder>) {
        self.waiters.forget(client);
        for name in self.held.of_client(client) {
            self.end(now, &name, LockEvent::Released, orders);
        }
    }

    /// Ends what is over by `now`, and tries what is to be tried.
    pub fn tick(&mut self, now: Tick, orders: &mut Vec<SharedOrder>) {
        for _ in 0..PER_TICK {
            let Some((_, waiter)) = self.waiters.pop_late_of(now) else { break };
            let to = waiter.who;
            orders.push(match (&self.away, waiter.is_once) {
                (Some(why), _) => SharedOrder::Refused { to, why: Arc::clone(why) },
                (None, true) => SharedOrder::Refused { to, why: NO_ANSWER.into() },
                (None, false) => SharedOrder::Denied { to },
            });
        }
        for _ in 0..PER_TICK {
            let Some((_, name)) = self.held.first_end().filter(|(until, _)| *until <= now) else { break };
            let name = Arc::clone(name);
            self.end(now, &name, LockEvent::Expired, orders);
        }
        for _ in 0..PER_TICK {
            let Some((_, name)) = self.due.first().filter(|(at, _)| *at <= now) else { break };
            let name = Arc::clone(name);
            self.attempt(now, &name, orders);
        }
    }

    /// When [`Self::tick`] has something to do.
    #[must_use]
    pub fn deadline(&self) -> Option<Tick> {
        let end = self.held.first_end().map(|(until, _)| until);
        let due = self.due.first().map(|(at, _)| *at);
        [end, due, self.waiters.deadline()].into_iter().flatten().min()
    }

    /// The engine is there.
    pub fn reached(&mut self, now: Tick) {
        self.away = None;
        for name in self.wanted.keys().cloned().collect::<Vec<_>>() {
            self.plan(&name, now);
        }
    }

    /// The engine is away; what it was asked and has not answered is [answered](Self::answered) by [`EngineAnswer::Failed`].
    pub fn lost(&mut self, why: &str) {
        self.away = Some(why.into());
    }

    /// A lock of a hub that lives, which this one follows.
    pub fn take_over(&mut self, name: &[u8], held: Held) {
        self.held.put(&name.into(), held);
    }

    /// The lock of this name, if it was acquired here.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&Held> {
        self.held.get(name)
    }

    /// All that were acquired here, by name.
    pub fn view(&self) -> impl Iterator<Item = (&[u8], &Held)> {
        self.held.iter().map(|(name, held)| (&**name, held))
    }

    /// How many were acquired here and are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether none is held here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.len() == 0
    }

    /// How many wait here for a lock.
    #[must_use]
    pub fn waiting(&self, name: &[u8]) -> usize {
        self.waiters.count(name)
    }

    /// How many wait here, for all locks.
    #[must_use]
    pub fn waiting_in_all(&self) -> usize {
        self.waiters.len()
    }

    /// Who waits here, those who came earlier first; then who waits for the engine's word about a lease.
    #[must_use]
    pub fn queue(&self) -> Vec<Asker> {
        let about_leases = self.asked.values().filter_map(|asked| match asked {
            Asked::Renew { who, .. } => Some(*who),
            Asked::Release { who, .. } => *who,
            Asked::Acquire { .. } => None,
        });
        self.waiters.in_order().into_iter().chain(about_leases).collect()
    }
}
