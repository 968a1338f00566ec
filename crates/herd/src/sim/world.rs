//! The world: nodes, wires, and what happens to them.

mod turn;

use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use bytes::Bytes;

use super::batch::messages_of;
use super::happening::{Happening, What};
use super::node::{ClockSkew, Node};
use super::record::Record;
use super::wire::{Wire, WireState};
use crate::spread::random::Random;
use crate::spread::{Input, LinkId, Order, Spread, SpreadOptions, Summary};
use crate::{Epoch, NodeId};

/// How wires behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weather {
    /// Delay of a wire: by chance from this to `delay_max`, and then its own for good.
    pub delay_min: Duration,
    /// See `delay_min`.
    pub delay_max: Duration,
    /// What is added to the delay of each message, by chance up to this; order on a wire is kept.
    pub jitter: Duration,
    /// Bytes a wire carries in a second; as many as come when 0.
    pub bytes_per_second: u64,
    /// How long the ends of a broken wire wait until they try again, by chance from half of this.
    pub redial: Duration,
}

impl Default for Weather {
    fn default() -> Self {
        Self {
            delay_min: Duration::from_millis(10),
            delay_max: Duration::from_millis(50),
            jitter: Duration::ZERO,
            bytes_per_second: 0,
            redial: Duration::from_millis(400),
        }
    }
}

/// A herd and its time.
#[derive(Debug)]
pub struct World {
    pub(crate) now: Duration,
    heap: BinaryHeap<Happening>,
    tickets: u64,
    links: u64,
    pub(crate) nodes: Vec<Node>,
    wires: Vec<Wire>,
    by_id: BTreeMap<NodeId, usize>,
    by_link: BTreeMap<LinkId, (usize, usize)>,
    by_pair: BTreeMap<[usize; 2], usize>,
    random: Random,
    weather: Weather,
    /// What happened.
    pub record: Record,
    scratch: Vec<Order>,
}

