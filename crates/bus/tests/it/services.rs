//! Calls: one outcome each, evenly spread, within their time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use remuda_bus::{
    Answered, CallFailure, CallId, CallSpec, Capacity, PeerId, RegisterError, ServiceOrder, Services,
    ServicesOptions,
};
use remuda_model::Tick;

use crate::world::at;

const CALLER: PeerId = PeerId(100);

fn call(ticket: u64, timeout: u64) -> CallSpec {
    CallSpec {
        caller: CALLER,
        caller_name: Bytes::new(),
        ticket,
        service: Bytes::from_static(b"render"),
        timeout: Duration::from_millis(timeout),
        waits_for_service: false,
        body: Bytes::from_static(b"ask"),
    }
}

fn push(outstanding_max: usize) -> Capacity {
    Capacity { outstanding_max, is_pull: false }
}

fn delivered(orders: &[ServiceOrder]) -> Vec<(u64, CallId)> {
    let found = orders.iter().filter_map(|order| match order {
        ServiceOrder::Deliver { worker, call, .. } => Some((worker.0, *call)),
        ServiceOrder::Answer { .. } => None,
    });
    found.collect()
}

fn outcomes(orders: &[ServiceOrder]) -> Vec<(u64, Result<&[u8], CallFailure>)> {
    let found = orders.iter().filter_map(|order| match order {
        ServiceOrder::Answer { ticket, outcome, .. } => {
            Some((*ticket, outcome.as_ref().map(|body| &body[..]).map_err(Clone::clone)))
        }
        ServiceOrder::Deliver { .. } => None,
    });
    found.collect()
}

#[test]
fn a_call_is_answered_by_a_worker() {
    let (mut services, mut orders) = (Services::new(ServicesOptions::default()), Vec::new());
    services.register(PeerId(1), b"render", push(10), &mut orders).unwrap();
    services.call(at(0), call(7, 50), &mut orders);
    let [(1, id)] = delivered(&orders)[..] else { panic!("{orders:?}") };
    assert_eq!(services.answer(PeerId(2), id, Ok(Bytes::new()), &mut orders), Answered::Unknown);
    assert_eq!(services.answer(PeerId(1), id, Ok("done".into()), &mut orders), Answered::Delivered);
    assert_eq!(outcomes(&orders), [(7, Ok(&b"done"[..]))]);
    assert_eq!(services.answer(PeerId(1), id, Ok("again".into()), &mut orders), Answered::Late);
    assert_eq!(services.deadline(), None);
}

#[test]
fn a_call_to_nobody_fails_at_once_unless_the_service_was_known_or_it_waits() {
    let (mut services, mut orders) = (Services::new(ServicesOptions::default()), Vec::new());
    services.call(at(0), call(1, 50), &mut orders);
    assert_eq!(outcomes(&orders), [(1, Err(CallFailure::NoSuchService))]);
    orders.clear();
    services.call(at(0), CallSpec { waits_for_service: true, ..call(2, 50) }, &mut orders);
    services.call(at(0), call(3, 60), &mut orders);
    assert!(orders.is_empty());
    services.tick(at(50), &mut orders);
    assert_eq!(outcomes(&orders), [(2, Err(CallFailure::TimedOut))]);
    services.register(PeerId(1), b"render", push(10), &mut orders).unwrap();
    assert_eq!(delivered(&orders).len(), 1);
}

#[test]
fn the_calls_of_a_dead_worker_fail_at_once() {
    let (mut services, mut orders) = (Services::new(ServicesOptions::default()), Vec::new());
    services.register(PeerId(1), b"render", push(1), &mut orders).unwrap();
    services.call(at(0), call(1, 1000), &mut orders);
    services.call(at(0), call(2, 1000), &mut orders);
    services.gone(at(1), PeerId(1), &mut orders);
    assert_eq!(outcomes(&orders), [(1, Err(CallFailure::WorkerGone))]);
    services.register(PeerId(2), b"render", push(1), &mut orders).unwrap();
    assert_eq!(delivered(&orders).last().unwrap().0, 2);
}

