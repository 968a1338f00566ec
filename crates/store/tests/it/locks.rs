//! Locks beside a simple model of them, over crashes and reloads; and their rules one by one.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use remuda_model::Tick;
use remuda_store::{
    Asker, Held, LOCK_WAITERS_MAX, LOCKS_MAX, LockAsk, LockError, LockEvent, LockOrder, LockRecord, Locks,
};

const SECOND: Duration = Duration::from_secs(1);

fn ask(client: u64, name: &[u8]) -> LockAsk<'_> {
    LockAsk {
        who: Asker { client, ticket: 0 },
        name,
        ttl: SECOND,
        wait: Duration::ZERO,
        owner: b"",
        is_session: false,
    }
}

/// What the askers are told, in order: a fence, or no.
fn told(orders: &[LockOrder]) -> Vec<(u64, Option<u64>)> {
    let one = |order: &LockOrder| match order {
        LockOrder::Granted { to, fence, .. } => Some((to.client, Some(*fence))),
        LockOrder::Denied { to } => Some((to.client, None)),
        _ => None,
    };
    orders.iter().filter_map(one).collect()
}

fn events(orders: &[LockOrder]) -> Vec<(LockEvent, u64)> {
    let one = |order: &LockOrder| match order {
        LockOrder::Tell { event, fence, .. } => Some((*event, *fence)),
        _ => None,
    };
    orders.iter().filter_map(one).collect()
}

#[test]
fn a_lock_has_one_holder_and_those_who_wait_get_it_in_their_order() {
    let mut locks = Locks::new(100);
    let mut orders = Vec::new();
    let now = Tick(0);
    locks.acquire(now, &ask(1, b"a"), &mut orders).unwrap();
    locks.acquire(now, &ask(2, b"a"), &mut orders).unwrap();
    for client in [3, 4, 5] {
        let asked = LockAsk { wait: SECOND / 2, ..ask(client, b"a") };
        locks.acquire(now, &asked, &mut orders).unwrap();
    }
    locks.acquire(now, &ask(6, b"b"), &mut orders).unwrap();
    assert_eq!(told(&orders), [(1, Some(101)), (2, None), (6, Some(102))]);
    assert_eq!(locks.waiting(b"a"), 3);
    orders.clear();
    assert!(!locks.release(now, b"a", 102, &mut orders), "a fence of another lock");
    assert!(locks.release(now, b"a", 101, &mut orders));
    assert!(!locks.release(now, b"a", 101, &mut orders), "once");
    assert_eq!(told(&orders), [(3, Some(103))]);
    assert_eq!(events(&orders), [(LockEvent::Released, 101), (LockEvent::Acquired, 103)]);
    orders.clear();
    locks.gone(now, 4, &mut orders);
    assert_eq!(locks.deadline(), Some(Tick(500)));
    locks.tick(Tick(500), &mut orders);
    assert_eq!(told(&orders), [(5, None)], "its time is over, and nobody tells one who is gone");
}

#[test]
fn a_lease_ends_by_itself_unless_it_is_renewed() {
    let mut locks = Locks::new(0);
    let mut orders = Vec::new();
    locks.acquire(Tick(0), &ask(1, b"a"), &mut orders).unwrap();
    assert!(locks.renew(Tick(900), b"a", 1, SECOND, &mut orders).unwrap());
    let kept = orders.iter().filter(|order| matches!(order, LockOrder::Keep { .. })).count();
    assert_eq!(kept, 1, "a renewal that lasts no longer than the disk knows needs no disk");
    assert!(locks.renew(Tick(901), b"a", 1, 2 * SECOND, &mut orders).unwrap());
    assert!(matches!(orders.last(), Some(LockOrder::Keep { .. })), "a longer one does");
    assert!(!locks.renew(Tick(2_901), b"a", 1, SECOND, &mut orders).unwrap(), "it ended this very moment");
    assert_eq!(events(&orders).last(), Some(&(LockEvent::Expired, 1)));
    assert!(locks.is_empty());
}

