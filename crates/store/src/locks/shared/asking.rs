//! The engine is asked, and answers.

use std::sync::Arc;
use std::time::Duration;

use remuda_model::Tick;

use super::super::waiters::Waiter;
use super::super::{Asker, Held, LockError, LockEvent};
use super::{
    ASKED_MAX, Asked, EngineAnswer, EngineAsk, PAUSE_MAX, PAUSE_MIN, ROUNDS_MAX, SharedLocks, SharedOrder,
    Wanted,
};

impl SharedLocks {
    /// The engine's answer to the question of this number.
    pub fn answered(&mut self, now: Tick, number: u64, answer: EngineAnswer, orders: &mut Vec<SharedOrder>) {
        match self.asked.remove(&number) {
            Some(Asked::Acquire { name, who }) => self.tried(now, &name, who, answer, orders),
            Some(Asked::Renew { name, who, fence, ttl }) => match answer {
                EngineAnswer::Failed { why } => orders.push(SharedOrder::Refused { to: who, why }),
                EngineAnswer::Done { is_done: true } => {
                    self.renewed(now, &name, fence, ttl);
                    orders.push(SharedOrder::Done { to: who, is_done: true });
                }
                _ => {
                    self.forget(&name, fence, LockEvent::Expired, orders);
                    orders.push(SharedOrder::Done { to: who, is_done: false });
                }
            },
            Some(Asked::Release { name, who, fence }) => {
                self.released(now, &name, who, fence, answer, orders);
            }
            None => {}
        }
    }

    /// A question about a lease; told at once where there is no engine.
    pub(super) fn question(
        &mut self,
        who: Asker,
        ask: EngineAsk,
        asked: Asked,
        orders: &mut Vec<SharedOrder>,
    ) -> Result<(), LockError> {
        if let Some(why) = &self.away {
            orders.push(SharedOrder::Refused { to: who, why: Arc::clone(why) });
            return Ok(());
        }
        if self.asked.len() >= ASKED_MAX {
            return Err(LockError::TooManyQuestions);
        }
        self.ask(ask, asked, orders);
        Ok(())
    }

    fn ask(&mut self, ask: EngineAsk, asked: Asked, orders: &mut Vec<SharedOrder>) {
        self.last_number += 1;
        self.asked.insert(self.last_number, asked);
        orders.push(SharedOrder::Ask { number: self.last_number, ask });
    }

    /// Asks for a lock that somebody waits for, unless that is being done; a lock that nobody waits for is forgotten.
    pub(super) fn attempt(&mut self, now: Tick, name: &Arc<[u8]>, orders: &mut Vec<SharedOrder>) {
        let Some(wanted) = self.wanted.get_mut(name) else { return };
        self.due.remove(&(wanted.at, Arc::clone(name)));
        if wanted.is_asked {
            return;
        }
        let Some(Waiter { who, ttl, owner, .. }) = self.waiters.first(name) else {
            self.wanted.remove(name);
            return;
        };
        if self.away.is_some() || self.asked.len() >= ASKED_MAX {
            return self.plan(name, now + PAUSE_MAX);
        }
        wanted.is_asked = true;
        let ask = EngineAsk::Acquire { name: Arc::clone(name), ttl: *ttl, owner: Arc::clone(owner) };
        let asked = Asked::Acquire { name: Arc::clone(name), who: *who };
        self.ask(ask, asked, orders);
    }

    /// The next try is at `at`, unless one is on its way.
    pub(super) fn plan(&mut self, name: &Arc<[u8]>, at: Tick) {
        let fresh = Wanted { is_asked: false, at, rounds: 0 };
        let wanted = self.wanted.entry(Arc::clone(name)).or_insert(fresh);
        if wanted.is_asked {
            return;
        }
        self.due.remove(&(wanted.at, Arc::clone(name)));
        wanted.at = at;
        self.due.insert((at, Arc::clone(name)));
    }

    fn tried(
        &mut self,
        now: Tick,
        name: &Arc<[u8]>,
        who: Asker,
        answer: EngineAnswer,
        orders: &mut Vec<SharedOrder>,
    ) {
        if let Some(wanted) = self.wanted.get_mut(name) {
            wanted.is_asked = false;
        }
        let pause = match answer {
            EngineAnswer::Acquired { fence } => {
                match self.waiters.take(name, who) {
                    Some(waiter) => self.grant(now, name, waiter, fence, orders),
                    // It is gone, or was told no when its time was over.
                    None => self.give_up(name, None, fence, orders),
                }
                self.deny_once(name, orders);
                PAUSE_MAX
            }
            EngineAnswer::Taken { left } => {
                self.none_in_a_row(name);
                self.deny_once(name, orders);
                self.pause().min(left.map_or(PAUSE_MAX, |left| left.max(PAUSE_MIN)))
            }
            EngineAnswer::Failed { why } => {
                for to in self.waiters.take_once(name) {
                    orders.push(SharedOrder::Refused { to, why: Arc::clone(&why) });
                }
                PAUSE_MAX
            }
            EngineAnswer::Done { .. } => PAUSE_MAX,
        };
        self.plan_if_wanted(name, now + pause);
    }

