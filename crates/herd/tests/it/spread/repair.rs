//! What is lost on the way is fetched, and what cannot be is counted.

use std::time::Duration;

use remuda_herd::sim::{ClockSkew, Topology, Weather, WireState, World};
use remuda_herd::spread::{Event, Mode, SpreadOptions};

fn herd(topology: Topology, count: usize, options: &SpreadOptions, weather: Weather) -> World {
    let mut world = World::new(weather, 21);
    for _place in 0..count {
        world.add(options.clone(), ClockSkew::default());
    }
    for pair in topology.pairs(count, 2) {
        world.lay(pair);
    }
    world.run(Duration::from_secs(4));
    world
}

#[test]
fn a_tree_sends_each_node_one_copy_once_it_stands() {
    let options = SpreadOptions { mode: Mode::Tree, ..SpreadOptions::default() };
    let mut world = herd(Topology::Random { degree: 5 }, 60, &options, Weather::default());
    for round in 0..10 {
        let before = world.record.updates;
        world.publish(0, b"t", 10);
        world.run(Duration::from_secs(2));
        let copies = world.record.updates - before;
        if round == 0 {
            assert!(copies > 200, "the first goes everywhere: {copies}");
        }
        if round >= 5 {
            assert_eq!(copies, 59, "round {round}");
        }
    }
}

#[test]
fn a_flood_crosses_each_link_twice_at_most() {
    let options = SpreadOptions { mode: Mode::Flood, ..SpreadOptions::default() };
    let mut world = herd(Topology::Random { degree: 5 }, 60, &options, Weather::default());
    let before = world.record.updates;
    world.publish(0, b"t", 10);
    world.run(Duration::from_secs(2));
    let links = u64::try_from(world.pairs().len()).unwrap();
    let copies = world.record.updates - before;
    assert!(copies >= 59 && copies <= 2 * links - 59, "{copies} copies over {links} links");
}

#[test]
fn when_a_part_of_the_tree_dies_the_rest_gets_everything() {
    let options = SpreadOptions { mode: Mode::Tree, ..SpreadOptions::default() };
    let mut world = herd(Topology::Random { degree: 6 }, 60, &options, Weather::default());
    for _message in 0..5 {
        world.publish(0, b"t", 10);
        world.run(Duration::from_millis(500));
    }
    for place in 20..35 {
        world.crash(place, place % 2 == 0);
        world.publish(0, b"t", 10);
        world.run(Duration::from_millis(30));
    }
    world.run(Duration::from_secs(15));
    let id = world.id(0);
    for place in (1..60).filter(|place| !(20..35).contains(place)) {
        let heard: Vec<u64> = world.record.heard[place][&id].iter().map(|one| one.sequence).collect();
        assert_eq!(heard, (1..=20).collect::<Vec<u64>>(), "at {place}");
    }
}

#[test]
fn a_partition_that_outlasts_what_is_kept_leaves_a_gap_that_is_counted() {
    let options = SpreadOptions { cache_age: Duration::from_secs(10), ..SpreadOptions::default() };
    let mut world = herd(Topology::Line, 4, &options, Weather::default());
    world.publish(0, b"t", 10);
    world.run(Duration::from_secs(1));
    world.set_wire([1, 2], WireState::Cut);
    for _message in 0..30 {
        world.publish(0, b"t", 10);
        world.run(Duration::from_secs(1));
    }
    world.set_wire([1, 2], WireState::Whole);
    world.run(Duration::from_secs(3));
    for place in [2, 3] {
        let heard: Vec<u64> =
            world.record.heard[place][&world.id(0)].iter().map(|one| one.sequence).collect();
        let counters = world.machine(place).unwrap().counters();
        assert_eq!(u64::try_from(heard.len()).unwrap() + counters.lost, 31, "{heard:?}");
        assert!(heard.len() >= 10 && heard.contains(&31) && heard.contains(&1), "{heard:?}");
        let gap = Event::Gap { origin: world.id(0), first: 2, count: counters.lost };
        assert!(world.record.events.iter().any(|(_, node, event)| *node == place && *event == gap));
    }
}

#[test]
fn a_narrow_wire_holds_nobody_else_up_and_what_it_drops_is_counted() {
    let options = SpreadOptions { cache_bytes_max: 200_000, ..SpreadOptions::default() };
    let weather = Weather { bytes_per_second: 100_000, ..Weather::default() };
    let mut world = herd(Topology::Line, 3, &options, weather);
    for _message in 0..1_000 {
        world.publish(0, b"t", 1_000);
        world.run(Duration::from_millis(2));
        let view = world.machine(0).unwrap().view();
        assert!(view.cached_bytes <= 200_000);
        assert!(view.links.iter().all(|link| link.in_flight <= options.link_window + 2_000));
    }
    world.run(Duration::from_secs(20));
    let heard = world.record.heard[1][&world.id(0)].len();
    let (counters, dropped) =
        (world.machine(1).unwrap().counters(), world.machine(0).unwrap().view().links[0].counters.dropped);
    assert!(dropped > 100, "{dropped}");
    assert_eq!(u64::try_from(heard).unwrap() + counters.lost, 1_000);
    assert_eq!(counters.lost, dropped);
    assert_eq!(world.record.disorder(), None);
}

#[test]
fn what_is_fetched_over_a_narrow_wire_comes_once() {
    let weather = Weather { bytes_per_second: 50_000, ..Weather::default() };
    let options = SpreadOptions { link_window: 20_000, ..SpreadOptions::default() };
    let mut world = herd(Topology::Line, 2, &options, weather);
    world.publish(0, b"t", 1_000);
    world.run(Duration::from_secs(1));
    world.set_wire([0, 1], WireState::Cut);
    for _message in 0..300 {
        world.publish(0, b"t", 1_000);
    }
    world.set_wire([0, 1], WireState::Whole);
    world.run(Duration::from_secs(15));
    let heard = world.record.heard[1][&world.id(0)].len();
    assert_eq!(heard, 301);
    assert!(world.record.updates < 330, "{} copies", world.record.updates);
}
