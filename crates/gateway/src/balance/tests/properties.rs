//! Whatever happens in whatever order, a group keeps its counts and its promises.

use std::time::Duration;

use proptest::prelude::*;

use super::super::{
    Acquired, Group, GroupOptions, HealthOptions, MemberId, MemberOptions, Method, Moment, Outcome, Probe,
    QueueOptions, Ticket,
};

#[derive(Debug, Clone)]
enum Deed {
    Acquire(Option<u64>),
    Retry(usize),
    Answer(usize),
    Fail(usize),
    Abandon(usize),
    GiveUp(usize),
    Drain(usize, bool),
    Probe(usize, bool),
    Wait(u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        6 => proptest::option::of(any::<u64>()).prop_map(Deed::Acquire),
        1 => any::<usize>().prop_map(Deed::Retry),
        3 => any::<usize>().prop_map(Deed::Answer),
        3 => any::<usize>().prop_map(Deed::Fail),
        1 => any::<usize>().prop_map(Deed::Abandon),
        1 => any::<usize>().prop_map(Deed::GiveUp),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(member, is)| Deed::Drain(member, is)),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(member, is)| Deed::Probe(member, is)),
        2 => (0..20_000_000_u64).prop_map(Deed::Wait),
    ]
}

fn method() -> impl Strategy<Value = Method> {
    prop_oneof![
        Just(Method::Random2),
        Just(Method::Ewma),
        Just(Method::RoundRobin),
        Just(Method::Least),
        Just(Method::Hash)
    ]
}

/// What the shell knows: requests in hand, and who waits.
struct World {
    group: Group,
    now: Moment,
    members: usize,
    concurrency: u32,
    held: Vec<MemberId>,
    waiting: Vec<Ticket>,
}

impl World {
    fn acquire(&mut self, hash: Option<u64>, tried: &[MemberId]) {
        match self.group.acquire(self.now, hash, tried) {
            Acquired::Member(member) => self.held.push(member),
            Acquired::Wait(ticket) => self.waiting.push(ticket),
            Acquired::Refused(_) => {}
        }
    }

    fn release(&mut self, which: usize, outcome: Outcome) {
        if self.held.is_empty() {
            return;
        }
        let member = self.held.swap_remove(which % self.held.len());
        self.group.release(self.now, member, outcome);
    }

    fn carry_out(&mut self, deed: &Deed) {
        match deed {
            Deed::Acquire(hash) => self.acquire(*hash, &[]),
            Deed::Retry(member) => self.acquire(None, &[MemberId(member % self.members)]),
            Deed::Answer(which) => self.release(*which, Outcome::Answered(Duration::from_millis(3))),
            Deed::Fail(which) => self.release(*which, Outcome::Failed),
            Deed::Abandon(which) => self.release(*which, Outcome::Abandoned),
            Deed::GiveUp(which) if !self.waiting.is_empty() => {
                let ticket = self.waiting.remove(which % self.waiting.len());
                assert!(self.group.give_up(ticket));
            }
            Deed::GiveUp(_) => {}
            Deed::Drain(member, is) => self.group.drain(self.now, MemberId(member % self.members), *is),
            Deed::Probe(member, is_good) => {
                let probe = Probe { at: self.now, is_good: *is_good, detail: String::new() };
                self.group.probed(MemberId(member % self.members), probe);
            }
            Deed::Wait(time) => self.now = self.now + Duration::from_micros(*time),
        }
        self.settle();
    }

    fn settle(&mut self) {
        while let Some(ticket) = self.group.next_expired(self.now) {
            assert_eq!(self.waiting.remove(0), ticket, "who came first has waited longest");
        }
        while let Some((ticket, member)) = self.group.next_grant(self.now) {
            assert_eq!(self.waiting.remove(0), ticket, "in order");
            self.held.push(member);
        }
    }

    fn check(&self) {
        let view = self.group.view(self.now);
        assert_eq!(view.waiting, self.waiting.len());
        assert!(view.waiting <= 8);
        for (place, member) in view.members.iter().enumerate() {
            let held = self.held.iter().filter(|held| held.0 == place).count();
            assert_eq!(usize::try_from(member.in_flight).unwrap(), held);
            assert!(self.concurrency == 0 || member.in_flight <= self.concurrency);
        }
        let out = view.members.iter().filter(|member| member.is_out).count();
        assert!(out * 2 <= self.members, "at most half are out");
        let has_room = |member: &super::super::MemberView| {
            !member.is_draining && !member.is_out && !member.is_ill && member.in_flight < self.concurrency
        };
        let is_stuck = !self.waiting.is_empty() && view.members.iter().any(has_room);
        // A member that is tried is not given a second request, and looks like one with room.
        let is_trial = view.members.iter().any(|member| member.ejected > 0);
        assert!(!is_stuck || is_trial, "somebody waits while somebody is free");
        if let Some(deadline) = self.group.deadline()
            && !self.waiting.is_empty()
        {
            assert!(deadline <= self.now + Duration::from_secs(5));
        }
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_group_counts_right_and_nobody_waits_for_the_idle(
        deeds in proptest::collection::vec(deed(), 1..200),
        members in 1..6_usize,
        concurrency in 0..4_u32,
        method in method(),
        seed in any::<u64>(),
    ) {
        let options = GroupOptions {
            method,
            concurrency,
            queue: QueueOptions { max: 8, wait: Duration::from_secs(5) },
            slow_start: Duration::from_secs(30),
            health: Some(HealthOptions::default()),
            ..GroupOptions::default()
        };
        let names = (0..members).map(|number| MemberOptions::new(number.to_string())).collect();
        let group = Group::new(options, names, seed);
        let mut world =
            World { group, now: Moment(0), members, concurrency, held: vec![], waiting: vec![] };
        for deed in &deeds {
            world.carry_out(deed);
            world.check();
        }
    }

    #[test]
    fn the_same_seed_chooses_the_same(seed in any::<u64>(), method in method()) {
        let run = || {
            let mut group = super::group(5, GroupOptions { method, ..GroupOptions::default() });
            let _ = seed;
            (0..50).map(|_| group.acquire(Moment(0), Some(seed), &[])).collect::<Vec<_>>()
        };
        prop_assert_eq!(run(), run());
    }
}
