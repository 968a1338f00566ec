//! Keys that end, in any order of anything: all servers end equal within a comparison for each hop, and as the rules say
//! that are written down here a second time.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use remuda_herd::NodeId;
use remuda_herd::replica::{Base, Body, Collection, Expiry, KeyState, Mark, Stamp, decode_change};

use super::super::shelf::Value;
use super::super::world::{BEGAN_MS, Command, World};
use super::options;

#[derive(Clone, Debug)]
enum Event {
    Run(usize, u8, Command),
    Pass(u64),
    Lapse(usize),
    Deliver(usize),
    Lose(usize),
    Cut(Vec<usize>),
    Join,
    Restart(usize),
}

/// Each key has commands of one type, so that the rules for keys of two types do not come in.
fn run() -> impl Strategy<Value = Event> {
    let member = prop_oneof![
        4 => (0u8..4, any::<u8>()).prop_map(|(name, value)| Command::Field(Collection::Hash, name, value)),
        1 => (0u8..4).prop_map(Command::Remove),
    ];
    let number = prop_oneof![
        3 => (-3i8..4).prop_map(Command::Count),
        1 => (0u8..9, prop::option::of(1u64..3_000)).prop_map(|(value, end)| Command::Set(value, end)),
    ];
    let end = || {
        prop_oneof![
            3 => prop::option::weighted(0.7, 1u64..3_000).prop_map(Command::Expire),
            1 => (0u64..60_000).prop_map(Command::ExpireAt),
            1 => Just(Command::Delete),
        ]
    };
    let members = prop_oneof![2 => member, 1 => end()].prop_map(|command| (1, command));
    let numbers = prop_oneof![2 => number, 1 => end()].prop_map(|command| (2, command));
    (0usize..4, prop_oneof![members, numbers]).prop_map(|(at, (key, command))| Event::Run(at, key, command))
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        12 => run(),
        4 => (1u64..2_000).prop_map(Event::Pass),
        4 => (0usize..4).prop_map(Event::Lapse),
        8 => any::<usize>().prop_map(Event::Deliver),
        1 => any::<usize>().prop_map(Event::Lose),
        2 => prop::collection::vec(0usize..2, 4).prop_map(Event::Cut),
        1 => Just(Event::Join),
        1 => (0usize..4).prop_map(Event::Restart),
    ]
}

fn happen(world: &mut World, event: &Event) {
    let count = world.servers.len();
    match event {
        Event::Run(at, key, command) => world.run(at % count, *key, command),
        Event::Pass(ms) => world.pass(*ms),
        Event::Lapse(at) => world.lapse(at % count),
        Event::Deliver(index) if !world.flying.is_empty() => world.deliver(*index, false),
        Event::Lose(index) if !world.flying.is_empty() => {
            let index = index % world.flying.len();
            world.flying.swap_remove(index);
        }
        Event::Deliver(_) | Event::Lose(_) => {}
        Event::Cut(groups) => world.group.copy_from_slice(&groups[..count]),
        Event::Join => world.join(),
        Event::Restart(at) => world.restart(at % count, world.disk(at % count)),
    }
}

/// What the rules say of a key's elements or number, from every change there was.
#[derive(Debug, PartialEq, Eq)]
struct Expected {
    value: Option<Value>,
    end: Option<u64>,
    /// What was written after every end that was ever said is there whatever came of those.
    at_least: Vec<Bytes>,
}

fn end_of(expiry: &Expiry) -> Option<Mark> {
    let at = Mark { stamp: Stamp::at_ms(expiry.at_ms?), node: NodeId(0) };
    Some(at.max(expiry.mark))
}

