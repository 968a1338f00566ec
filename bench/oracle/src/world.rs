//! Nodes, links and time.
//!
//! The delay between two nodes is decided by the seed and by who they are, so that it is the same for every protocol. What
//! is sent over a link comes in order.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use crate::node::{Deed, Node, Place, Told};

/// Delays of links: from 10 to 50 ms, each pair its own.
const DELAY_MIN_US: u64 = 10_000;
const DELAY_SPREAD_US: u64 = 40_000;
/// Handshakes of TCP and TLS take so many delays.
const HANDSHAKE_DELAYS: u32 = 4;
/// How long it takes to find that nobody answers.
const UNREACHABLE_AFTER: Duration = Duration::from_millis(500);

/// A herd of one protocol.
#[derive(Debug)]
pub struct World<N: Node> {
    now: Duration,
    seed: u64,
    /// The links there are, and the only ones there can be if `has_links`.
    links: BTreeMap<[Place; 2], Link>,
    has_links: bool,
    nodes: Vec<Option<N>>,
    wakes: Vec<Option<Duration>>,
    heap: BinaryHeap<Reverse<(Duration, u64)>>,
    happenings: BTreeMap<u64, Happening<N::Message>>,
    tickets: u64,
    /// What was said, by its number.
    pub said: Vec<Said>,
    /// Messages that carried what was said, as they came.
    pub payloads: u64,
    /// All others.
    pub others: u64,
}

