//! Keys that end, in any order of anything: all servers end equal within a comparison for each hop, and as the rules say
//! that are written down here a second time.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use proptest::prelude::*;
use remuda_herd::NodeId;
use remuda_herd::replica::{Base, Body, Change, Collection, Expiry, Mark, Stamp, decode_change};

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
    /// What no end took from the server that wrote it: it is there, whatever others let go.
    at_least: BTreeSet<Bytes>,
}

fn end_of(expiry: &Expiry) -> Option<Mark> {
    let at = Mark { stamp: Stamp::at_ms(expiry.at_ms?), node: NodeId(0) };
    Some(at.max(expiry.mark))
}

/// Whether the server that wrote something knew by then that a lifetime was void: it did that itself, or it was the last
/// it had heard of the key. It never ends there what was written so.
fn knew_void(changes: &[Change], write: &Change, expiry: &Expiry) -> bool {
    changes.iter().any(|change| {
        let said = change.state.expiry.map_or(Mark::ZERO, |later| later.mark);
        let is_void = change.state.mark.max(said) > expiry.mark;
        let is_own = change.mark.node == write.mark.node && change.mark < write.mark;
        is_void && (is_own || change.mark == write.over)
    })
}

fn expected(changes: &[Change], wall_ms: u64) -> Expected {
    let base = &changes.iter().max_by_key(|change| change.state.mark).expect("it was changed").state;
    let said: Vec<Expiry> = changes.iter().filter_map(|change| change.state.expiry).collect();
    let register = said.iter().filter(|expiry| expiry.mark >= base.mark).max_by_key(|expiry| expiry.mark);
    let register = register.filter(|expiry| expiry.mark > base.mark || matches!(base.base, Base::Whole(_)));
    let over = register.filter(|expiry| expiry.at_ms.is_some_and(|at_ms| at_ms <= wall_ms));
    let floor = over.and_then(end_of).map_or(base.mark, |end| end.max(base.mark));
    let mut parts: BTreeMap<Bytes, (Mark, Option<Bytes>, &Change)> = BTreeMap::new();
    let mut shares = BTreeMap::new();
    for change in changes {
        for element in change.state.elements.iter().filter(|element| element.mark > floor) {
            let at = parts.entry(element.name.clone()).or_insert((Mark::ZERO, None, change));
            if element.mark > at.0 {
                *at = (element.mark, element.value.clone(), change);
            }
        }
        for share in &change.state.shares {
            let at = shares.entry(share.since_mark()).or_insert(*share);
            if share.stamp > at.stamp {
                *at = *share;
            }
        }
    }
    parts.retain(|_, (_, value, _)| value.is_some());
    let can_take = |expiry: &Expiry, mark: Mark| end_of(expiry).is_some_and(|end| end >= mark);
    let is_safe = |mark: Mark, write: &Change| {
        said.iter().all(|expiry| !can_take(expiry, mark) || knew_void(changes, write, expiry))
    };
    let safe = parts.iter().filter(|(_, (mark, _, write))| is_safe(*mark, write));
    let at_least = safe.map(|(name, _)| name.clone()).collect();
    let live: BTreeMap<Bytes, Bytes> =
        parts.into_iter().filter_map(|(name, (_, value, _))| Some((name, value?))).collect();
    shares.retain(|_, share| share.since_mark() > floor);
    let sum: i64 = shares.values().map(|share| share.sum).sum();
    let value = match &base.base {
        Base::Whole(Body::Text(text)) if over.is_none() => {
            let number: i64 = std::str::from_utf8(text).unwrap().parse().unwrap();
            Some(Value::Text((number + sum).to_string().into()))
        }
        _ if !live.is_empty() => Some(Value::Parts(Collection::Hash, live)),
        _ => (!shares.is_empty()).then(|| Value::Text(sum.to_string().into())),
    };
    let end = register.filter(|_| over.is_none() && value.is_some()).and_then(|expiry| expiry.at_ms);
    Expected { value, end, at_least }
}

/// Whether an end may have come to pass on some server that another one had voided before by a later word: what only that
/// server had is gone then. A base voids an end for what it brings itself, and for what is counted: nothing of that is lost.
fn may_have_lapsed(changes: &[Change], expected: &Expected) -> bool {
    if let Some(Value::Parts(_, live)) = &expected.value {
        return live.len() != expected.at_least.len();
    }
    let base = changes.iter().map(|change| change.state.mark).max().unwrap_or(Mark::ZERO);
    let said = changes.iter().filter_map(|change| change.state.expiry);
    let ends = said.filter(|expiry| expiry.mark >= base);
    let last = ends.clone().map(|expiry| expiry.mark).max();
    let mut lost = ends.filter(|expiry| Some(expiry.mark) != last);
    lost.any(|expiry| expiry.at_ms.is_some())
}

fn names(value: Option<&Value>) -> BTreeSet<Bytes> {
    match value {
        Some(Value::Parts(_, parts)) => parts.keys().cloned().collect(),
        _ => BTreeSet::new(),
    }
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
        let mut changes: BTreeMap<Bytes, Vec<Change>> = BTreeMap::new();
        for change in &world.spread {
            let change = decode_change(change).unwrap();
            changes.entry(change.state.key.clone()).or_default().push(change);
        }
        let map = world.servers[0].map.clone();
        for (key, changes) in &changes {
            let expected = expected(changes, BEGAN_MS + world.tick_ms);
            let visible = map.visible();
            let found = visible.get(&(0, key.clone()));
            let names = names(found.map(|found| &found.0));
            prop_assert!(names.is_superset(&expected.at_least), "{key:?} lost of {expected:?}: {found:?} of {changes:?}");
            if may_have_lapsed(changes, &expected) {
                let most = self::names(expected.value.as_ref());
                prop_assert!(names.is_subset(&most), "{key:?} is more than {expected:?}: {found:?} of {changes:?}");
                continue;
            }
            prop_assert_eq!(found.map(|found| &found.0), expected.value.as_ref(), "{:?}: {:?}", key, changes);
            prop_assert_eq!(found.and_then(|found| found.1), expected.end, "{:?}: {:?}", key, changes);
        }
    }
}
