//! Whatever happens on the way, servers end equal; and where nothing was lost, as the rules say in a few lines.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use remuda_herd::replica::{Base, Body, Collection, KeyState, Mark, ReplicaOptions, decode_change};

use super::shelf::{Map, Value};
use super::world::{Command, Disk, World};

#[derive(Clone, Debug)]
enum Event {
    Run(usize, u8, Command),
    Deliver(usize),
    Copy(usize),
    Lose(usize),
    Cut(Vec<usize>),
    Join,
    Skew(usize, i64),
    Pass(u64),
    Lapse(usize),
    Save(usize),
    Crash(usize),
    PutBack(usize),
}

fn collection() -> impl Strategy<Value = Collection> {
    prop::sample::select(vec![Collection::Hash, Collection::Set, Collection::SortedSet])
}

fn command(with_ends: bool) -> BoxedStrategy<Command> {
    let endless = prop_oneof![
        4 => (0u8..9).prop_map(|value| Command::Set(value, None)),
        2 => Just(Command::Delete),
        4 => (-3i8..4).prop_map(Command::Count),
        6 => (collection(), 0u8..4, any::<u8>()).prop_map(|(kind, name, value)| Command::Field(kind, name, value)),
        3 => (0u8..4).prop_map(Command::Remove),
        1 => (0u8..9).prop_map(Command::Push),
    ];
    let ending = prop_oneof![
        ((0u8..9), 1u64..3000).prop_map(|(value, lifetime)| Command::Set(value, Some(lifetime))),
        prop::option::weighted(0.7, 1u64..3000).prop_map(Command::Expire),
        (0u64..60_000).prop_map(Command::ExpireAt),
        (0u8..3).prop_map(Command::Rename),
        prop_oneof![8 => Just(Command::Delete), 1 => Just(Command::Flush), 1 => Just(Command::Swap)],
    ];
    if with_ends { prop_oneof![5 => endless, 1 => ending].boxed() } else { endless.boxed() }
}

fn event(with_ends: bool, with_crashes: bool) -> BoxedStrategy<Event> {
    let calm = prop_oneof![
        12 => (0usize..5, 0u8..3, command(with_ends)).prop_map(|(at, key, command)| Event::Run(at, key, command)),
        12 => any::<usize>().prop_map(Event::Deliver),
        2 => any::<usize>().prop_map(Event::Copy),
        2 => any::<usize>().prop_map(Event::Lose),
        1 => prop::collection::vec(0usize..2, 5).prop_map(Event::Cut),
        1 => Just(Event::Join),
        1 => (0usize..5, -600_000i64..600_000).prop_map(|(at, skew)| Event::Skew(at, skew)),
        3 => (1u64..2000).prop_map(Event::Pass),
        3 => (0usize..5).prop_map(Event::Lapse),
    ];
    let crash = prop_oneof![
        (0usize..5).prop_map(Event::Save),
        (0usize..5).prop_map(Event::Crash),
        (0usize..5).prop_map(Event::PutBack),
    ];
    if with_crashes { prop_oneof![10 => calm, 1 => crash].boxed() } else { calm.boxed() }
}

fn play(world: &mut World, events: &[Event]) {
    let count = world.servers.len();
    let mut saved: Vec<Disk> = (0..count).map(|_| Disk::default()).collect();
    for event in events {
        match event {
            Event::Run(at, key, command) => world.run(at % count, *key, command),
            Event::Deliver(index) | Event::Copy(index) if !world.flying.is_empty() => {
                world.deliver(*index, matches!(event, Event::Copy(_)));
            }
            Event::Lose(index) if !world.flying.is_empty() => {
                let index = index % world.flying.len();
                world.flying.swap_remove(index);
            }
            Event::Deliver(_) | Event::Copy(_) | Event::Lose(_) => {}
            Event::Cut(groups) => world.group.copy_from_slice(&groups[..count]),
            Event::Join => world.join(),
            Event::Skew(at, skew_ms) => world.servers[at % count].skew_ms = *skew_ms,
            Event::Pass(ms) => world.pass(*ms),
            Event::Lapse(at) => world.lapse(at % count),
            Event::Save(at) => saved[at % count] = world.disk(at % count),
            Event::Crash(at) => world.restart(at % count, world.disk(at % count)),
            Event::PutBack(at) => {
                // An old copy and a clock before its stamps at once would make the same stamps again.
                world.pass(1_300_000);
                world.restart(at % count, saved[at % count].clone());
            }
        }
    }
}

