//! Locks that an engine keeps for several hubs: rules one by one, and two hubs beside a simple engine.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use remuda_model::Tick;
use remuda_store::{Asker, EngineAnswer, EngineAsk, LockAsk, LockEvent, SharedLocks, SharedOrder};

const SECOND: Duration = Duration::from_secs(1);

fn ask(client: u64, wait: Duration) -> LockAsk<'static> {
    let who = Asker { client, ticket: 0 };
    LockAsk { who, name: b"a", ttl: SECOND, wait, owner: b"me", is_session: false }
}

fn there() -> SharedLocks {
    let mut locks = SharedLocks::new(1);
    locks.reached(Tick(0));
    locks
}

/// The questions among the orders.
fn asked(orders: &mut Vec<SharedOrder>) -> Vec<(u64, EngineAsk)> {
    let one = |order: SharedOrder| match order {
        SharedOrder::Ask { number, ask } => Ok((number, ask)),
        other => Err(other),
    };
    let (asks, rest): (Vec<_>, Vec<_>) = orders.drain(..).map(one).partition(Result::is_ok);
    orders.extend(rest.into_iter().filter_map(Result::err));
    asks.into_iter().filter_map(Result::ok).collect()
}

fn taken() -> EngineAnswer {
    EngineAnswer::Taken { left: None }
}

#[test]
fn one_question_is_asked_for_all_who_want_a_lock_and_who_does_not_wait_is_told_no() {
    let (mut locks, mut orders) = (there(), Vec::new());
    for client in 1..=3 {
        locks.acquire(Tick(0), &ask(client, Duration::ZERO), &mut orders).unwrap();
    }
    locks.acquire(Tick(0), &ask(4, SECOND), &mut orders).unwrap();
    let asks = asked(&mut orders);
    assert_eq!(asks.len(), 1);
    locks.answered(Tick(1), asks[0].0, EngineAnswer::Acquired { fence: 7 }, &mut orders);
    let denied = orders.iter().filter(|order| matches!(order, SharedOrder::Denied { .. })).count();
    assert!(matches!(orders[0], SharedOrder::Granted { to, fence: 7, .. } if to.client == 1));
    assert_eq!((denied, locks.waiting(b"a")), (2, 1), "{orders:?}");
    orders.clear();
    locks.tick(Tick(1001), &mut orders);
    assert!(orders.iter().any(|order| matches!(order, SharedOrder::Denied { to } if to.client == 4)));
}

#[test]
fn a_lock_that_nobody_is_there_for_any_more_is_given_back() {
    let (mut locks, mut orders) = (there(), Vec::new());
    locks.acquire(Tick(0), &ask(1, SECOND), &mut orders).unwrap();
    let asks = asked(&mut orders);
    locks.gone(Tick(1), 1, &mut orders);
    locks.answered(Tick(2), asks[0].0, EngineAnswer::Acquired { fence: 7 }, &mut orders);
    let asks = asked(&mut orders);
    assert!(matches!(asks[..], [(_, EngineAsk::Release { fence: 7, .. })]), "{asks:?}");
    assert!(locks.is_empty() && orders.is_empty(), "{orders:?}");
}

#[test]
fn a_lease_that_ends_here_is_given_back_and_the_next_is_tried() {
    let (mut locks, mut orders) = (there(), Vec::new());
    locks.acquire(Tick(0), &ask(1, Duration::ZERO), &mut orders).unwrap();
    let asks = asked(&mut orders);
    locks.answered(Tick(5), asks[0].0, EngineAnswer::Acquired { fence: 7 }, &mut orders);
    locks.acquire(Tick(5), &ask(2, SECOND * 60), &mut orders).unwrap();
    orders.clear();
    locks.tick(Tick(1004), &mut orders);
    let early = asked(&mut orders);
    assert!(early.iter().all(|(_, ask)| matches!(ask, EngineAsk::Acquire { .. })), "{early:?}");
    for (number, _) in early {
        locks.answered(Tick(1004), number, taken(), &mut orders);
    }
    locks.tick(Tick(1005), &mut orders);
    assert!(orders.iter().any(|order| matches!(order, SharedOrder::Tell { event: LockEvent::Expired, .. })));
    let asks = asked(&mut orders);
    assert!(matches!(asks[0].1, EngineAsk::Release { fence: 7, .. }), "{asks:?}");
}

