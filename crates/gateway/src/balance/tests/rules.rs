//! Who is taken, who waits, and what may be tried again.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::{
    Acquired, Attempt, Budget, BudgetOptions, Failure, GroupOptions, MemberId, MemberOptions, Method,
    Outcome, QueueOptions, Refusal, Retry, hash_of, retry,
};
use super::{Group, at, group, ok, take};

fn counts(group: &mut Group, rounds: u64) -> BTreeMap<usize, u64> {
    let mut counts = BTreeMap::new();
    for _ in 0..rounds {
        let member = take(group, at(100));
        *counts.entry(member.0).or_insert(0) += 1;
        group.release(at(100), member, ok());
    }
    counts
}

#[test]
fn round_robin_is_smooth_and_by_weight() {
    let weights = [("a", 5), ("b", 1), ("c", 1)];
    let members = weights.map(|(name, weight)| MemberOptions { name: name.into(), weight });
    let options = GroupOptions { method: Method::RoundRobin, ..GroupOptions::default() };
    let mut group = Group::new(options, members.into(), 1);
    let order: Vec<_> = (0..7).map(|_| take(&mut group, at(0)).0).collect();
    assert_eq!(order, [0, 0, 1, 0, 2, 0, 0]);
}

#[test]
fn idle_members_get_their_share_by_chance() {
    for method in [Method::Random2, Method::Ewma] {
        let members = [("a", 3), ("b", 1)].map(|(name, weight)| MemberOptions { name: name.into(), weight });
        let mut group = Group::new(GroupOptions { method, ..GroupOptions::default() }, members.into(), 7);
        let counts = counts(&mut group, 4000);
        assert!((2800..3200).contains(&counts[&0]), "{method:?} {counts:?}");
    }
}

#[test]
fn of_two_the_less_loaded_is_taken() {
    let mut group = group(2, GroupOptions::default());
    let first = take(&mut group, at(0));
    for _ in 0..50 {
        let next = take(&mut group, at(0));
        assert_ne!(next, first);
        group.release(at(0), next, ok());
    }
}

#[test]
fn a_key_stays_with_its_member_and_only_those_of_a_member_that_goes_move() {
    let options = GroupOptions { method: Method::Hash, ..GroupOptions::default() };
    let mut group = group(5, options);
    let place = |group: &mut Group, key: u64| match group.acquire(at(0), Some(key), &[]) {
        Acquired::Member(member) => member,
        other => panic!("{other:?}"),
    };
    let keys: Vec<u64> = (0_u64..1000).map(|key| hash_of(&key.to_le_bytes())).collect();
    let before: Vec<_> = keys.iter().map(|key| place(&mut group, *key)).collect();
    let spread = (0..5).map(|member| before.iter().filter(|place| place.0 == member).count());
    assert!(spread.clone().all(|count| (140..260).contains(&count)), "{:?}", spread.collect::<Vec<_>>());
    group.drain(at(0), MemberId(3), true);
    let after: Vec<_> = keys.iter().map(|key| place(&mut group, *key)).collect();
    for (before, after) in before.iter().zip(&after) {
        assert!(*before == MemberId(3) || before == after);
        assert_ne!(*after, MemberId(3));
    }
    group.drain(at(0), MemberId(3), false);
    let again: Vec<_> = keys.iter().map(|key| place(&mut group, *key)).collect();
    assert_eq!(before, again);
}

#[test]
fn who_waits_is_served_in_order_by_whoever_becomes_free() {
    let options = GroupOptions {
        concurrency: 1,
        queue: QueueOptions { max: 2, wait: Duration::from_secs(5) },
        ..GroupOptions::default()
    };
    let mut group = group(2, options);
    let (one, two) = (take(&mut group, at(0)), take(&mut group, at(0)));
    assert_ne!(one, two);
    let Acquired::Wait(first) = group.acquire(at(1), None, &[]) else { panic!("not queued") };
    let Acquired::Wait(second) = group.acquire(at(2), None, &[]) else { panic!("not queued") };
    assert_eq!(group.acquire(at(2), None, &[]), Acquired::Refused(Refusal::Full));
    assert_eq!(group.next_grant(at(3)), None);
    group.release(at(3), two, ok());
    assert_eq!(group.next_grant(at(3)), Some((first, two)));
    assert_eq!(group.next_grant(at(3)), None);
    assert_eq!(group.deadline(), Some(at(7)));
    assert_eq!(group.next_expired(at(6)), None);
    assert_eq!(group.next_expired(at(7)), Some(second));
    assert!(!group.give_up(first), "it had its turn");
    assert_eq!(group.view(at(7)).refused, 2);
}

