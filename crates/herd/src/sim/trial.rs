//! One measurement: a herd is built, speaks, loses some of its nodes, and speaks on.

mod report;

use std::time::Duration;

use super::node::ClockSkew;
use super::topology::Topology;
use super::world::{Weather, World};
use crate::spread::random::Random;
use crate::spread::{Input, Mode, SpreadOptions};

pub use report::{Aftermath, Broadcast, Report};

/// What is measured.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Nodes; 1,000.
    pub nodes: usize,
    /// What all chance is from; 1.
    pub seed: u64,
    /// How messages go; [`Mode::Tree`].
    pub mode: Mode,
    /// Who has a link with whom; found by the nodes themselves when `None`.
    pub topology: Option<Topology>,
    /// Who speaks; one node.
    pub senders: Senders,
    /// Messages, one after the other; 30. The second half is what counts as stable.
    pub rounds: usize,
    /// Time between them; 2 s, so that each is alone.
    pub pause: Duration,
    /// Wires; delays from 10 to 50 ms, each wire its own.
    pub weather: Weather,
    /// How many nodes of a hundred are killed at one moment after that; 0.
    pub killed_percent: usize,
    /// Whether their peers are told so by their kernels, or have to notice the silence; told.
    pub is_noticed: bool,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Senders {
    /// Always the same node.
    One,
    /// Another by chance each time.
    Random,
}

/// How long a herd has to find its links: 20 rounds of shuffles.
const GATHERING: Duration = Duration::from_secs(30);
/// Time between messages after nodes were killed.
const BEAT: Duration = Duration::from_millis(200);
/// How long messages go on after nodes were killed.
const AFTERMATH: Duration = Duration::from_secs(20);
/// Nodes that join at once, in hundredths of those that are there.
const GROWTH_PERCENT: usize = 25;

impl Default for Trial {
    fn default() -> Self {
        Self {
            nodes: 1_000,
            seed: 1,
            mode: Mode::Tree,
            topology: None,
            senders: Senders::One,
            rounds: 30,
            pause: Duration::from_secs(2),
            weather: Weather::default(),
            killed_percent: 0,
            is_noticed: true,
        }
    }
}

impl Trial {
    /// Runs it.
    #[must_use]
    pub fn run(&self) -> Report {
        let mut random = Random::new(self.seed ^ 0x7f4a_7c15);
        let mut world = self.herd(&mut random);
        let mut report = Report { nodes: self.nodes, degrees: report::degrees(&world), ..Report::default() };
        for _round in 0..self.rounds {
            let sender = self.sender(&mut random, &world);
            let broadcast = report::measure(&mut world, sender, self.pause);
            report.broadcasts.push(broadcast);
        }
        if self.killed_percent > 0 {
            self.aftermath(&mut world, &mut random, &mut report);
        }
        report.finish(&world);
        report
    }

    /// A herd whose nodes have had the time to know each other.
    fn herd(&self, random: &mut Random) -> World {
        let mut world = World::new(self.weather, self.seed);
        let options = self.options();
        let skew = |random: &mut Random| ClockSkew {
            start: Duration::from_millis(u64::try_from(random.below(1_200_000)).unwrap_or(0)),
            fast_ppm: u32::try_from(random.below(200)).unwrap_or(0),
        };
        if let Some(topology) = self.topology {
            for _node in 0..self.nodes {
                let skew = skew(random);
                world.add(options.clone(), skew);
            }
            for pair in topology.pairs(self.nodes, self.seed) {
                world.lay(pair);
            }
            world.run(GATHERING / 3);
            return world;
        }
        while world.len() < self.nodes {
            let here = world.len();
            let more = (here * GROWTH_PERCENT / 100).max(1).min(self.nodes - here);
            for _node in 0..more {
                let skew = skew(random);
                let place = world.add(options.clone(), skew);
                if here > 0 {
                    let contact = world.id(random.below(here));
                    world.tell(place, Input::Introduce { node: contact, addresses: Vec::new() });
                }
            }
            world.run(Duration::from_secs(1));
        }
        world.run(GATHERING);
        world
    }

    fn options(&self) -> SpreadOptions {
        let is_discovering = self.topology.is_none();
        SpreadOptions {
            mode: self.mode,
            is_discovering,
            // A thousand nodes that all know all of each other say nothing about ten thousand that cannot.
            members_max: if is_discovering { 0 } else { 1_024 },
            ping_every: Duration::from_secs(2),
            suspect_after: Duration::from_secs(5),
            ..SpreadOptions::default()
        }
    }

    fn sender(&self, random: &mut Random, world: &World) -> usize {
        match self.senders {
            Senders::One => 0,
            Senders::Random => random.below(world.len()),
        }
    }

    /// Kills, and speaks on in a quick beat; node 0 lives and speaks.
    fn aftermath(&self, world: &mut World, random: &mut Random, report: &mut Report) {
        let others: Vec<usize> = (1..self.nodes).collect();
        let killed = random.take(others, self.nodes * self.killed_percent / 100);
        for place in &killed {
            world.crash(*place, self.is_noticed);
        }
        let at = world.now();
        let mut spoken = Vec::new();
        while world.now() < at + AFTERMATH {
            spoken.push(report::speak(world, 0));
            world.run(BEAT);
        }
        world.run(AFTERMATH);
        report.repairs(world, at, &spoken);
    }
}