#[test]
fn without_an_engine_who_does_not_wait_hears_why_and_who_waits_waits() {
    let mut locks = SharedLocks::new(1);
    let mut orders = Vec::new();
    locks.lost("it is on fire");
    locks.acquire(Tick(0), &ask(1, Duration::ZERO), &mut orders).unwrap();
    locks.acquire(Tick(0), &ask(2, SECOND), &mut orders).unwrap();
    locks.renew(Asker { client: 3, ticket: 0 }, b"a", 1, SECOND, &mut orders).unwrap();
    let refused =
        |order: &SharedOrder| matches!(order, SharedOrder::Refused { why, .. } if &**why == "it is on fire");
    assert!(orders.len() == 2 && orders.iter().all(refused), "{orders:?}");
    orders.clear();
    locks.tick(Tick(500), &mut orders);
    assert!(orders.is_empty(), "{orders:?}");
    locks.reached(Tick(600));
    locks.tick(Tick(600), &mut orders);
    assert_eq!(asked(&mut orders).len(), 1);
}

#[test]
fn who_has_had_many_turns_lets_others_have_theirs() {
    let (mut locks, mut orders) = (there(), Vec::new());
    let mut now = Tick(0);
    locks.acquire(now, &ask(0, SECOND * 600), &mut orders).unwrap();
    let (mut fence, mut pauses) = (0, Vec::new());
    for round in 1..=20_u64 {
        let mut asks = asked(&mut orders);
        while asks.is_empty() {
            let due = locks.deadline().unwrap();
            pauses.push(due.since(now));
            now = due.max(now);
            locks.tick(now, &mut orders);
            asks = asked(&mut orders);
        }
        locks.acquire(now, &ask(round, SECOND * 600), &mut orders).unwrap();
        fence += 1;
        locks.answered(now, asks[0].0, EngineAnswer::Acquired { fence }, &mut orders);
        locks.release(Asker { client: 99, ticket: 0 }, b"a", fence, &mut orders).unwrap();
        let asks = asked(&mut orders);
        locks.answered(now, asks[0].0, EngineAnswer::Done { is_done: true }, &mut orders);
        orders.clear();
    }
    let long = pauses.iter().filter(|pause| **pause >= SECOND / 4).count();
    assert!((2..=3).contains(&long), "{pauses:?}");
}

/// What an engine is, in a few lines.
#[derive(Debug, Default)]
struct Engine {
    last: u64,
    held: BTreeMap<Arc<[u8]>, (u64, Tick)>,
}