    fn grant(
        &mut self,
        now: Tick,
        name: &Arc<[u8]>,
        waiter: Waiter,
        fence: u64,
        orders: &mut Vec<SharedOrder>,
    ) {
        let Waiter { who, ttl, owner, is_session, .. } = waiter;
        if let Some(wanted) = self.wanted.get_mut(name) {
            wanted.rounds += 1;
        }
        // Another that had it here had lost it without our knowing.
        let before = self.held.get(name).map(|held| held.fence);
        if let Some(before) = before {
            self.forget(name, before, LockEvent::Expired, orders);
        }
        orders.push(SharedOrder::Granted { to: who, name: Arc::clone(name), fence });
        orders.push(SharedOrder::Tell {
            name: Arc::clone(name),
            event: LockEvent::Acquired,
            fence,
            owner: Arc::clone(&owner),
        });
        let session = is_session.then_some(who.client);
        self.held.put(name, Held { fence, owner, session, ttl, until: now + ttl, kept_ttl: ttl });
    }

    fn deny_once(&mut self, name: &Arc<[u8]>, orders: &mut Vec<SharedOrder>) {
        orders.extend(self.waiters.take_once(name).into_iter().map(|to| SharedOrder::Denied { to }));
    }

    fn none_in_a_row(&mut self, name: &Arc<[u8]>) {
        if let Some(wanted) = self.wanted.get_mut(name) {
            wanted.rounds = 0;
        }
    }

    fn renewed(&mut self, now: Tick, name: &Arc<[u8]>, fence: u64, ttl: Duration) {
        if let Some((name, held)) = self.held.of_fence(name, fence) {
            held.ttl = ttl;
            self.held.set_end(&name, now + ttl);
        } else if self.held.get(name).is_none_or(|held| held.fence < fence) {
            // It was acquired elsewhere, or in an earlier life: it is looked after here now.
            let owner = Arc::from(&[][..]);
            let held = Held { fence, owner, session: None, ttl, until: now + ttl, kept_ttl: ttl };
            self.held.put(name, held);
        }
    }

    fn released(
        &mut self,
        now: Tick,
        name: &Arc<[u8]>,
        who: Option<Asker>,
        fence: u64,
        answer: EngineAnswer,
        orders: &mut Vec<SharedOrder>,
    ) {
        let (told, is_over) = match answer {
            EngineAnswer::Failed { why } => (who.map(|to| SharedOrder::Refused { to, why }), false),
            EngineAnswer::Done { is_done } => (who.map(|to| SharedOrder::Done { to, is_done }), true),
            _ => (who.map(|to| SharedOrder::Done { to, is_done: false }), true),
        };
        if is_over {
            self.forget(name, fence, LockEvent::Released, orders);
        }
        orders.extend(told);
        let has_had_its_turn = self.wanted.get(name).is_some_and(|wanted| wanted.rounds >= ROUNDS_MAX);
        if has_had_its_turn {
            self.none_in_a_row(name);
        }
        let pause = if has_had_its_turn { PAUSE_MAX + PAUSE_MIN } else { Duration::ZERO };
        self.plan_if_wanted(name, now + pause);
    }

    fn plan_if_wanted(&mut self, name: &Arc<[u8]>, at: Tick) {
        if self.waiters.first(name).is_some() {
            self.plan(name, at);
        } else if let Some(wanted) = self.wanted.get(name).filter(|wanted| !wanted.is_asked) {
            self.due.remove(&(wanted.at, Arc::clone(name)));
            self.wanted.remove(name);
        }
    }

    /// This acquisition has the lock no more; the engine knows.
    fn forget(&mut self, name: &Arc<[u8]>, fence: u64, event: LockEvent, orders: &mut Vec<SharedOrder>) {
        let Some((name, _)) = self.held.of_fence(name, fence) else { return };
        if let Some(Held { owner, .. }) = self.held.remove(&name) {
            orders.push(SharedOrder::Tell { name, event, fence, owner });
        }
    }

    /// Whoever has the lock here has it no more, and the engine is told.
    pub(super) fn end(
        &mut self,
        now: Tick,
        name: &Arc<[u8]>,
        event: LockEvent,
        orders: &mut Vec<SharedOrder>,
    ) {
        let Some(fence) = self.held.get(name).map(|held| held.fence) else { return };
        self.forget(name, fence, event, orders);
        self.give_up(name, None, fence, orders);
        self.plan_if_wanted(name, now);
    }

    /// Tells the engine that an acquisition is over. While it is away that is not needed: leases end by themselves.
    fn give_up(&mut self, name: &Arc<[u8]>, who: Option<Asker>, fence: u64, orders: &mut Vec<SharedOrder>) {
        if self.away.is_none() {
            let ask = EngineAsk::Release { name: Arc::clone(name), fence };
            self.ask(ask, Asked::Release { name: Arc::clone(name), who, fence }, orders);
        }
    }

    /// Some time between the shortest and the longest pause.
    fn pause(&mut self) -> Duration {
        self.chance =
            self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let spread = u64::try_from((PAUSE_MAX - PAUSE_MIN).as_millis()).unwrap_or_default();
        PAUSE_MIN + Duration::from_millis((self.chance >> 33) % (spread + 1))
    }
}