#[test]
fn a_lease_begins_when_its_holder_is_told_of_it() {
    let mut locks = Locks::new(0);
    let mut orders = Vec::new();
    locks.acquire(Tick(0), &ask(1, b"a"), &mut orders).unwrap();
    assert!(locks.begin(Tick(800), b"a", 1));
    assert_eq!(locks.get(b"a").unwrap().until, Tick(1_800));
    assert!(!locks.begin(Tick(1_800), b"a", 1), "the disk took longer than the lease");
}

#[test]
fn what_ends_with_a_connection_ends_with_it_and_the_rest_stays() {
    let mut locks = Locks::new(0);
    let mut orders = Vec::new();
    locks.acquire(Tick(0), &LockAsk { is_session: true, ..ask(1, b"session") }, &mut orders).unwrap();
    locks.acquire(Tick(0), &ask(1, b"lease"), &mut orders).unwrap();
    locks.gone(Tick(1), 1, &mut orders);
    let left: Vec<_> = locks.view().map(|(name, _)| name.to_vec()).collect();
    assert_eq!(left, [b"lease".to_vec()]);
}

#[test]
fn everything_has_its_bounds() {
    let mut locks = Locks::new(0);
    let mut orders = Vec::new();
    let mut refused = |asked: LockAsk<'_>| locks.acquire(Tick(0), &asked, &mut orders).unwrap_err();
    assert_eq!(refused(ask(1, b"")), LockError::Name);
    assert_eq!(refused(ask(1, &[b'x'; 513])), LockError::Name);
    assert_eq!(refused(LockAsk { owner: &[b'x'; 257], ..ask(1, b"a") }), LockError::Owner);
    assert_eq!(refused(LockAsk { ttl: Duration::from_millis(99), ..ask(1, b"a") }), LockError::Ttl);
    assert_eq!(refused(LockAsk { ttl: 86_401 * SECOND, ..ask(1, b"a") }), LockError::Ttl);
    assert_eq!(refused(LockAsk { wait: 86_401 * SECOND, ..ask(1, b"a") }), LockError::Wait);
    for number in 0..LOCKS_MAX {
        locks.acquire(Tick(0), &ask(1, number.to_string().as_bytes()), &mut orders).unwrap();
    }
    let full = locks.acquire(Tick(0), &ask(1, b"one more"), &mut orders);
    assert_eq!(full, Err(LockError::TooManyLocks));
    let waits = LockAsk { wait: SECOND, ..ask(2, b"0") };
    for _ in 0..LOCK_WAITERS_MAX {
        locks.acquire(Tick(0), &waits, &mut orders).unwrap();
    }
    assert_eq!(locks.acquire(Tick(0), &waits, &mut orders), Err(LockError::TooManyWaiters));
    orders.clear();
    locks.tick(Tick(1_000), &mut orders);
    assert!(told(&orders).len() <= 2_000, "a turn is short, however much is due");
    assert_eq!(locks.deadline(), Some(Tick(1_000)), "and the rest is due at once");
}

#[test]
fn records_are_read_as_they_were_written_and_anything_else_is_none() {
    let name: std::sync::Arc<[u8]> = (*b"a\r\n\0b").into();
    let all = [
        LockRecord::Held { name: name.clone(), fence: 7, ttl: SECOND, owner: (*b"").into() },
        LockRecord::Free { name, fence: u64::MAX },
        LockRecord::Fence(0),
    ];
    for record in all {
        let mut read = None;
        record.write(&mut |words| read = LockRecord::parse(words));
        assert_eq!(read, Some(record));
    }
    let none: [&[&[u8]]; 4] = [&[], &[b"LOCK", b"a", b"1"], &[b"UNLOCK", b"a", b"-1"], &[b"SET", b"a", b"b"]];
    assert!(none.iter().all(|words| LockRecord::parse(words).is_none()));
}

#[derive(Debug, Clone)]
enum Step {
    Acquire {
        client: u64,
        name: u8,
        ttl: u64,
        wait: u64,
        is_session: bool,
    },
    Renew {
        name: u8,
        back: u64,
        ttl: u64,
    },
    Release {
        name: u8,
        back: u64,
    },
    Gone {
        client: u64,
    },
    Pass {
        millis: u64,
    },
    /// The hub died; the floor of the next one is as much later as the clock says.
    Crash {
        floor: u64,
    },
    Reload,
}