#[test]
fn who_comes_later_does_not_pass_who_waits() {
    let options = GroupOptions { concurrency: 1, ..GroupOptions::default() };
    let mut group = group(1, options);
    let busy = take(&mut group, at(0));
    let Acquired::Wait(first) = group.acquire(at(0), None, &[]) else { panic!("not queued") };
    group.release(at(1), busy, ok());
    assert!(matches!(group.acquire(at(1), None, &[]), Acquired::Wait(_)));
    assert_eq!(group.next_grant(at(1)), Some((first, busy)));
}

#[test]
fn a_group_whose_members_all_drain_refuses() {
    let mut group = group(2, GroupOptions::default());
    group.drain(at(0), MemberId(0), true);
    assert_eq!(take(&mut group, at(0)), MemberId(1));
    group.drain(at(0), MemberId(1), true);
    assert_eq!(group.acquire(at(0), None, &[]), Acquired::Refused(Refusal::Nobody));
    assert!(group.is_draining(MemberId(1)));
}

#[test]
fn a_second_attempt_goes_to_another_member() {
    let mut group = group(3, GroupOptions::default());
    for _ in 0..100 {
        let tried = [MemberId(0), MemberId(2)];
        assert_eq!(group.acquire(at(0), None, &tried), Acquired::Member(MemberId(1)));
    }
    assert!(group.has_other(&[MemberId(0)]));
    let all = [MemberId(0), MemberId(1), MemberId(2)];
    assert!(!group.has_other(&all));
    assert!(matches!(group.acquire(at(0), None, &all), Acquired::Member(_)));
}

#[test]
fn the_budget_is_a_fifth_of_requests_and_ten_a_second() {
    let (mut budget, options) = (Budget::default(), BudgetOptions::default());
    let spent = |budget: &mut Budget, now| (0..10_000).take_while(|_| budget.withdraw(now, &options)).count();
    assert_eq!(spent(&mut budget, at(5)), 100);
    assert_eq!(spent(&mut budget, at(14)), 0, "spent in the last ten seconds");
    assert_eq!(spent(&mut budget, at(15)), 100);
    for _ in 0..1000 {
        budget.deposit(at(16));
    }
    assert_eq!(spent(&mut budget, at(16)), 200);
    assert_eq!(spent(&mut budget, at(4)), 0, "time that goes back gives nothing back");
    assert_eq!(spent(&mut budget, at(90)), 100);
}

fn attempt(failure: Failure) -> Attempt {
    Attempt {
        failure,
        is_idempotent: true,
        is_replayable: true,
        was_sent: true,
        tries: 1,
        stale: 0,
        tries_max: 3,
        has_other: true,
    }
}

#[test]
fn what_may_have_been_done_is_not_done_twice() {
    let unsafe_one = |failure| Attempt { is_idempotent: false, ..attempt(failure) };
    for failure in [Failure::Stale, Failure::Ended, Failure::Late, Failure::Garbage] {
        assert_eq!(retry(&unsafe_one(failure)), Retry::No, "{failure:?}");
    }
    assert_eq!(retry(&Attempt { was_sent: false, ..unsafe_one(Failure::Connect) }), Retry::Other);
}

#[test]
fn what_is_gone_is_not_sent_again() {
    for failure in [Failure::Connect, Failure::Stale, Failure::Ended] {
        assert_eq!(retry(&Attempt { is_replayable: false, ..attempt(failure) }), Retry::No, "{failure:?}");
    }
}

#[test]
fn a_stale_connection_costs_nothing_once_and_others_are_asked_after() {
    assert_eq!(
        retry(&Attempt { stale: 1, has_other: false, tries: 9, ..attempt(Failure::Stale) }),
        Retry::Fresh
    );
    assert_eq!(retry(&Attempt { stale: 2, ..attempt(Failure::Stale) }), Retry::Other);
    assert_eq!(retry(&Attempt { stale: 2, has_other: false, ..attempt(Failure::Stale) }), Retry::No);
    assert_eq!(retry(&attempt(Failure::Ended)), Retry::Other);
    assert_eq!(retry(&Attempt { tries: 3, ..attempt(Failure::Ended) }), Retry::No);
    assert_eq!(retry(&attempt(Failure::Late)), Retry::No, "a slow group is not given twice its load");
}

#[test]
fn a_client_that_goes_away_is_not_held_against_the_member() {
    let mut group = group(4, GroupOptions::default());
    for _ in 0..100 {
        let member = take(&mut group, at(0));
        group.release(at(0), member, Outcome::Abandoned);
    }
    assert!(group.view(at(0)).members.iter().all(|member| !member.is_out && member.failed == 0));
}
