//! Named locks: leases with fencing tokens, and waiters in their order.
//!
//! A lock has one holder for at most its *ttl*, unless it is renewed; who wants it meanwhile may wait. Each acquisition has
//! a *fence*, a number larger than that of any acquisition before, of whatever lock: a resource that refuses fences below
//! the highest it has seen is safe from a holder that was asleep when its lease ended. A lease ends by the monotonic clock
//! of the hub alone.
//!
//! The machine says by [orders](LockOrder) what is to be kept on disk, who is to be told what, and what happened, in this
//! order: whoever carries them out tells nothing before the disk has all that was to be kept before it. What the disk has
//! is enough to go on ([`Locks::replay`]): a lock that was held is held for its whole ttl again, since nobody knows how much
//! of it had passed. So a renewal needs the disk only where it makes the lease longer than the disk knows.
//!
//! No step costs more because others hold or wait, but that each who waited too long is told so once.

mod ask;
mod holders;
mod order;
mod record;
mod shared;
mod waiters;

use std::sync::Arc;
use std::time::Duration;

use remuda_model::Tick;

pub use ask::{Asker, LockAsk, LockError};
use holders::Holders;
pub use order::{LockEvent, LockOrder};
pub use record::LockRecord;
pub use shared::{EngineAnswer, EngineAsk, SharedLocks, SharedOrder};
use waiters::{Waiter, Waiters};

/// Locks held at once: each has a name, an owner and a place on disk, some 100 MB in all at most.
pub const LOCKS_MAX: usize = 100_000;
/// Who waits at once, for all locks together: as many as clients by default.
pub const LOCK_WAITERS_MAX: usize = 10_000;
/// Longest name, in bytes.
pub const LOCK_NAME_MAX_BYTES: usize = 512;
/// Longest owner, in bytes.
pub const LOCK_OWNER_MAX_BYTES: usize = 256;
/// The shortest lease: below that a disk that is slow for a moment would end it.
pub const LOCK_TTL_MIN: Duration = Duration::from_millis(100);
/// The longest lease: so long everybody waits for a holder that died.
pub const LOCK_TTL_MAX: Duration = Duration::from_secs(24 * 3600);
/// The longest wait.
pub const LOCK_WAIT_MAX: Duration = Duration::from_secs(24 * 3600);
/// Leases that end, and waits that are over, in one [`Locks::tick`]; the rest is due at once.
const LAPSED_PER_TICK: usize = 1_000;

/// A lock that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The number of this acquisition.
    pub fence: u64,
    /// What the holder calls itself; may be empty.
    pub owner: Arc<[u8]>,
    /// The client with whose connection it ends, if it does.
    pub session: Option<u64>,
    /// How long a lease lasts.
    pub ttl: Duration,
    /// When this one ends.
    pub until: Tick,
    /// The longest ttl that the disk knows of.
    kept_ttl: Duration,
}

/// All locks of one instance.
#[derive(Debug, Clone, Default)]
pub struct Locks {
    last_fence: u64,
    held: Holders,
    waiters: Waiters,
}

impl Locks {
    /// None is held. Fences are larger than `floor`: a number that grows from start to start even where the disk is that of
    /// an earlier day.
    #[must_use]
    pub fn new(floor: u64) -> Self {
        Self { last_fence: floor, ..Self::default() }
    }

    /// Somebody wants a lock: it is told at once, or, where it waits, when it has the lock or its time is over.
    ///
    /// # Errors
    /// What was asked is out of range, or there are too many; nothing has changed.
    pub fn acquire(
        &mut self,
        now: Tick,
        ask: &LockAsk<'_>,
        orders: &mut Vec<LockOrder>,
    ) -> Result<(), LockError> {
        ask.check()?;
        self.lapse(now, ask.name, orders);
        let name: Arc<[u8]> = ask.name.into();
        let waiter = Waiter::new(ask, now);
        if !self.held.contains(&name) {
            if self.held.len() >= LOCKS_MAX {
                return Err(LockError::TooManyLocks);
            }
            self.grant(now, &name, waiter, orders);
        } else if ask.wait.is_zero() {
            orders.push(LockOrder::Denied { to: ask.who });
        } else {
            self.waiters.add(name, waiter)?;
        }
        Ok(())
    }

    /// Begins the lease of `fence` anew, with this ttl; says no where that acquisition holds the lock no more.
    ///
    /// # Errors
    /// The ttl is out of range.
    pub fn renew(
        &mut self,
        now: Tick,
        name: &[u8],
        fence: u64,
        ttl: Duration,
        orders: &mut Vec<LockOrder>,
    ) -> Result<bool, LockError> {
        ask::check_ttl(ttl)?;
        self.lapse(now, name, orders);
        let Some((name, held)) = self.held.of_fence(name, fence) else { return Ok(false) };
        held.ttl = ttl;
        if ttl > held.kept_ttl {
            held.kept_ttl = ttl;
            let owner = Arc::clone(&held.owner);
            orders.push(LockOrder::Keep { name: Arc::clone(&name), fence, ttl, owner });
        }
        self.held.set_end(&name, now + ttl);
        Ok(true)
    }