fn step() -> impl Strategy<Value = Step> {
    let (client, name, ttl) = (0..4_u64, 0..3_u8, 100..400_u64);
    prop_oneof![
        6 => (client.clone(), name.clone(), ttl.clone(), prop_oneof![Just(0), 1..500_u64], any::<bool>()).prop_map(
            |(client, name, ttl, wait, is_session)| Step::Acquire { client, name, ttl, wait, is_session }
        ),
        3 => (name.clone(), 0..3_u64, ttl).prop_map(|(name, back, ttl)| Step::Renew { name, back, ttl }),
        3 => (name, 0..3_u64).prop_map(|(name, back)| Step::Release { name, back }),
        1 => client.prop_map(|client| Step::Gone { client }),
        6 => (0..300_u64).prop_map(|millis| Step::Pass { millis }),
        1 => (0..5_u64).prop_map(|floor| Step::Crash { floor }),
        1 => Just(Step::Reload),
    ]
}

/// A lock as the model sees it: who holds it until when, and who waits.
#[derive(Debug, Clone, Default)]
struct Simple {
    holder: Option<(u64, u64, u64, u64, bool)>,
    /// Client, ttl, until, session.
    queue: Vec<(u64, u64, u64, bool)>,
}

#[derive(Debug, Default)]
struct Model {
    now: u64,
    fence: u64,
    locks: BTreeMap<u8, Simple>,
    told: Vec<(u64, Option<u64>)>,
}

impl Model {
    fn free(&mut self, name: u8) {
        let lock = self.locks.entry(name).or_default();
        lock.holder = None;
        while !lock.queue.is_empty() {
            let (client, ttl, until, is_session) = lock.queue.remove(0);
            if until > self.now {
                self.fence += 1;
                lock.holder = Some((client, self.fence, self.now + ttl, ttl, is_session));
                self.told.push((client, Some(self.fence)));
                return;
            }
            self.told.push((client, None));
        }
    }

    fn tick(&mut self) {
        let mut due: Vec<_> =
            self.locks.iter().filter_map(|(name, lock)| Some((lock.holder?.2, *name))).collect();
        due.sort_unstable();
        for (until, name) in due {
            if until <= self.now {
                self.free(name);
            }
        }
        let mut late = Vec::new();
        for lock in self.locks.values_mut() {
            let now = self.now;
            late.extend(lock.queue.iter().filter(|(.., until, _)| *until <= now).copied());
            lock.queue.retain(|(.., until, _)| *until > now);
        }
        self.told.extend(late.into_iter().map(|(client, ..)| (client, None)));
    }

    /// Told in a turn: their order among clients says nothing, that of fences does.
    fn take_told(&mut self) -> Vec<(u64, Option<u64>)> {
        let mut told = std::mem::take(&mut self.told);
        told.sort_unstable();
        told
    }
}

fn check(locks: &Locks, model: &Model) -> Result<(), TestCaseError> {
    for (name, lock) in &model.locks {
        let held = locks.get(&[*name]);
        let shown = held.map(|held| (held.fence, held.until.0));
        prop_assert_eq!(shown, lock.holder.map(|(_, fence, until, ..)| (fence, until)));
        prop_assert_eq!(locks.waiting(&[*name]), lock.queue.len());
    }
    Ok(())
}

