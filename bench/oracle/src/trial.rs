//! One scenario: a herd that speaks, loses some of its nodes at one moment, and speaks on.

use std::collections::BTreeSet;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use remuda_herd::sim::Topology;

use crate::node::{Node, Place, Told};
use crate::world::{Said, World};

/// What is tried.
#[derive(Debug, Clone, Copy)]
pub struct Trial {
    /// Nodes.
    pub nodes: usize,
    /// What all chance is from.
    pub seed: u64,
    /// Links of each node, laid by chance and the same for every protocol; `None`: nodes find their own.
    pub degree: Option<usize>,
    /// Messages of the first node, one after the other; the second half is what counts as stable.
    pub rounds: usize,
    /// How many nodes of a hundred are killed at one moment after that; never the first.
    pub killed_percent: usize,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// Each message while all were there, with the copies that were sent of it.
    pub stable: Vec<(Said, u64)>,
    /// Each message after nodes were killed; the first 100 ms after.
    pub after: Vec<Said>,
    /// When they were killed.
    pub killed_at: Duration,
    /// Those that lived.
    pub living: BTreeSet<Place>,
    /// Links of each node when the first message went.
    pub peers: Vec<BTreeSet<Place>>,
    /// Messages without a payload for each node and message, in the stable state.
    pub others_per_node: f64,
}

/// How long a herd has to find its links, or to get used to those it was given.
const GATHERING: Duration = Duration::from_secs(70);
/// Nodes that join at once, in hundredths of those that are there, each second.
const GROWTH_PERCENT: usize = 25;
/// Time between messages in the stable state: each is alone.
const PAUSE: Duration = Duration::from_secs(2);
/// The first message after nodes were killed goes this much later.
const SHOCK: Duration = Duration::from_millis(100);
/// Time between messages after that, and how many there are.
const BEAT: Duration = Duration::from_millis(200);
const BEATS: usize = 50;
/// Time for all of them to arrive.
const SETTLING: Duration = Duration::from_secs(30);

impl Trial {
    /// Runs it for one protocol.
    #[must_use]
    pub fn run<N: Node>(&self) -> Outcome {
        let mut world = World::<N>::new(self.seed, self.degree.is_some());
        self.gather(&mut world);
        let peers = (0..self.nodes).map(|place| peers(&world, place)).collect();
        let mut copies = Vec::new();
        let mut others = 0;
        for round in 0..self.rounds {
            let (payloads_before, others_before) = (world.payloads, world.others);
            world.say(0);
            world.run(PAUSE);
            copies.push(world.payloads - payloads_before);
            if round >= self.rounds / 2 {
                others += world.others - others_before;
            }
        }
        let living = self.kill(&mut world);
        let killed_at = world.now();
        world.run(SHOCK);
        for _beat in 0..if self.killed_percent > 0 { BEATS } else { 0 } {
            world.say(0);
            world.run(BEAT);
        }
        world.run(SETTLING);
        let after = world.said.split_off(self.rounds);
        let stable = world
            .said
            .split_off(self.rounds / 2)
            .into_iter()
            .zip(copies.split_off(self.rounds / 2))
            .collect();
        let measured = (self.rounds - self.rounds / 2) * self.nodes;
        let others_per_node = ratio(others, measured);
        Outcome { stable, after, killed_at, living, peers, others_per_node }
    }

    fn gather<N: Node>(&self, world: &mut World<N>) {
        let mut random = StdRng::seed_from_u64(self.seed ^ 0x7f4a_7c15);
        if let Some(degree) = self.degree {
            for _node in 0..self.nodes {
                world.add();
            }
            for pair in (Topology::Random { degree }).pairs(self.nodes, self.seed) {
                world.lay(pair);
            }
        } else {
            let mut here = 0;
            while here < self.nodes {
                let more = (here * GROWTH_PERCENT / 100).clamp(1, self.nodes - here);
                for _node in 0..more {
                    let place = world.add();
                    if here > 0 {
                        world.tell(place, Told::Introduced(random.random_range(0..here)));
                    }
                }
                here += more;
                world.run(Duration::from_secs(1));
            }
        }
        world.run(GATHERING);
    }

    fn kill<N: Node>(&self, world: &mut World<N>) -> BTreeSet<Place> {
        let mut random = StdRng::seed_from_u64(self.seed ^ 0x1ce4_e5b9);
        let mut living: Vec<Place> = (1..self.nodes).collect();
        for _killed in 0..self.nodes * self.killed_percent / 100 {
            let place = living.swap_remove(random.random_range(0..living.len()));
            world.kill(place);
        }
        living.push(0);
        living.into_iter().collect()
    }

    /// Whom a way of given links leads to from the first node, over living ones only: computed without any protocol.
    #[must_use]
    pub fn reachable(&self, living: &BTreeSet<Place>) -> Option<BTreeSet<Place>> {
        let pairs = (Topology::Random { degree: self.degree? }).pairs(self.nodes, self.seed);
        let mut beside = vec![Vec::new(); self.nodes];
        for [one, other] in pairs {
            beside[one].push(other);
            beside[other].push(one);
        }
        let (mut found, mut edge) = (BTreeSet::from([0]), vec![0]);
        while let Some(place) = edge.pop() {
            for next in beside[place].iter().filter(|next| living.contains(next)) {
                if found.insert(*next) {
                    edge.push(*next);
                }
            }
        }
        Some(found)
    }
}

impl Outcome {
    /// Relative message redundancy of each message in the stable state: copies beyond the one each node needs.
    #[must_use]
    pub fn redundancy(&self) -> Vec<f64> {
        let each =
            |(said, copies): &(Said, u64)| ratio(*copies, said.reached.len().saturating_sub(1).max(1)) - 1.0;
        self.stable.iter().map(each).collect()
    }

    /// The most links that each came over in the stable state.
    #[must_use]
    pub fn last_hops(&self) -> Vec<f64> {
        self.stable
            .iter()
            .map(|(said, _)| f64::from(said.reached.values().map(|(hops, _)| *hops).max().unwrap_or(0)))
            .collect()
    }

    /// When the last node had each in the stable state, in milliseconds.
    #[must_use]
    pub fn last_ms(&self) -> Vec<f64> {
        let last = |said: &Said| said.reached.values().map(|(_, at)| *at - said.at).max().unwrap_or_default();
        self.stable.iter().map(|(said, _)| last(said).as_secs_f64() * 1_000.0).collect()
    }

    /// Whom a message after the deaths reached, of those that live, and how many of them within a second.
    #[must_use]
    pub fn reached(&self, number: usize) -> (BTreeSet<Place>, usize) {
        let said = &self.after[number];
        let within = said.reached.values().filter(|(_, at)| *at <= said.at + Duration::from_secs(1)).count();
        (said.reached.keys().copied().collect(), within)
    }

    /// How long after the deaths a message was sent that reached all of `wanted` within a second, as did all after it.
    #[must_use]
    pub fn repaired_after(&self, wanted: usize) -> Option<Duration> {
        let last_bad = (0..self.after.len()).rev().find(|number| self.reached(*number).1 < wanted);
        let good = self.after.get(last_bad.map_or(0, |number| number + 1))?;
        Some(good.at - self.killed_at)
    }
}

fn peers<N: Node>(world: &World<N>, place: Place) -> BTreeSet<Place> {
    world.node(place).map(Node::peers).unwrap_or_default().into_iter().collect()
}

fn ratio(some: u64, all: usize) -> f64 {
    let number = |value: u64| f64::from(u32::try_from(value).unwrap_or(u32::MAX));
    number(some) / number(u64::try_from(all).unwrap_or(u64::MAX).max(1))
}
