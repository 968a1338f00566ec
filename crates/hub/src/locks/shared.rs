//! Locks that an engine keeps: the machine that asks it, between clients and the connection.

use std::sync::Arc;
use std::time::Duration;

use remuda_model::Tick;
use remuda_store::{Asker, EngineAnswer, EngineAsk, Held, LockAsk, Locks, Moment, SharedLocks, SharedOrder};
use remuda_sys::event::Readiness;

use super::words::now;
use super::{Locking, News};
use crate::core::Core;
use crate::hub::Hub;

/// The machine, and what it wants asked.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) machine: SharedLocks,
    orders: Vec<SharedOrder>,
    asks: Vec<(u64, EngineAsk)>,
}

/// What is held, whoever keeps it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Look<'a> {
    Own(&'a Locks),
    Shared(&'a SharedLocks),
}

impl<'a> Look<'a> {
    pub(crate) fn get(self, name: &[u8]) -> Option<&'a Held> {
        match self {
            Self::Own(locks) => locks.get(name),
            Self::Shared(locks) => locks.get(name),
        }
    }

    pub(crate) fn view(self) -> Box<dyn Iterator<Item = (&'a [u8], &'a Held)> + 'a> {
        match self {
            Self::Own(locks) => Box::new(locks.view()),
            Self::Shared(locks) => Box::new(locks.view()),
        }
    }

    pub(crate) fn waiting(self, name: &[u8]) -> usize {
        match self {
            Self::Own(locks) => locks.waiting(name),
            Self::Shared(locks) => locks.waiting(name),
        }
    }

    /// Who waits for an answer.
    pub(super) fn queue(self) -> Vec<Asker> {
        match self {
            Self::Own(locks) => locks.queue(),
            Self::Shared(locks) => locks.queue(),
        }
    }
}

impl Shared {
    pub(super) fn new(moment: Moment) -> Self {
        // Hubs start at different times, which is all the chance that is needed.
        let seed = moment.wall_ms ^ moment.tick.0;
        Self { machine: SharedLocks::new(seed), orders: Vec::new(), asks: Vec::new() }
    }

    pub(super) fn acquire(&mut self, now: Tick, ask: &LockAsk<'_>) -> Result<(), String> {
        self.machine.acquire(now, ask, &mut self.orders).map_err(|error| format!("ERR {error}"))
    }

    pub(super) fn renew(&mut self, to: Asker, name: &[u8], fence: u64, ttl: Duration) -> Result<(), String> {
        self.machine.renew(to, name, fence, ttl, &mut self.orders).map_err(|error| format!("ERR {error}"))
    }

    pub(super) fn release(&mut self, to: Asker, name: &[u8], fence: u64) -> Result<(), String> {
        self.machine.release(to, name, fence, &mut self.orders).map_err(|error| format!("ERR {error}"))
    }

    pub(super) fn gone(&mut self, now: Tick, client: u64) {
        self.machine.gone(now, client, &mut self.orders);
    }

    pub(super) fn give_back(&mut self, now: Tick, name: &[u8], fence: u64) {
        self.machine.give_back(now, name, fence, &mut self.orders);
    }

    pub(super) fn tick(&mut self, now: Tick) {
        self.machine.tick(now, &mut self.orders);
    }

    pub(super) fn deadline(&self) -> Option<Tick> {
        self.machine.deadline()
    }

    pub(super) fn has_asks(&self) -> bool {
        !self.asks.is_empty()
    }
}

impl Locking {
    /// What the machine wants told is told at once, and what it wants asked waits for the connection.
    pub(super) fn carry_out_shared(&mut self) {
        let Some(shared) = &mut self.shared else { return };
        for order in shared.orders.drain(..) {
            self.at_once.push_back(match order {
                SharedOrder::Ask { number, ask } => {
                    shared.asks.push((number, ask));
                    continue;
                }
                SharedOrder::Granted { to, name, fence } => News::Granted { to, name, fence },
                SharedOrder::Denied { to } => News::Denied { to },
                SharedOrder::Done { to, is_done } => News::Done { to, is_done },
                SharedOrder::Refused { to, why } => News::Refused { to, why },
                SharedOrder::Tell { name, event, fence, owner } => {
                    News::Happened { name, event, fence, owner }
                }
            });
        }
    }

    fn take_asks(&mut self) -> Vec<(u64, EngineAsk)> {
        self.shared.as_mut().map(|shared| std::mem::take(&mut shared.asks)).unwrap_or_default()
    }

    fn answered(&mut self, now: Tick, number: u64, answer: EngineAnswer) {
        if let Some(shared) = &mut self.shared {
            shared.machine.answered(now, number, answer, &mut shared.orders);
        }
        self.carry_out_shared();
    }

    /// The engine came, or went, with the reason.
    fn turned(&mut self, now: Tick, away: Option<String>) {
        let Some(shared) = &mut self.shared else { return };
        match away {
            None => shared.machine.reached(now),
            Some(why) => shared.machine.lost(&why),
        }
    }
}

impl Hub {
    pub(crate) fn hear_lock_engine(&mut self, news: Readiness) {
        if let Some(link) = &mut self.core.engines.locks {
            link.hear(news, self.core.moment.tick, &mut self.scratch);
        }
    }

    /// Questions go to the engine, and its answers to the machine, until neither has any.
    pub(crate) fn drive_lock_engine(&mut self) {
        let now = now();
        let Core { engines, locks, .. } = &mut self.core;
        let Some(link) = &mut engines.locks else { return };
        loop {
            for (number, ask) in locks.take_asks() {
                link.ask(number, ask, now);
            }
            link.check(now, &self.poller);
            if let Some(away) = link.turned() {
                locks.turned(now, away);
            }
            let answers = link.take_answers();
            if answers.is_empty() {
                return;
            }
            for (number, answer) in answers {
                locks.answered(now, number, answer);
            }
        }
    }
}

/// As an error of the hub's.
pub(super) fn refusal(why: &Arc<str>) -> String {
    format!("LOCKSENGINE {why}")
}