    /// Ends the lease of `fence`; says no where that acquisition holds the lock no more.
    pub fn release(&mut self, now: Tick, name: &[u8], fence: u64, orders: &mut Vec<LockOrder>) -> bool {
        self.lapse(now, name, orders);
        let Some((name, _)) = self.held.of_fence(name, fence) else { return false };
        self.end(now, &name, LockEvent::Released, orders);
        true
    }

    /// The holder of `fence` is being told that it has the lock, which took as long as the disk took: its lease begins now.
    /// Says no where it has ended meanwhile.
    pub fn begin(&mut self, now: Tick, name: &[u8], fence: u64) -> bool {
        let Some((name, held)) = self.held.of_fence(name, fence).filter(|(_, held)| held.until > now) else {
            return false;
        };
        let until = now + held.ttl;
        self.held.set_end(&name, until);
        true
    }

    /// A client is gone: it waits for nothing, and what it holds for as long as it is connected is free.
    pub fn gone(&mut self, now: Tick, client: u64, orders: &mut Vec<LockOrder>) {
        self.waiters.forget(client);
        for name in self.held.of_client(client) {
            self.end(now, &name, LockEvent::Released, orders);
        }
    }

    /// Ends what is over by `now`: a thousand leases and waits at most, the rest with the next call.
    pub fn tick(&mut self, now: Tick, orders: &mut Vec<LockOrder>) {
        for _ in 0..LAPSED_PER_TICK {
            let Some(waiter) = self.waiters.pop_late(now) else { break };
            orders.push(LockOrder::Denied { to: waiter.who });
        }
        if self.waiters.deadline().is_some_and(|until| until <= now) {
            return;
        }
        for _ in 0..LAPSED_PER_TICK {
            let Some((_, name)) = self.held.first_end().filter(|(until, _)| *until <= now) else { break };
            let name = Arc::clone(name);
            self.end(now, &name, LockEvent::Expired, orders);
        }
    }

    /// When [`Self::tick`] has something to do.
    #[must_use]
    pub fn deadline(&self) -> Option<Tick> {
        let end = self.held.first_end().map(|(until, _)| until);
        end.into_iter().chain(self.waiters.deadline()).min()
    }

    /// The lock of this name, if it is held.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&Held> {
        self.held.get(name)
    }

    /// All that are held, by name.
    pub fn view(&self) -> impl Iterator<Item = (&[u8], &Held)> {
        self.held.iter().map(|(name, held)| (&**name, held))
    }

    /// How many are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.len() == 0
    }

    /// How many wait for a lock.
    #[must_use]
    pub fn waiting(&self, name: &[u8]) -> usize {
        self.waiters.count(name)
    }

    /// How many wait, for all locks.
    #[must_use]
    pub fn waiting_in_all(&self) -> usize {
        self.waiters.len()
    }

    /// Who waits, for all locks, those who came earlier first.
    #[must_use]
    pub fn queue(&self) -> Vec<Asker> {
        self.waiters.in_order()
    }

    /// The largest fence that was given.
    #[must_use]
    pub fn last_fence(&self) -> u64 {
        self.last_fence
    }

    /// Ends the lease of one lock if it is over.
    fn lapse(&mut self, now: Tick, name: &[u8], orders: &mut Vec<LockOrder>) {
        if let Some(name) = self.held.over(now, name) {
            self.end(now, &name, LockEvent::Expired, orders);
        }
    }

    /// Nobody holds the lock any more; the first who waits gets it.
    fn end(&mut self, now: Tick, name: &Arc<[u8]>, event: LockEvent, orders: &mut Vec<LockOrder>) {
        let Some(held) = self.held.remove(name) else { return };
        let Held { fence, owner, .. } = held;
        orders.push(LockOrder::Tell { name: Arc::clone(name), event, fence, owner });
        while let Some(waiter) = self.waiters.pop(name) {
            if waiter.until > now {
                return self.grant(now, name, waiter, orders);
            }
            orders.push(LockOrder::Denied { to: waiter.who });
        }
        orders.push(LockOrder::Forget { name: Arc::clone(name), fence });
    }

    fn grant(&mut self, now: Tick, name: &Arc<[u8]>, waiter: Waiter, orders: &mut Vec<LockOrder>) {
        self.last_fence += 1;
        let fence = self.last_fence;
        let Waiter { who, ttl, owner, is_session, .. } = waiter;
        let session = is_session.then_some(who.client);
        let keep = Arc::clone(&owner);
        orders.push(LockOrder::Keep { name: Arc::clone(name), fence, ttl, owner: keep });
        orders.push(LockOrder::Granted { to: who, name: Arc::clone(name), fence });
        let tell = Arc::clone(&owner);
        orders.push(LockOrder::Tell {
            name: Arc::clone(name),
            event: LockEvent::Acquired,
            fence,
            owner: tell,
        });
        let held = Held { fence, owner, session, ttl, until: now + ttl, kept_ttl: ttl };
        self.put_held(name, held);
    }

    fn put_held(&mut self, name: &Arc<[u8]>, held: Held) {
        self.last_fence = self.last_fence.max(held.fence);
        self.held.put(name, held);
    }
}