proptest! {
    #[test]
    fn locks_do_what_a_simple_model_does_whatever_happens(steps in prop::collection::vec(step(), 1..120)) {
        let mut locks = Locks::new(0);
        let mut model = Model::default();
        let mut disk: Vec<LockRecord> = Vec::new();
        let mut last = 0;
        for step in steps {
            let mut orders = Vec::new();
            let millis = Duration::from_millis;
            let now = Tick(model.now);
            match step {
                Step::Acquire { client, name, ttl, wait, is_session } => {
                    let called = [name];
                    let asked = LockAsk { ttl: millis(ttl), wait: millis(wait), is_session, ..ask(client, &called) };
                    locks.acquire(now, &asked, &mut orders).unwrap();
                    model.locks.entry(name).or_default().queue.push((client, ttl, model.now + wait.max(1), is_session));
                    let lock = &model.locks[&name];
                    if lock.holder.is_none() {
                        model.free(name);
                    } else if wait == 0 {
                        model.locks.entry(name).or_default().queue.pop();
                        model.told.push((client, None));
                    }
                }
                Step::Renew { name, back, ttl } => {
                    let fence = locks.get(&[name]).map_or(1, |held| held.fence).saturating_sub(back);
                    let renewed = locks.renew(now, &[name], fence, millis(ttl), &mut orders).unwrap();
                    let lock = model.locks.entry(name).or_default();
                    let is_held = lock.holder.is_some_and(|(_, held, ..)| held == fence);
                    prop_assert_eq!(renewed, is_held);
                    if let Some(holder) = lock.holder.as_mut().filter(|_| is_held) {
                        (holder.2, holder.3) = (model.now + ttl, holder.3.max(ttl));
                    }
                }
                Step::Release { name, back } => {
                    let fence = locks.get(&[name]).map_or(1, |held| held.fence).saturating_sub(back);
                    let released = locks.release(now, &[name], fence, &mut orders);
                    let is_held = model.locks.entry(name).or_default().holder.is_some_and(|(_, held, ..)| held == fence);
                    prop_assert_eq!(released, is_held);
                    if is_held {
                        model.free(name);
                    }
                }
                Step::Gone { client } => {
                    locks.gone(now, client, &mut orders);
                    for lock in model.locks.values_mut() {
                        lock.queue.retain(|(waiter, ..)| *waiter != client);
                    }
                    for name in model.locks.keys().copied().collect::<Vec<_>>() {
                        let holder = model.locks[&name].holder;
                        if holder.is_some_and(|(holder, .., is_session)| is_session && holder == client) {
                            model.free(name);
                        }
                    }
                }
                Step::Pass { millis } => {
                    model.now += millis;
                    locks.tick(Tick(model.now), &mut orders);
                    model.tick();
                }
                Step::Crash { floor } => {
                    locks = Locks::new(floor);
                    disk.iter().for_each(|record| locks.replay(now, record));
                    for lock in model.locks.values_mut() {
                        lock.queue.clear();
                        if let Some(holder) = &mut lock.holder {
                            (holder.2, holder.4) = (model.now + holder.3, false);
                        }
                    }
                    // The disk knows of every fence that was given, and of no floor.
                    model.fence = last.max(floor);
                }
                Step::Reload => {
                    let mut next = Locks::new(0);
                    next.replay(now, &LockRecord::Fence(locks.last_fence()));
                    for (name, held) in locks.view() {
                        let Held { fence, owner, session, until, .. } = held;
                        let kept = model.locks[&name[0]].holder.unwrap().3;
                        next.take_over(name, Held::new(*fence, owner, *session, millis(kept), *until));
                    }
                    locks = next;
                    model.locks.values_mut().for_each(|lock| lock.queue.clear());
                }
            }
            disk.extend(orders.iter().filter_map(LockRecord::of));
            let mut said = told(&orders);
            for fence in said.iter().filter_map(|(_, fence)| *fence) {
                prop_assert!(fence > last, "a fence is larger than all before");
                last = fence;
            }
            said.sort_unstable();
            prop_assert_eq!(said, model.take_told());
            check(&locks, &model)?;
            // The disk makes the same holders, and so does what a dump says.
            let (mut read, mut copy) = (Locks::new(0), Locks::new(0));
            disk.iter().for_each(|record| read.replay(Tick(0), record));
            locks.dump(&mut |words| copy.replay(Tick(0), &LockRecord::parse(words).unwrap()));
            let holders = |locks: &Locks| locks.view().map(|(name, held)| (name.to_vec(), held.fence, held.until)).collect::<Vec<_>>();
            prop_assert_eq!(holders(&read), holders(&copy));
            prop_assert!(copy.last_fence() >= last);
        }
    }
}