impl Engine {
    fn answer(&mut self, now: Tick, ask: &EngineAsk) -> EngineAnswer {
        self.held.retain(|_, (_, until)| *until > now);
        match ask {
            EngineAsk::Acquire { name, .. } if self.held.contains_key(name) => taken(),
            EngineAsk::Acquire { name, ttl, .. } => {
                self.last += 1;
                self.held.insert(Arc::clone(name), (self.last, now + *ttl));
                EngineAnswer::Acquired { fence: self.last }
            }
            EngineAsk::Renew { name, fence, ttl } => {
                let held = self.held.get_mut(name).filter(|(held, _)| held == fence);
                let is_done = held.map(|(_, until)| *until = now + *ttl).is_some();
                EngineAnswer::Done { is_done }
            }
            EngineAsk::Release { name, fence } => {
                let is_done = self.held.get(name).is_some_and(|(held, _)| held == fence);
                if is_done {
                    self.held.remove(name);
                }
                EngineAnswer::Done { is_done }
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Acquire {
        hub: usize,
        client: u64,
        name: u8,
        wait_ms: u64,
        is_session: bool,
    },
    Renew {
        hub: usize,
        nth: usize,
    },
    Release {
        hub: usize,
        nth: usize,
    },
    Gone {
        hub: usize,
        client: u64,
    },
    Pass {
        ms: u64,
    },
    /// The engine answers what it was asked so many times; or never will.
    Answer {
        hub: usize,
        count: usize,
    },
    Cut {
        hub: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let hub = 0..2_usize;
    prop_oneof![
        4 => (hub.clone(), 0..5_u64, 0..3_u8, prop_oneof![Just(0), 1..3000_u64], any::<bool>())
            .prop_map(|(hub, client, name, wait_ms, is_session)| Step::Acquire { hub, client, name, wait_ms, is_session }),
        2 => (hub.clone(), 0..4_usize).prop_map(|(hub, nth)| Step::Renew { hub, nth }),
        2 => (hub.clone(), 0..4_usize).prop_map(|(hub, nth)| Step::Release { hub, nth }),
        1 => (hub.clone(), 0..5_u64).prop_map(|(hub, client)| Step::Gone { hub, client }),
        3 => (1..700_u64).prop_map(|ms| Step::Pass { ms }),
        6 => (hub.clone(), 1..5_usize).prop_map(|(hub, count)| Step::Answer { hub, count }),
        1 => hub.prop_map(|hub| Step::Cut { hub }),
    ]
}

/// Two hubs, their questions on the way, and what their clients believe.
struct World {
    now: Tick,
    engine: Engine,
    hubs: [SharedLocks; 2],
    on_the_way: [VecDeque<(u64, EngineAsk)>; 2],
    /// Who was told that it has a lock: name, fence.
    granted: Vec<(usize, Arc<[u8]>, u64)>,
    /// Clients that owe an answer: at most one each.
    open: [BTreeMap<u64, u64>; 2],
}

impl World {
    fn carry_out(&mut self, hub: usize, orders: Vec<SharedOrder>) {
        for order in orders {
            let answered = match order {
                SharedOrder::Ask { number, ask } => {
                    self.on_the_way[hub].push_back((number, ask));
                    continue;
                }
                SharedOrder::Granted { to, name, fence } => {
                    let last = self
                        .granted
                        .iter()
                        .filter(|(_, other, _)| *other == name)
                        .map(|(.., fence)| *fence)
                        .max();
                    assert!(
                        last.is_none_or(|last| last < fence),
                        "fences of one lock grow: {last:?} {fence}"
                    );
                    self.granted.push((hub, name, fence));
                    to
                }
                SharedOrder::Denied { to }
                | SharedOrder::Done { to, .. }
                | SharedOrder::Refused { to, .. } => to,
                SharedOrder::Tell { .. } => continue,
            };
            let open = self.open[hub].remove(&answered.client);
            assert_eq!(open, Some(answered.ticket), "each question has one answer");
        }
    }

    fn take(&mut self, step: &Step) {
        let mut orders = Vec::new();
        let now = self.now;
        let hub = match *step {
            Step::Acquire { hub, client, name, wait_ms, is_session } => {
                let ticket = now.0;
                if self.open[hub].contains_key(&client) {
                    return;
                }
                self.open[hub].insert(client, ticket);
                let who = Asker { client, ticket };
                let wait = Duration::from_millis(wait_ms);
                let ask = LockAsk { who, name: &[name], ttl: SECOND, wait, owner: b"", is_session };
                self.hubs[hub].acquire(now, &ask, &mut orders).unwrap();
                hub
            }
            Step::Renew { hub, nth } | Step::Release { hub, nth } => {
                let Some((_, name, fence)) = self.granted.iter().rev().nth(nth).cloned() else { return };
                let who = Asker { client: 100 + nth as u64, ticket: now.0 };
                if self.open[hub].contains_key(&who.client) {
                    return;
                }
                self.open[hub].insert(who.client, who.ticket);
                let locks = &mut self.hubs[hub];
                match step {
                    Step::Renew { .. } => locks.renew(who, &name, fence, SECOND, &mut orders).unwrap(),
                    _ => locks.release(who, &name, fence, &mut orders).unwrap(),
                }
                hub
            }
            Step::Gone { hub, client } => {
                self.open[hub].remove(&client);
                self.hubs[hub].gone(now, client, &mut orders);
                hub
            }
            Step::Pass { ms } => {
                self.now = now + Duration::from_millis(ms);
                for hub in 0..2 {
                    let mut orders = Vec::new();
                    self.hubs[hub].tick(self.now, &mut orders);
                    self.carry_out(hub, orders);
                }
                return;
            }
            Step::Answer { hub, count } => {
                for _ in 0..count {
                    let Some((number, ask)) = self.on_the_way[hub].pop_front() else { break };
                    let answer = self.engine.answer(now, &ask);
                    self.hubs[hub].answered(now, number, answer, &mut orders);
                }
                hub
            }
            Step::Cut { hub } => {
                // What is on the way is done or not; nobody hears of it.
                let lost: Vec<_> = self.on_the_way[hub].drain(..).collect();
                self.hubs[hub].lost("cut");
                for (place, (number, ask)) in lost.into_iter().enumerate() {
                    if place.is_multiple_of(2) {
                        self.engine.answer(now, &ask);
                    }
                    let failed = EngineAnswer::Failed { why: "cut".into() };
                    self.hubs[hub].answered(now, number, failed, &mut orders);
                }
                self.hubs[hub].reached(now);
                hub
            }
        };
        self.carry_out(hub, orders);
    }
}

proptest! {
    #[test]
    fn every_question_has_one_answer_and_fences_of_a_lock_grow_over_both_hubs(steps in prop::collection::vec(step(), 1..120)) {
        let mut world = World {
            now: Tick(1),
            engine: Engine::default(),
            hubs: [there(), there()],
            on_the_way: Default::default(),
            granted: Vec::new(),
            open: Default::default(),
        };
        for step in &steps {
            world.take(step);
        }
        // In the end nobody is left without an answer, and nothing is held or waited for.
        for _ in 0..60 {
            world.take(&Step::Pass { ms: 300 });
            for hub in 0..2 {
                world.take(&Step::Answer { hub, count: 100 });
            }
        }
        prop_assert!(world.open.iter().all(BTreeMap::is_empty), "{:?}", world.open);
        for hub in &world.hubs {
            prop_assert!(hub.is_empty() && hub.waiting_in_all() == 0);
            prop_assert_eq!(hub.deadline(), None);
        }
    }
}