/// What was said once, and who got it.
#[derive(Debug, Clone)]
pub struct Said {
    /// When.
    pub at: Duration,
    /// For each node that has it, the sender among them: how many links it came over, and when.
    pub reached: BTreeMap<Place, (u32, Duration)>,
    /// How often a node was given it again.
    pub repeated: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Link {
    is_up: bool,
    /// Counts how often it was made: what belongs to an earlier one does not arrive.
    life: u64,
    /// When the last that was sent each way arrives.
    last: [Duration; 2],
}

#[derive(Debug)]
enum Happening<M> {
    Arrive { from: Place, to: Place, life: u64, message: M },
    Up { pair: [Place; 2], made_by: Place },
    Parted { at: Place, from: Place, life: u64 },
    Unreachable { at: Place, target: Place },
    Wake(Place),
}

impl<N: Node> World<N> {
    /// A world without nodes; `has_links`: links are laid, and nodes make none.
    #[must_use]
    pub fn new(seed: u64, has_links: bool) -> Self {
        Self {
            now: Duration::ZERO,
            seed,
            links: BTreeMap::new(),
            has_links,
            nodes: Vec::new(),
            wakes: Vec::new(),
            heap: BinaryHeap::new(),
            happenings: BTreeMap::new(),
            tickets: 0,
            said: Vec::new(),
            payloads: 0,
            others: 0,
        }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Adds a node.
    pub fn add(&mut self) -> Place {
        let place = self.nodes.len();
        self.nodes.push(Some(N::new(place, mixed(self.seed, [place, place]), self.has_links)));
        self.wakes.push(None);
        self.wake_later(place);
        place
    }

    /// Lays a link; the first of the two makes it.
    pub fn lay(&mut self, pair: [Place; 2]) {
        if self.has_links {
            // It carries from the beginning, so that a protocol for which sending is linking finds it.
            self.up(sorted(pair));
        }
        let up = Happening::Up { pair: sorted(pair), made_by: pair[0] };
        self.schedule(self.now + self.delay(pair) * HANDSHAKE_DELAYS, up);
    }

    /// A node as it is, while it lives.
    #[must_use]
    pub fn node(&self, place: Place) -> Option<&N> {
        self.nodes[place].as_ref()
    }

    /// Kills a node: whoever has a link with it is told by its kernel.
    pub fn kill(&mut self, place: Place) {
        self.nodes[place] = None;
        let linked: Vec<[Place; 2]> = self
            .links
            .iter()
            .filter(|(pair, link)| link.is_up && pair.contains(&place))
            .map(|(pair, _)| *pair)
            .collect();
        for pair in linked {
            self.part(pair, place);
        }
    }

    /// A node says something to everybody.
    pub fn say(&mut self, place: Place) {
        let number = u64::try_from(self.said.len()).unwrap_or(u64::MAX);
        let reached = BTreeMap::from([(place, (0, self.now))]);
        self.said.push(Said { at: self.now, reached, repeated: 0 });
        self.tell(place, Told::Say(number));
    }

    /// Tells a node something, and does what it does.
    pub fn tell(&mut self, place: Place, told: Told<N::Message>) {
        let Some(node) = &mut self.nodes[place] else { return };
        let mut deeds = Vec::new();
        node.step(self.now, told, &mut deeds);
        for deed in deeds {
            match deed {
                Deed::Send(to, message) => self.send(place, to, message),
                Deed::Link(to) => self.link(place, to),
                Deed::Part(from) => self.part(sorted([place, from]), place),
                Deed::Deliver { number, from } => self.deliver(place, number, from),
            }
        }
        self.wake_later(place);
    }

    /// Lets time pass.
    pub fn run(&mut self, span: Duration) {
        let until = self.now + span;
        while let Some(Reverse((at, ticket))) =
            self.heap.peek().copied().filter(|Reverse((at, _))| *at <= until)
        {
            self.heap.pop();
            self.now = self.now.max(at);
            if let Some(happening) = self.happenings.remove(&ticket) {
                self.happen(happening);
            }
        }
        self.now = until;
    }

    fn happen(&mut self, happening: Happening<N::Message>) {
        match happening {
            Happening::Arrive { from, to, life, message } => {
                // Also over a link that was ended meanwhile: it was on its way.
                if self.links.get(&sorted([from, to])).is_some_and(|link| link.life == life) {
                    *(if N::is_payload(&message) { &mut self.payloads } else { &mut self.others }) += 1;
                    self.tell(to, Told::Heard(from, message));
                }
            }
            Happening::Up { pair, made_by } => {
                let is_there = pair.iter().all(|place| self.nodes[*place].is_some());
                if is_there && (self.has_links || self.up(pair)) {
                    for (me, peer) in [(pair[0], pair[1]), (pair[1], pair[0])] {
                        self.tell(me, Told::Linked { peer, is_ours: me == made_by });
                    }
                }
            }
            Happening::Parted { at, from, life } => {
                // A link that was made anew meanwhile stays.
                let link = self.links.get(&sorted([at, from]));
                if link.is_none_or(|link| !link.is_up || link.life == life) {
                    self.tell(at, Told::Parted(from));
                }
            }
            Happening::Unreachable { at, target } => self.tell(at, Told::Unreachable(target)),
            Happening::Wake(place) => {
                if self.wakes[place].is_some_and(|wake| wake <= self.now) {
                    self.wakes[place] = None;
                    self.tell(place, Told::Woken);
                }
            }
        }
    }

    /// Brings a link up; `false` when it was.
    fn up(&mut self, pair: [Place; 2]) -> bool {
        let link = self.links.entry(pair).or_default();
        if link.is_up {
            return false;
        }
        *link = Link { is_up: true, life: link.life + 1, last: [self.now; 2] };
        true
    }

    fn send(&mut self, from: Place, to: Place, message: N::Message) {
        let pair = sorted([from, to]);
        let is_up = self.links.get(&pair).is_some_and(|link| link.is_up);
        if !is_up {
            if !N::LINKS_BY_SENDING || self.has_links || self.nodes[to].is_none() {
                // Nobody is there, or no way leads there.
                return self
                    .schedule(self.now + UNREACHABLE_AFTER, Happening::Unreachable { at: from, target: to });
            }
            self.up(pair);
        }
        let delay = self.delay(pair);
        let Some(link) = self.links.get_mut(&pair) else { return };
        let way = usize::from(from > to);
        let at = (self.now + delay).max(link.last[way]);
        link.last[way] = at;
        let life = link.life;
        self.schedule(at, Happening::Arrive { from, to, life, message });
    }

    fn link(&mut self, from: Place, to: Place) {
        if to >= self.nodes.len() || self.nodes[to].is_none() || self.has_links {
            self.schedule(self.now + UNREACHABLE_AFTER, Happening::Unreachable { at: from, target: to });
        } else {
            self.lay([from, to]);
        }
    }

    /// One end closes a link, or dies; the other one sees it after what was sent before. A link that was laid stays.
    fn part(&mut self, pair: [Place; 2], by: Place) {
        let is_dead = self.nodes[by].is_none();
        if self.has_links && !is_dead {
            return;
        }
        let delay = self.delay(pair);
        let Some(link) = self.links.get_mut(&pair).filter(|link| link.is_up) else { return };
        let other = if pair[0] == by { pair[1] } else { pair[0] };
        let (at, life) = ((self.now + delay).max(link.last[usize::from(by > other)]), link.life);
        link.is_up = false;
        self.schedule(at, Happening::Parted { at: other, from: by, life });
    }

    fn deliver(&mut self, place: Place, number: u64, from: Place) {
        let said = usize::try_from(number).ok().and_then(|number| self.said.get_mut(number));
        let Some(said) = said else { return };
        let hops = said.reached.get(&from).map_or(0, |(hops, _)| *hops) + 1;
        match said.reached.entry(place) {
            std::collections::btree_map::Entry::Vacant(free) => {
                free.insert((hops, self.now));
            }
            std::collections::btree_map::Entry::Occupied(_) => said.repeated += 1,
        }
    }

    fn wake_later(&mut self, place: Place) {
        let Some(deadline) = self.nodes[place].as_ref().and_then(Node::deadline) else { return };
        let at = deadline.max(self.now);
        if self.wakes[place].is_none_or(|wake| at < wake) {
            self.wakes[place] = Some(at);
            self.schedule(at, Happening::Wake(place));
        }
    }

    fn schedule(&mut self, at: Duration, happening: Happening<N::Message>) {
        self.tickets += 1;
        self.happenings.insert(self.tickets, happening);
        self.heap.push(Reverse((at, self.tickets)));
    }

    fn delay(&self, pair: [Place; 2]) -> Duration {
        Duration::from_micros(DELAY_MIN_US + mixed(self.seed, sorted(pair)) % DELAY_SPREAD_US)
    }
}

fn sorted([one, other]: [Place; 2]) -> [Place; 2] {
    [one.min(other), one.max(other)]
}

/// A number that a seed and two places decide (the finisher of SplitMix64).
fn mixed(seed: u64, places: [Place; 2]) -> u64 {
    let mut mixed = seed;
    for place in places {
        mixed = (mixed ^ u64::try_from(place).unwrap_or(u64::MAX)).wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
    }
    mixed
}
