//! Any herd, any messages, any breaking links, beside a model that knows no links at all: what is published is a list for
//! each node, and everybody who wants it gets that list.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use remuda_herd::sim::{ClockSkew, Topology, Weather, WireState, World};
use remuda_herd::spread::{Mode, SpreadOptions};

const TOPICS: [&[u8]; 4] = [b"news", b"news.sport", b"weather", b"log"];
const WANTS: [&[&[u8]]; 5] = [&[b""], &[b"news"], &[b"weather", b"log"], &[b"news.sport"], &[]];

#[derive(Debug, Clone)]
enum Act {
    Publish { node: usize, topics: Vec<usize> },
    Wait { millis: u64 },
    Break { wire: usize },
    Cut { wire: usize },
    Silence { wire: usize },
    Heal { wire: usize },
    Crash { node: usize, is_noticed: bool },
    Start { node: usize },
}

fn topology() -> impl Strategy<Value = (Topology, usize)> {
    prop_oneof![
        (2..8_usize).prop_map(|count| (Topology::Line, count)),
        (3..8_usize).prop_map(|count| (Topology::Ring, count)),
        (2..7_usize).prop_map(|count| (Topology::Clique, count)),
        (2..12_usize).prop_map(|count| (Topology::Tree, count)),
        (8..16_usize).prop_map(|count| (Topology::Random { degree: 3 }, count)),
        Just((Topology::Talk, 5)),
    ]
}

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![Just(Mode::Auto), Just(Mode::Flood), Just(Mode::Tree)]
}

fn calm() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0..16_usize, prop::collection::vec(0..TOPICS.len(), 1..5))
            .prop_map(|(node, topics)| Act::Publish { node, topics }),
        2 => (0..400_u64).prop_map(|millis| Act::Wait { millis }),
    ]
}

fn stormy() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => calm(),
        2 => (0..32_usize).prop_map(|wire| Act::Break { wire }),
        1 => (0..32_usize).prop_map(|wire| Act::Cut { wire }),
        1 => (0..32_usize).prop_map(|wire| Act::Silence { wire }),
        2 => (0..32_usize).prop_map(|wire| Act::Heal { wire }),
    ]
}

fn deadly() -> impl Strategy<Value = Act> {
    prop_oneof![
        12 => stormy(),
        1 => (0..16_usize, any::<bool>()).prop_map(|(node, is_noticed)| Act::Crash { node, is_noticed }),
        1 => (0..16_usize).prop_map(|node| Act::Start { node }),
    ]
}

/// What is published in a node's life, by the place of its topic: its first message has the number 1.
type Published = Vec<Vec<usize>>;

struct Herd {
    world: World,
    pairs: Vec<[usize; 2]>,
    wants: Vec<usize>,
    published: Published,
}

impl Herd {
    fn new(shape: (Topology, usize), mode: Mode, wants: &[usize], seed: u64) -> Self {
        let (topology, count) = shape;
        let weather = Weather {
            delay_min: Duration::from_millis(1),
            delay_max: Duration::from_millis(40),
            jitter: Duration::from_millis(10),
            ..Weather::default()
        };
        let mut world = World::new(weather, seed);
        let options = SpreadOptions { mode, ..SpreadOptions::default() };
        for place in 0..count {
            let minutes = u64::try_from(place).unwrap() * 7 + seed % 5;
            world.add(options.clone(), ClockSkew { start: Duration::from_secs(60 * minutes), fast_ppm: 150 });
        }
        let pairs = topology.pairs(count, seed);
        for pair in &pairs {
            world.lay(*pair);
        }
        let wants: Vec<usize> = (0..count).map(|place| wants[place % wants.len()]).collect();
        for (place, wanted) in wants.iter().enumerate() {
            world.subscribe(place, WANTS[*wanted]);
        }
        // Everybody has heard of everybody, and of what each wants.
        world.run(Duration::from_secs(3));
        Self { world, pairs, wants, published: vec![Vec::new(); count] }
    }

    fn act(&mut self, act: &Act) {
        let pair = |wire: usize| self.pairs[wire % self.pairs.len()];
        match act {
            Act::Publish { node, topics } => {
                let place = node % self.world.len();
                if self.world.machine(place).is_some() {
                    let texts: Vec<&'static [u8]> = topics.iter().map(|topic| TOPICS[*topic]).collect();
                    self.world.publish_all(place, &texts, 20);
                    self.published[place].extend(topics);
                }
            }
            Act::Wait { millis } => self.world.run(Duration::from_millis(*millis)),
            Act::Break { wire } => self.world.break_connection(pair(*wire)),
            Act::Cut { wire } => self.world.set_wire(pair(*wire), WireState::Cut),
            Act::Silence { wire } => self.world.set_wire(pair(*wire), WireState::Silent),
            Act::Heal { wire } => self.world.set_wire(pair(*wire), WireState::Whole),
            Act::Crash { node, is_noticed } => {
                let place = node % self.world.len();
                self.world.crash(place, *is_noticed);
                self.published[place].clear();
            }
            Act::Start { node } => {
                let place = node % self.world.len();
                self.world.start(place);
                self.world.subscribe(place, WANTS[self.wants[place]]);
            }
        }
    }