#[test]
fn a_worker_that_takes_one_at_a_time_gets_the_next_when_it_has_answered_even_too_late() {
    let (mut services, mut orders) = (Services::new(ServicesOptions::default()), Vec::new());
    services.register(PeerId(1), b"render", push(1), &mut orders).unwrap();
    services.call(at(0), call(1, 10), &mut orders);
    services.call(at(0), call(2, 90), &mut orders);
    let [(1, first)] = delivered(&orders)[..] else { panic!("{orders:?}") };
    services.tick(at(10), &mut orders);
    assert_eq!(outcomes(&orders), [(1, Err(CallFailure::TimedOut))]);
    assert_eq!(delivered(&orders).len(), 1);
    assert_eq!(services.answer(PeerId(1), first, Ok(Bytes::new()), &mut orders), Answered::Late);
    assert_eq!(delivered(&orders).len(), 2);
    assert_eq!(outcomes(&orders).len(), 1);
    assert_eq!(services.counters().late, 1);
}

#[test]
fn a_worker_that_never_answers_gets_work_again_after_a_while() {
    let (mut services, mut orders) = (Services::new(ServicesOptions::default()), Vec::new());
    services.register(PeerId(1), b"render", push(1), &mut orders).unwrap();
    services.call(at(0), call(1, 10), &mut orders);
    services.tick(at(10), &mut orders);
    services.call(at(10), call(2, 100_000), &mut orders);
    assert_eq!(services.deadline(), Some(at(60_010)));
    services.tick(at(60_010), &mut orders);
    assert_eq!(delivered(&orders).len(), 2);
}

#[test]
fn calls_are_spread_evenly() {
    let (mut services, mut orders) = (Services::new(ServicesOptions::default()), Vec::new());
    for worker in 1..=4 {
        services.register(PeerId(worker), b"render", push(1000), &mut orders).unwrap();
    }
    for ticket in 0..400 {
        orders.clear();
        services.call(at(0), call(ticket, 1000), &mut orders);
        let [(worker, id)] = delivered(&orders)[..] else { panic!("{orders:?}") };
        if ticket % 3 == 0 {
            services.answer(PeerId(worker), id, Ok(Bytes::new()), &mut orders);
        }
        let view = services.view().next().unwrap();
        let outstanding = view.workers.iter().map(|(_, outstanding)| *outstanding);
        assert!(outstanding.clone().max().unwrap() - outstanding.min().unwrap() <= 1, "{view:?}");
    }
    let idle: Vec<u64> = (0..8)
        .map(|ticket| {
            let mut orders = Vec::new();
            let mut fresh = CallSpec { service: Bytes::from_static(b"other"), ..call(ticket, 1000) };
            fresh.waits_for_service = true;
            if ticket == 0 {
                for worker in 1..=4 {
                    services.register(PeerId(worker), b"other", push(1000), &mut orders).unwrap();
                }
            }
            services.call(at(0), fresh, &mut orders);
            let [(worker, id)] = delivered(&orders)[..] else { panic!("{orders:?}") };
            services.answer(PeerId(worker), id, Ok(Bytes::new()), &mut orders);
            worker
        })
        .collect();
    assert_eq!(idle, [1, 2, 3, 4, 1, 2, 3, 4]);
}

#[test]
fn a_worker_that_pulls_gets_one_call_for_each_time_it_asks() {
    let (mut services, mut orders) = (Services::new(ServicesOptions::default()), Vec::new());
    let pull = Capacity { outstanding_max: 10, is_pull: true };
    assert!(!services.next(PeerId(1), &mut orders));
    services.register(PeerId(1), b"render", pull, &mut orders).unwrap();
    services.register(PeerId(1), b"other", pull, &mut orders).unwrap();
    services.call(at(0), call(1, 1000), &mut orders);
    services.call(at(0), CallSpec { service: Bytes::from_static(b"other"), ..call(2, 1000) }, &mut orders);
    assert!(orders.is_empty());
    assert!(services.next(PeerId(1), &mut orders));
    assert_eq!(delivered(&orders).len(), 1);
    assert!(services.next(PeerId(1), &mut orders));
    assert_eq!(delivered(&orders).len(), 2);
    assert!(services.next(PeerId(1), &mut orders));
    services.stop_asking(PeerId(1));
    services.call(at(0), call(3, 1000), &mut orders);
    assert_eq!(delivered(&orders).len(), 2);
}