fn expected(changes: &[KeyState], wall_ms: u64) -> Expected {
    let base = changes.iter().max_by_key(|state| state.mark).expect("it was changed");
    let ends = changes.iter().filter_map(|state| state.expiry).filter(|expiry| expiry.mark >= base.mark);
    let register = ends.clone().max_by_key(|expiry| expiry.mark);
    let register = register.filter(|expiry| expiry.mark > base.mark || matches!(base.base, Base::Whole(_)));
    let over = register.filter(|expiry| expiry.at_ms.is_some_and(|at_ms| at_ms <= wall_ms));
    let floor = over.as_ref().and_then(end_of).map_or(base.mark, |end| end.max(base.mark));
    let last_end = ends.clone().filter_map(|expiry| end_of(&expiry)).fold(base.mark, Mark::max);
    let mut parts: BTreeMap<Bytes, (Mark, Option<Bytes>)> = BTreeMap::new();
    let mut shares = BTreeMap::new();
    for state in changes {
        for element in state.elements.iter().filter(|element| element.mark > floor) {
            let at = parts.entry(element.name.clone()).or_insert((Mark::ZERO, None));
            if element.mark > at.0 {
                *at = (element.mark, element.value.clone());
            }
        }
        for share in &state.shares {
            let at = shares.entry(share.since_mark()).or_insert(*share);
            if share.stamp > at.stamp {
                *at = *share;
            }
        }
    }
    let later = parts.iter().filter(|(_, (mark, value))| *mark > last_end && value.is_some());
    let at_least = later.map(|(name, _)| name.clone()).collect();
    let live: BTreeMap<Bytes, Bytes> =
        parts.into_iter().filter_map(|(name, (_, value))| Some((name, value?))).collect();
    shares.retain(|_, share| share.since_mark() > floor);
    let sum: i64 = shares.values().map(|share| share.sum).sum();
    let value = match &base.base {
        Base::Whole(Body::Text(text)) if base.mark == floor => {
            let number: i64 = std::str::from_utf8(text).unwrap().parse().unwrap();
            Some(Value::Text((number + sum).to_string().into()))
        }
        _ if !live.is_empty() => Some(Value::Parts(Collection::Hash, live)),
        _ => (!shares.is_empty()).then(|| Value::Text(sum.to_string().into())),
    };
    let end = register.filter(|_| over.is_none() && value.is_some()).and_then(|expiry| expiry.at_ms);
    Expected { value, end, at_least }
}

/// Whether an end may have come to pass on some server that another one had voided before by a later word.
fn may_have_lapsed(changes: &[KeyState]) -> bool {
    let base = changes.iter().map(|state| state.mark).max().unwrap_or(Mark::ZERO);
    let ends = changes.iter().filter_map(|state| state.expiry).filter(|expiry| expiry.mark >= base);
    let last = ends.clone().map(|expiry| expiry.mark).max();
    let mut lost = ends.filter(|expiry| Some(expiry.mark) != last);
    lost.any(|expiry| expiry.at_ms.is_some())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(120),
        max_shrink_iters: 4_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn keys_end_as_the_rules_say_and_nothing_later_is_lost(
        count in 2usize..5,
        events in prop::collection::vec(event(), 1..60),
    ) {
        let mut world = World::new(count, options());
        world.join();
        for event in &events {
            happen(&mut world, event);
        }
        world.pass(200_000);
        world.join();
        prop_assert!(world.compare(count), "not equal: {:?}", world.maps());
        let mut changes: BTreeMap<Bytes, Vec<KeyState>> = BTreeMap::new();
        for change in &world.spread {
            let state = decode_change(change).unwrap().state;
            changes.entry(state.key.clone()).or_default().push(state);
        }
        let map = world.servers[0].map.clone();
        for (key, changes) in &changes {
            let expected = expected(changes, BEGAN_MS + world.tick_ms);
            let visible = map.visible();
            let found = visible.get(&(0, key.clone()));
            let names = map.names(key);
            for name in &expected.at_least {
                let name = String::from_utf8_lossy(name).into_owned();
                prop_assert!(names.contains(&name), "{key:?} lost {name}: {found:?} of {changes:?}");
            }
            if may_have_lapsed(changes) {
                continue;
            }
            prop_assert_eq!(found.map(|found| &found.0), expected.value.as_ref(), "{:?}: {:?}", key, changes);
            prop_assert_eq!(found.and_then(|found| found.1), expected.end, "{:?}: {:?}", key, changes);
        }
    }
}