    fn heal(&mut self) {
        for pair in self.pairs.clone() {
            self.world.set_wire(pair, WireState::Whole);
        }
        for place in 0..self.world.len() {
            self.world.start(place);
            self.world.subscribe(place, WANTS[self.wants[place]]);
        }
        // Long enough to notice what was silent, and to repair; shorter than messages are kept.
        self.world.run(Duration::from_secs(20));
    }

    /// What everybody should have got, by the model.
    fn expected(&self, listener: usize) -> BTreeMap<usize, Vec<u64>> {
        let is_wanted =
            |topic: usize| WANTS[self.wants[listener]].iter().any(|want| TOPICS[topic].starts_with(want));
        let mut expected = BTreeMap::new();
        for (place, topics) in self.published.iter().enumerate().filter(|(place, _)| *place != listener) {
            let wanted = topics.iter().zip(1_u64..).filter(|(topic, _)| is_wanted(**topic));
            let numbers: Vec<u64> = wanted.map(|(_, number)| number).collect();
            if !numbers.is_empty() {
                expected.insert(place, numbers);
            }
        }
        expected
    }

    fn got(&self, listener: usize) -> BTreeMap<usize, Vec<u64>> {
        let heard = &self.world.record.heard[listener];
        let places =
            (0..self.world.len()).filter_map(|place| Some((place, heard.get(&self.world.id(place))?)));
        places.map(|(place, heard)| (place, heard.iter().map(|one| one.sequence).collect())).collect()
    }

    fn check_equal(&self) -> Result<(), TestCaseError> {
        for place in 0..self.world.len() {
            prop_assert_eq!(self.got(place), self.expected(place), "what node {} got", place);
            let counters = self.world.machine(place).unwrap().counters();
            prop_assert_eq!(counters.lost, 0, "losses at node {}", place);
        }
        Ok(())
    }

    fn check_sound(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.world.record.disorder(), None);
        prop_assert_eq!(self.world.record.malformed, 0);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn everybody_gets_what_it_wants_once_and_in_order(
        shape in topology(), mode in mode(), wants in prop::collection::vec(0..WANTS.len(), 1..6),
        acts in prop::collection::vec(calm(), 1..60), seed in any::<u64>(),
    ) {
        let mut herd = Herd::new(shape, mode, &wants, seed);
        for act in &acts {
            herd.act(act);
        }
        herd.world.run(Duration::from_secs(3));
        herd.check_sound()?;
        herd.check_equal()?;
        prop_assert_eq!(herd.world.record.unwanted, 0, "nobody's wishes changed");
    }

    #[test]
    fn links_that_break_and_come_back_lose_nothing(
        shape in topology(), mode in mode(), wants in prop::collection::vec(0..WANTS.len(), 1..6),
        acts in prop::collection::vec(stormy(), 1..60), seed in any::<u64>(),
    ) {
        let mut herd = Herd::new(shape, mode, &wants, seed);
        for act in &acts {
            herd.act(act);
        }
        herd.heal();
        herd.check_sound()?;
        herd.check_equal()?;
    }

    #[test]
    fn nodes_that_die_and_live_again_never_break_the_order(
        shape in topology(), mode in mode(), wants in prop::collection::vec(0..WANTS.len(), 1..6),
        acts in prop::collection::vec(deadly(), 1..60), seed in any::<u64>(),
    ) {
        let mut herd = Herd::new(shape, mode, &wants, seed);
        for act in &acts {
            herd.act(act);
        }
        herd.heal();
        herd.check_sound()?;
        // All that was is forgiven once all live: what is said from now on reaches everybody.
        let before: Vec<_> = (0..herd.world.len()).map(|place| herd.got(place)).collect();
        for (node, topic) in (0..herd.world.len()).zip((0..TOPICS.len()).cycle()) {
            herd.act(&Act::Publish { node, topics: vec![topic] });
        }
        herd.world.run(Duration::from_secs(3));
        herd.check_sound()?;
        for (place, before) in before.iter().enumerate() {
            let wants = WANTS[herd.wants[place]];
            let (got, empty) = (herd.got(place), Vec::new());
            for (origin, topic) in (0..herd.world.len()).zip((0..TOPICS.len()).cycle()) {
                let is_wanted = origin != place && wants.iter().any(|want| TOPICS[topic].starts_with(want));
                let new = got.get(&origin).unwrap_or(&empty).len() - before.get(&origin).unwrap_or(&empty).len();
                prop_assert_eq!(new, usize::from(is_wanted), "from {} at {}", origin, place);
            }
        }
    }
}