#[test]
fn bounds_refuse_and_name_what_they_are() {
    let options = ServicesOptions {
        services_max: 2,
        workers_max: 1,
        waiting_max: 1,
        body_bytes_max: 4,
        name_bytes_max: 6,
        ..ServicesOptions::default()
    };
    let (mut services, mut orders) = (Services::new(options), Vec::new());
    let name = services.register(PeerId(1), b"too long", push(1), &mut orders);
    assert_eq!(name, Err(RegisterError::Name { bytes: 8, bytes_max: 6 }));
    services.register(PeerId(1), b"render", push(1), &mut orders).unwrap();
    let second = services.register(PeerId(2), b"render", push(1), &mut orders);
    assert_eq!(second, Err(RegisterError::TooManyWorkers(1)));
    services.register(PeerId(1), b"b", push(1), &mut orders).unwrap();
    assert_eq!(
        services.register(PeerId(1), b"c", push(1), &mut orders),
        Err(RegisterError::TooManyServices(2))
    );
    services.unregister(PeerId(1), b"b");
    services.register(PeerId(1), b"c", push(1), &mut orders).unwrap();
    for ticket in 0..3 {
        services.call(at(0), call(ticket, 1000), &mut orders);
    }
    services.call(at(0), CallSpec { body: "12345".into(), ..call(3, 1000) }, &mut orders);
    let too_long = CallFailure::TooLong { bytes: 5, bytes_max: 4 };
    assert_eq!(outcomes(&orders), [(2, Err(CallFailure::Busy(1))), (3, Err(too_long))]);
}

#[derive(Debug, Clone)]
enum Step {
    Register(u64, usize, bool),
    Unregister(u64),
    Gone(u64),
    Call(u64, u64, bool),
    Answer(usize, bool),
    Next(u64),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let peer = || 0_u64..5;
    prop_oneof![
        2 => (peer(), 1_usize..4, any::<bool>()).prop_map(|(peer, most, pull)| Step::Register(peer, most, pull)),
        1 => peer().prop_map(Step::Unregister),
        1 => peer().prop_map(Step::Gone),
        6 => (peer(), 0_u64..40, any::<bool>()).prop_map(|(caller, timeout, wait)| Step::Call(caller, timeout, wait)),
        4 => (0_usize..6, any::<bool>()).prop_map(|(place, ok)| Step::Answer(place, ok)),
        2 => peer().prop_map(Step::Next),
        3 => (0_u64..15).prop_map(Step::Pass),
    ]
}

