//! What nobody beyond a link wants does not go over it.

use std::time::Duration;

use remuda_herd::sim::{ClockSkew, Topology, Weather, WireState, World};
use remuda_herd::spread::SpreadOptions;

fn line(is_filtering: bool) -> World {
    let mut world = World::new(Weather::default(), 5);
    let options = SpreadOptions { is_filtering, ..SpreadOptions::default() };
    for _place in 0..4 {
        world.add(options.clone(), ClockSkew::default());
    }
    for pair in Topology::Line.pairs(4, 0) {
        world.lay(pair);
    }
    world.subscribe(0, &[]);
    world.subscribe(1, &[b"log"]);
    world.subscribe(2, &[]);
    world.subscribe(3, &[b"news"]);
    world.run(Duration::from_secs(2));
    world
}

fn carried(world: &mut World, topic: &'static [u8]) -> u64 {
    let before = world.record.updates;
    world.publish(0, topic, 10);
    world.run(Duration::from_secs(1));
    world.record.updates - before
}

#[test]
fn a_topic_goes_as_far_as_somebody_wants_it() {
    let mut world = line(true);
    assert_eq!(carried(&mut world, b"weather"), 0);
    assert_eq!(carried(&mut world, b"log.web"), 1);
    assert_eq!(carried(&mut world, b"weather"), 0);
    assert_eq!(carried(&mut world, b"news.sport"), 3);
    let heard = &world.record.heard[3][&world.id(0)];
    assert_eq!(heard.iter().map(|one| (one.sequence, one.hops)).collect::<Vec<_>>(), [(4, 3)]);
    let counters = world.machine(3).unwrap().counters();
    assert_eq!((counters.skipped, counters.lost, counters.holes), (3, 0, 0));
}

#[test]
fn without_the_filter_everything_goes_everywhere_and_is_delivered_where_it_is_wanted() {
    let mut world = line(false);
    assert_eq!(carried(&mut world, b"weather"), 3);
    assert_eq!(carried(&mut world, b"news.sport"), 3);
    assert_eq!(world.machine(3).unwrap().counters().delivered, 1);
}

#[test]
fn changes_of_the_store_go_everywhere() {
    let mut world = line(true);
    let before = world.record.updates;
    world.tell(0, remuda_herd::spread::Input::Change(bytes::Bytes::from_static(b"change")));
    world.run(Duration::from_secs(1));
    assert_eq!(world.record.updates - before, 3);
    assert_eq!(world.record.changes, [0, 1, 1, 1]);
}

#[test]
fn a_new_subscription_is_soon_known_to_all() {
    let mut world = line(true);
    world.subscribe(2, &[b"weather"]);
    world.run(Duration::from_secs(1));
    assert_eq!(carried(&mut world, b"weather"), 2);
    world.subscribe(2, &[]);
    world.run(Duration::from_secs(1));
    assert_eq!(carried(&mut world, b"weather"), 0);
}

#[test]
fn a_way_that_is_cut_is_still_served_for_it_may_be_the_only_one_soon() {
    let mut world = World::new(Weather::default(), 6);
    for _place in 0..4 {
        world.add(SpreadOptions::default(), ClockSkew::default());
    }
    for pair in Topology::Ring.pairs(4, 0) {
        world.lay(pair);
    }
    for place in 0..4 {
        world.subscribe(place, if place == 2 { &[b"news"] } else { &[] });
    }
    world.run(Duration::from_secs(2));
    world.set_wire([2, 3], WireState::Cut);
    world.run(Duration::from_secs(1));
    // On its way to 2 by 1 when that link breaks too: 3 has it, though nobody could be reached through it.
    world.publish(0, b"news", 10);
    world.set_wire([1, 2], WireState::Cut);
    world.set_wire([0, 1], WireState::Cut);
    world.set_wire([2, 3], WireState::Whole);
    world.run(Duration::from_secs(2));
    assert_eq!(world.record.heard[2][&world.id(0)].len(), 1);
}
