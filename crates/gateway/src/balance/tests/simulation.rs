//! A simulated group with one slow member: what each way to choose does to those who wait longest.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::time::Duration;

use super::super::{
    Acquired, Group, GroupOptions, MemberId, Method, Moment, Outcome, QueueOptions, Random, Ticket,
};

/// Requests of a run; the first tenth is not counted.
const REQUESTS: usize = 40_000;

/// What is simulated.
struct World {
    members: usize,
    /// Requests a member works on at once; more wait at the member.
    workers: usize,
    /// Mean time of an answer, in microseconds.
    service: f64,
    /// How many times slower the last member is.
    slowness: f64,
    /// Mean time between requests, in microseconds.
    gap: f64,
}

/// What happens next.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrival(usize),
    Done(usize, usize),
}

struct Run {
    world: World,
    group: Group,
    random: Random,
    events: BinaryHeap<Reverse<(Moment, Event)>>,
    begun: Vec<Moment>,
    took: Vec<u64>,
    /// At each member: who waits, and how many are worked on.
    queues: Vec<VecDeque<usize>>,
    busy: Vec<usize>,
    tickets: BTreeMap<Ticket, usize>,
}

impl Run {
    fn exponential(&mut self, mean: f64) -> Duration {
        Duration::from_secs_f64(-mean * (1.0 - self.random.unit()).ln() / 1e6)
    }

    fn start(&mut self, now: Moment, request: usize, member: usize) {
        if self.busy[member] == self.world.workers {
            self.queues[member].push_back(request);
            return;
        }
        self.busy[member] += 1;
        let is_slow = member + 1 == self.world.members;
        let mean = self.world.service * if is_slow { self.world.slowness } else { 1.0 };
        let at = now + self.exponential(mean);
        self.events.push(Reverse((at, Event::Done(request, member))));
    }

    fn arrive(&mut self, now: Moment, request: usize) {
        self.begun.push(now);
        match self.group.acquire(now, None, &[]) {
            Acquired::Member(member) => self.start(now, request, member.0),
            Acquired::Wait(ticket) => drop(self.tickets.insert(ticket, request)),
            Acquired::Refused(refusal) => panic!("{refusal}"),
        }
        if request + 1 < REQUESTS {
            let at = now + self.exponential(self.world.gap);
            self.events.push(Reverse((at, Event::Arrival(request + 1))));
        }
    }

    fn done(&mut self, now: Moment, request: usize, member: usize) {
        let took = now.since(self.begun[request]);
        if request > REQUESTS / 10 {
            self.took.push(u64::try_from(took.as_micros()).unwrap());
        }
        self.busy[member] -= 1;
        if let Some(next) = self.queues[member].pop_front() {
            self.start(now, next, member);
        }
        self.group.release(now, MemberId(member), Outcome::Answered(took));
        while let Some((ticket, member)) = self.group.next_grant(now) {
            let request = self.tickets.remove(&ticket).unwrap();
            self.start(now, request, member.0);
        }
    }
}

/// The time in milliseconds that one in a hundred requests exceeds.
fn worst_percent(world: World, options: GroupOptions) -> f64 {
    let members = world.members;
    let mut run = Run {
        group: super::group(members, options),
        random: Random::new(2026),
        events: BinaryHeap::new(),
        begun: Vec::new(),
        took: Vec::new(),
        queues: vec![VecDeque::new(); members],
        busy: vec![0; members],
        tickets: BTreeMap::new(),
        world,
    };
    run.events.push(Reverse((Moment(0), Event::Arrival(0))));
    while let Some(Reverse((now, event))) = run.events.pop() {
        match event {
            Event::Arrival(request) => run.arrive(now, request),
            Event::Done(request, member) => run.done(now, request, member),
        }
    }
    run.took.sort_unstable();
    let worst = run.took[run.took.len() * 99 / 100];
    f64::from(u32::try_from(worst).unwrap()) / 1000.0
}

fn by(method: Method) -> GroupOptions {
    GroupOptions { method, ..GroupOptions::default() }
}

#[test]
fn one_slow_member_drowns_under_round_robin_alone() {
    // Ten members, one of them thirty times slower, each working on sixteen requests at once, 40 % in use.
    let world = || World { members: 10, workers: 16, service: 5_000.0, slowness: 30.0, gap: 75.0 };
    let turns = worst_percent(world(), by(Method::RoundRobin));
    let two = worst_percent(world(), by(Method::Random2));
    let ewma = worst_percent(world(), by(Method::Ewma));
    println!("99 of 100 within: round robin {turns} ms, random2 {two} ms, ewma {ewma} ms");
    assert!(two * 10.0 < turns, "{two} {turns}");
    assert!(ewma <= two * 1.05, "{ewma} {two}");
}

#[test]
fn where_nobody_has_much_to_do_only_time_tells_who_is_slow() {
    // As above, but so few requests that members are idle most of the time, and numbers in hand say nothing.
    let world = || World { members: 10, workers: 16, service: 5_000.0, slowness: 30.0, gap: 2_000.0 };
    let turns = worst_percent(world(), by(Method::RoundRobin));
    let two = worst_percent(world(), by(Method::Random2));
    let ewma = worst_percent(world(), by(Method::Ewma));
    println!("99 of 100 within: round robin {turns} ms, random2 {two} ms, ewma {ewma} ms");
    assert!(two < turns, "{two} {turns}");
    assert!(ewma * 3.0 < two, "{ewma} {two}");
}

#[test]
fn one_queue_for_all_halves_the_tail_of_workers_that_do_one_thing_at_a_time() {
    // Eight members that work on one request at a time, 75 % in use, one of them three times slower.
    let world = || World { members: 8, workers: 1, service: 20_000.0, slowness: 3.0, gap: 3_600.0 };
    let two = worst_percent(world(), by(Method::Random2));
    let queue = QueueOptions { max: 100_000, wait: Duration::from_secs(3600) };
    let one_queue = worst_percent(world(), GroupOptions { concurrency: 1, queue, ..GroupOptions::default() });
    println!("99 of 100 within: random2 {two} ms, one queue {one_queue} ms");
    assert!(one_queue * 1.3 < two, "{one_queue} {two}");
}