proptest! {
    #[test]
    fn every_call_has_exactly_one_outcome_in_its_time(steps in prop::collection::vec(step(), 0..150)) {
        let options = ServicesOptions { waiting_max: 5, abandoned_after: Duration::from_millis(20), ..ServicesOptions::default() };
        let mut services = Services::new(options);
        let mut now = Tick(0);
        let mut open = BTreeMap::<u64, (u64, Tick)>::new();
        let mut working = Vec::<(PeerId, CallId)>::new();
        let mut given = BTreeSet::new();
        for (ticket, step) in (0_u64..).zip(steps) {
            let mut orders = Vec::new();
            match step {
                Step::Register(peer, outstanding_max, is_pull) => {
                    services.register(PeerId(peer), b"render", Capacity { outstanding_max, is_pull }, &mut orders).unwrap();
                }
                Step::Unregister(peer) => {
                    services.unregister(PeerId(peer), b"render");
                }
                Step::Gone(peer) => {
                    open.retain(|_, (caller, _)| *caller != peer);
                    working.retain(|(worker, _)| worker.0 != peer);
                    services.gone(now, PeerId(peer), &mut orders);
                }
                Step::Call(caller, timeout, waits_for_service) => {
                    open.insert(ticket, (caller, now + Duration::from_millis(timeout)));
                    let spec = CallSpec { caller: PeerId(caller), waits_for_service, ..call(ticket, timeout) };
                    services.call(now, spec, &mut orders);
                }
                Step::Answer(place, is_ok) => {
                    if !working.is_empty() {
                        let (worker, id) = working.swap_remove(place % working.len());
                        let outcome = if is_ok { Ok(Bytes::new()) } else { Err(Bytes::new()) };
                        prop_assert!(services.answer(worker, id, outcome, &mut orders) != Answered::Unknown);
                    }
                }
                Step::Next(peer) => {
                    services.next(PeerId(peer), &mut orders);
                }
                Step::Pass(millis) => {
                    now = now + Duration::from_millis(millis);
                    services.tick(now, &mut orders);
                    prop_assert!(services.deadline().is_none_or(|deadline| deadline > now));
                }
            }
            for order in orders {
                match order {
                    ServiceOrder::Deliver { worker, call, .. } => {
                        prop_assert!(given.insert(call), "a call was given twice");
                        working.push((worker, call));
                    }
                    ServiceOrder::Answer { caller, ticket, .. } => {
                        prop_assert_eq!(open.remove(&ticket).map(|(caller, _)| caller), Some(caller.0));
                    }
                }
            }
            if services.deadline().is_none_or(|deadline| deadline > now) {
                prop_assert!(open.values().all(|(_, deadline)| *deadline > now));
            }
            for view in services.view() {
                prop_assert!(view.waiting <= 5 + 1);
            }
        }
        let mut orders = Vec::new();
        services.tick(now + Duration::from_secs(1), &mut orders);
        services.tick(now + Duration::from_secs(2), &mut orders);
        for order in orders {
            if let ServiceOrder::Answer { ticket, .. } = order {
                prop_assert!(open.remove(&ticket).is_some());
            }
        }
        prop_assert!(open.is_empty(), "{:?} have no outcome", open);
        prop_assert_eq!(services.deadline(), None);
        let counters = services.counters();
        let ended = counters.answered + counters.timed_out + counters.worker_gone + counters.refused + counters.caller_gone;
        prop_assert_eq!(counters.calls, ended);
    }
}

#[test]
fn a_worker_that_stops_asking_is_told_whether_a_call_is_on_its_way_already() {
    let (mut services, mut orders) = (Services::new(ServicesOptions::default()), Vec::new());
    let pull = Capacity { outstanding_max: 1, is_pull: true };
    services.register(PeerId(1), b"render", pull, &mut orders).unwrap();
    assert!(services.next(PeerId(1), &mut orders));
    assert!(services.stop_asking(PeerId(1)), "it asked, and nothing came");
    assert!(!services.stop_asking(PeerId(1)));
    assert!(services.next(PeerId(1), &mut orders));
    services.call(at(0), call(1, 50), &mut orders);
    assert_eq!(delivered(&orders).len(), 1);
    assert!(!services.stop_asking(PeerId(1)), "a call is among the orders");
}

#[test]
fn calls_that_wait_take_no_more_memory_than_they_may() {
    let options = ServicesOptions { waiting_bytes_max: 100, ..ServicesOptions::default() };
    let (mut services, mut orders) = (Services::new(options), Vec::new());
    services.register(PeerId(1), b"render", push(1), &mut orders).unwrap();
    let long = |ticket| CallSpec { body: Bytes::from(vec![0; 60]), ..call(ticket, 50) };
    for ticket in 1..=3 {
        services.call(at(0), long(ticket), &mut orders);
    }
    // The first has its worker, the second waits, the third finds no room.
    assert_eq!(outcomes(&orders), [(3, Err(CallFailure::NoMemory(60)))]);
    assert_eq!(services.waiting_bytes(), 60);
    services.tick(at(50), &mut orders);
    assert_eq!(services.waiting_bytes(), 0, "what has timed out waits no more");
    services.call(at(50), long(4), &mut orders);
    assert_eq!(services.waiting_bytes(), 60);
    services.gone(at(50), CALLER, &mut orders);
    assert_eq!(services.waiting_bytes(), 0, "nor does what its caller gave up");
}