impl World {
    /// A world without nodes, at time 0.
    #[must_use]
    pub fn new(weather: Weather, seed: u64) -> Self {
        Self {
            now: Duration::ZERO,
            heap: BinaryHeap::new(),
            tickets: 0,
            links: 0,
            nodes: Vec::new(),
            wires: Vec::new(),
            by_id: BTreeMap::new(),
            by_link: BTreeMap::new(),
            by_pair: BTreeMap::new(),
            random: Random::new(seed),
            weather,
            record: Record::default(),
            scratch: Vec::new(),
        }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Starts a node; its place among the others.
    pub fn add(&mut self, options: SpreadOptions, skew: ClockSkew) -> usize {
        let place = self.nodes.len();
        let mut id = NodeId(self.random.next());
        while self.by_id.contains_key(&id) {
            id = NodeId(self.random.next());
        }
        self.by_id.insert(id, place);
        let wanted = Summary::Everything;
        self.nodes.push(Node { id, epoch: Epoch(0), machine: None, options, skew, wanted, wake: None });
        self.record.heard.push(BTreeMap::new());
        self.record.changes.push(0);
        self.start(place);
        place
    }

    /// Lays a lasting wire between two nodes, whose ends try to connect from now on.
    pub fn lay(&mut self, pair: [usize; 2]) {
        let wire = self.wire(pair, true);
        self.dial_soon(wire);
    }

    /// Starts a node that has crashed, in a new life without memory.
    pub fn start(&mut self, place: usize) {
        let node = &mut self.nodes[place];
        if node.machine.is_some() {
            return;
        }
        node.epoch = Epoch(node.epoch.0 + 1);
        let seed = self.random.next();
        let machine = Spread::new(node.id, node.epoch, node.options.clone(), seed);
        node.machine = Some(machine);
        node.wanted = Summary::Everything;
        node.wake = None;
        self.record.heard[place].clear();
        self.record.changes[place] = 0;
        self.tell(place, Input::Tick);
        // A node that is new has no wires yet.
        let wires = if self.nodes[place].epoch == Epoch(1) { 0 } else { self.wires.len() };
        for wire in 0..wires {
            if self.wires[wire].nodes.contains(&place) && self.wires[wire].is_lasting {
                self.dial_soon(wire);
            }
        }
    }

    /// Kills a node. Its peers are told when `is_noticed`, as by a kernel that lives on; else they hear nothing.
    pub fn crash(&mut self, place: usize, is_noticed: bool) {
        self.nodes[place].machine = None;
        for wire in 0..self.wires.len() {
            let Some(side) = self.wires[wire].nodes.iter().position(|node| *node == place) else { continue };
            if let Some(link) = self.wires[wire].ends[side].take() {
                self.by_link.remove(&link);
                if is_noticed {
                    let line = &self.wires[wire];
                    let (generation, other) = (line.generation, 1 - side);
                    let at = (self.now + line.delay).max(line.last[other]);
                    self.schedule(at, What::Close { wire, generation, side: other });
                }
            }
        }
    }

    /// Changes how the wire between two nodes is.
    pub fn set_wire(&mut self, pair: [usize; 2], state: WireState) {
        let Some(wire) = self.by_pair.get(&sorted(pair)).copied() else { return };
        let before = std::mem::replace(&mut self.wires[wire].state, state);
        match state {
            WireState::Whole if before != WireState::Whole => self.dial_soon(wire),
            WireState::Whole => {}
            WireState::Cut => self.snap(wire),
            // What is on its way is swallowed with all that follows, also after the wire is whole again.
            WireState::Silent => {
                self.wires[wire].generation += 1;
                self.wires[wire].is_dead = true;
            }
        }
    }

    /// Breaks the connection between two nodes, with all that is on its way; the wire stays, and they connect again.
    pub fn break_connection(&mut self, pair: [usize; 2]) {
        if let Some(wire) = self.by_pair.get(&sorted(pair)).copied() {
            self.snap(wire);
        }
    }

    /// The pairs that have a wire.
    #[must_use]
    pub fn pairs(&self) -> Vec<[usize; 2]> {
        self.by_pair.keys().copied().collect()
    }

    /// A node's machine, while it runs.
    #[must_use]
    pub fn machine(&self, place: usize) -> Option<&Spread> {
        self.nodes[place].machine.as_ref()
    }

    /// A node's number.
    #[must_use]
    pub fn id(&self, place: usize) -> NodeId {
        self.nodes[place].id
    }

    /// How many nodes there are, running or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are no nodes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// A node publishes a message of `size` bytes about `topic`.
    pub fn publish(&mut self, place: usize, topic: &'static [u8], size: usize) {
        self.publish_all(place, &[topic], size);
    }

    /// A client of a node publishes a message of `size` bytes about each of these topics at once.
    pub fn publish_all(&mut self, place: usize, topics: &[&'static [u8]], size: usize) {
        let payload = vec![0; size];
        let messages: Vec<(&[u8], &[u8])> = topics.iter().map(|topic| (*topic, &payload[..])).collect();
        self.tell(place, Input::Publish(messages_of(&messages)));
    }

    /// A node's subscribers want what begins with one of `prefixes`.
    pub fn subscribe(&mut self, place: usize, prefixes: &[&'static [u8]]) {
        let summary = Summary::of(prefixes.iter().map(|prefix| Bytes::from_static(prefix)));
        self.nodes[place].wanted = summary.clone();
        self.tell(place, Input::Interest(summary));
    }

    /// Tells a node's machine of something, if it runs.
    pub fn tell(&mut self, place: usize, input: Input) {
        let mut orders = std::mem::take(&mut self.scratch);
        let node = &mut self.nodes[place];
        let local = node.skew.local(self.now);
        if let Some(machine) = &mut node.machine {
            machine.step(local, input, &mut orders);
        }
        let written = self.carry_out(place, &mut orders);
        self.scratch = orders;
        for (link, weight) in written {
            self.tell(place, Input::Sent { link, weight });
        }
        self.wake_later(place);
    }

    /// Lets time pass.
    pub fn run(&mut self, span: Duration) {
        let until = self.now + span;
        while let Some(next) = self.heap.peek()
            && next.at <= until
            && let Some(next) = self.heap.pop()
        {
            self.now = self.now.max(next.at);
            self.happen(next.what);
        }
        self.now = until;
    }

    fn schedule(&mut self, at: Duration, what: What) {
        self.tickets += 1;
        self.heap.push(Happening { at, ticket: self.tickets, what });
    }

    fn wake_later(&mut self, place: usize) {
        let node = &mut self.nodes[place];
        let Some(deadline) = node.machine.as_ref().and_then(Spread::deadline) else { return };
        let at = node.skew.global(deadline).max(self.now);
        if node.wake.is_none_or(|wake| at < wake) {
            node.wake = Some(at);
            self.schedule(at, What::Wake { node: place });
        }
    }

    fn wire(&mut self, pair: [usize; 2], is_lasting: bool) -> usize {
        let pair = sorted(pair);
        if let Some(wire) = self.by_pair.get(&pair) {
            return *wire;
        }
        let (least, most) = (self.weather.delay_min, self.weather.delay_max);
        let delay = least + self.chance(most.saturating_sub(least));
        self.wires.push(Wire::new(pair, delay, is_lasting));
        self.by_pair.insert(pair, self.wires.len() - 1);
        self.wires.len() - 1
    }

    /// A span up to `most`.
    fn chance(&mut self, most: Duration) -> Duration {
        let micros = usize::try_from(most.as_micros()).unwrap_or(usize::MAX);
        Duration::from_micros(u64::try_from(self.random.below(micros + 1)).unwrap_or(0))
    }
}

fn sorted([one, other]: [usize; 2]) -> [usize; 2] {
    [one.min(other), one.max(other)]
}