/// The clocks are set right, and what was stamped by wrong ones has come to pass.
fn calm(world: &mut World) {
    for server in &mut world.servers {
        server.skew_ms = 0;
    }
    world.pass(1_300_000);
}

/// What the rules say a key is, from all changes there ever were.
fn expected(changes: &[KeyState]) -> Option<Value> {
    let base = changes.iter().max_by_key(|state| state.mark)?;
    let mut parts: BTreeMap<(Collection, Bytes), (Mark, Option<Bytes>)> = BTreeMap::new();
    let mut shares = BTreeMap::new();
    for state in changes {
        for element in &state.elements {
            let at = parts.entry((element.collection, element.name.clone())).or_insert((Mark::ZERO, None));
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
    parts.retain(|_, (mark, _)| *mark > base.mark);
    shares.retain(|_, share| share.since_mark() > base.mark);
    let mut newest: BTreeMap<Option<Collection>, Mark> = BTreeMap::new();
    let marks = parts.iter().map(|((kind, _), (mark, _))| (Some(*kind), *mark));
    for (kind, mark) in marks {
        let highest = newest.entry(kind).or_insert(mark);
        *highest = mark.max(*highest);
    }
    if !parts.is_empty() {
        newest.extend(shares.values().map(|share| share.since_mark()).max().map(|mark| (None, mark)));
    }
    let mut order: Vec<Mark> = newest.into_values().collect();
    order.sort_unstable();
    if let Some(second) = order.len().checked_sub(2).map(|at| order[at]) {
        parts.retain(|_, (mark, _)| *mark > second);
        shares.retain(|_, share| share.since_mark() > second);
    }
    // What makes the base newer makes it another one: whatever value it had is void.
    let is_void = !parts.is_empty() || order.len() > 1;
    let live: BTreeMap<Bytes, Bytes> =
        parts.iter().filter_map(|((_, name), (_, value))| Some((name.clone(), value.clone()?))).collect();
    if let Some(((kind, _), _)) = parts.first_key_value().filter(|_| !live.is_empty()) {
        return Some(Value::Parts(*kind, live));
    }
    let sum: i64 = shares.values().map(|share| share.sum).sum();
    match &base.base {
        Base::Whole(Body::Text(text)) if !is_void => {
            let number: i64 = std::str::from_utf8(text).unwrap().parse().unwrap();
            Some(Value::Text((number + sum).to_string().into()))
        }
        Base::Whole(Body::Packed(list)) if !is_void => {
            Some(Value::List(list.split(|byte| *byte == b' ').map(Bytes::copy_from_slice).collect()))
        }
        _ if shares.is_empty() => None,
        _ => Some(Value::Text(sum.to_string().into())),
    }
}

fn options() -> ReplicaOptions {
    ReplicaOptions { message_bytes: 64, recent_min: 8, ..ReplicaOptions::default() }
}

/// Some histories each time; `PROPTEST_CASES` says how many when there is time for more.
fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(80);
    ProptestConfig { cases, max_shrink_iters: 4000, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn servers_end_as_the_rules_say(
        count in 2usize..6,
        events in prop::collection::vec(event(false, false), 1..70),
    ) {
        let mut world = World::new(count, options());
        play(&mut world, &events);
        calm(&mut world);
        prop_assert!(world.heal(), "not equal: {:?}", world.maps());
        let mut changes: BTreeMap<Bytes, Vec<KeyState>> = BTreeMap::new();
        for change in &world.spread {
            let state = decode_change(change).unwrap().state;
            changes.entry(state.key.clone()).or_default().push(state);
        }
        let mut map = Map::default();
        for (key, states) in changes {
            if let Some(value) = expected(&states) {
                map.keys.insert((0, key), (value, None));
            }
        }
        prop_assert_eq!(&world.servers[0].map, &map);
    }

    #[test]
    fn servers_end_equal_whatever_ends_crashes_or_comes_from_old_copies(
        count in 2usize..6,
        events in prop::collection::vec(event(true, true), 1..70),
    ) {
        let mut world = World::new(count, options());
        play(&mut world, &events);
        calm(&mut world);
        prop_assert!(world.heal(), "not equal: {:?}", world.maps());
    }

    #[test]
    fn forgotten_deletions_do_not_keep_servers_from_becoming_equal(
        count in 2usize..5,
        events in prop::collection::vec(event(false, false), 1..70),
        grace_ms in 1u64..5000,
        ended_max in 0usize..4,
    ) {
        let mut world = World::new(count, ReplicaOptions { grace_ms, ended_max, ..options() });
        play(&mut world, &events);
        calm(&mut world);
        prop_assert!(world.heal(), "not equal: {:?}", world.maps());
    }
}
