//! Who is there: joins, deaths, lives, partitions.

use std::time::Duration;

use remuda_herd::sim::{ClockSkew, Topology, Weather, WireState, World};
use remuda_herd::spread::{Event, Input, SpreadOptions, Standing};

fn herd(topology: Topology, count: usize) -> World {
    let mut world = World::new(Weather::default(), 11);
    for place in 0..count {
        let start = Duration::from_secs(u64::try_from(place).unwrap() * 100);
        world.add(SpreadOptions::default(), ClockSkew { start, fast_ppm: 100 });
    }
    for pair in topology.pairs(count, 3) {
        world.lay(pair);
    }
    world.run(Duration::from_secs(3));
    world
}

/// How `at` sees `of`.
fn standing(world: &World, at: usize, of: usize) -> Option<Standing> {
    let members = world.machine(at).unwrap().view().members;
    members.iter().find(|member| member.node == world.id(of)).map(|member| member.standing)
}

fn all_see(world: &World, of: usize, wanted: Standing) {
    for at in (0..world.len()).filter(|at| *at != of && world.machine(*at).is_some()) {
        assert_eq!(standing(world, at, of), Some(wanted), "{at} about {of} at {:?}", world.now());
    }
}

fn told(world: &World, since: Duration, wanted: &Event) -> usize {
    world.record.events.iter().filter(|(at, _, event)| *at >= since && event == wanted).count()
}

#[test]
fn everybody_knows_everybody_and_how_far_away_they_are() {
    let world = herd(Topology::Line, 6);
    for of in 0..6 {
        all_see(&world, of, Standing::Here);
        assert_eq!(told(&world, Duration::ZERO, &Event::Joined(world.id(of))), 5);
    }
    let view = world.machine(0).unwrap().view();
    let mut distances: Vec<u32> = view.members.iter().map(|member| member.distance).collect();
    distances.sort_unstable();
    assert_eq!(distances, [0, 1, 2, 3, 4, 5]);
    assert!(view.links[0].round_trip.is_some_and(|span| span >= Duration::from_millis(20)));
}

#[test]
fn a_node_that_dies_without_a_word_is_lost_to_all_and_its_new_life_is_known_as_such() {
    let mut world = herd(Topology::Random { degree: 3 }, 20);
    let died = world.now();
    world.crash(7, false);
    world.run(Duration::from_secs(2));
    all_see(&world, 7, Standing::Here);
    world.run(Duration::from_secs(14));
    all_see(&world, 7, Standing::Lost);
    let id = world.id(7);
    assert_eq!(told(&world, died, &Event::Suspected(id)), 19);
    assert_eq!(told(&world, died, &Event::Lost(id)), 19);
    for other in (0..20).filter(|other| *other != 7) {
        assert_eq!(told(&world, died, &Event::Suspected(world.id(other))), 0, "nobody else is doubted");
    }
    world.start(7);
    world.run(Duration::from_secs(3));
    all_see(&world, 7, Standing::Here);
    let epoch = world.machine(7).unwrap().view().epoch;
    assert_eq!(told(&world, died, &Event::Restarted { node: id, epoch }), 19);
    assert_eq!(told(&world, died, &Event::Healed(id)), 19);
}

#[test]
fn a_link_that_falls_silent_is_no_reason_to_doubt_its_ends_while_others_reach_them() {
    let mut world = herd(Topology::Ring, 6);
    let at = world.now();
    world.set_wire([2, 3], WireState::Silent);
    world.run(Duration::from_secs(15));
    for of in 0..6 {
        all_see(&world, of, Standing::Here);
        assert_eq!(told(&world, at, &Event::Suspected(world.id(of))), 0);
    }
    let view = world.machine(0).unwrap().view();
    assert!(view.members.iter().any(|member| member.distance == 3));
    assert_eq!(world.machine(2).unwrap().view().links.len(), 1);
}

#[test]
fn both_sides_of_a_partition_lose_each_other_and_heal() {
    let mut world = herd(Topology::Line, 6);
    let at = world.now();
    world.set_wire([2, 3], WireState::Cut);
    world.run(Duration::from_secs(8));
    assert_eq!(standing(&world, 0, 5), Some(Standing::Lost));
    assert_eq!(standing(&world, 5, 0), Some(Standing::Lost));
    assert_eq!(standing(&world, 0, 2), Some(Standing::Here));
    world.set_wire([2, 3], WireState::Whole);
    world.run(Duration::from_secs(3));
    for of in 0..6 {
        all_see(&world, of, Standing::Here);
        assert_eq!(told(&world, at, &Event::Healed(world.id(of))), 3);
    }
}

#[test]
fn a_node_that_leaves_is_known_to_have_left() {
    let mut world = herd(Topology::Line, 4);
    let at = world.now();
    world.tell(3, Input::Leave);
    world.run(Duration::from_millis(100));
    world.crash(3, true);
    world.run(Duration::from_secs(10));
    all_see(&world, 3, Standing::Left);
    assert_eq!(told(&world, at, &Event::Suspected(world.id(3))), 0);
    world.start(3);
    world.run(Duration::from_secs(3));
    all_see(&world, 3, Standing::Here);
}

#[test]
fn a_node_whose_own_loop_stood_still_accuses_nobody() {
    let mut world = herd(Topology::Line, 3);
    let at = world.now();
    for pair in world.pairs() {
        world.set_wire(pair, WireState::Silent);
    }
    world.run(Duration::from_secs(7));
    let id = world.id(1);
    world.tell(0, Input::Lagged(Duration::from_secs(7)));
    world.run(Duration::from_secs(2));
    assert!(world.machine(0).unwrap().view().links.iter().any(|link| link.peer == id), "it waits on");
    assert!(world.machine(2).unwrap().view().links.is_empty(), "the one that heard nothing does not");
    assert_eq!(world.record.events.iter().filter(|(when, node, _)| *when >= at && *node == 0).count(), 0);
}

#[test]
fn a_herd_larger_than_the_bound_is_known_in_part_and_still_served_whole() {
    let mut world = World::new(Weather::default(), 4);
    let options = SpreadOptions { members_max: 5, ..SpreadOptions::default() };
    for _place in 0..20 {
        world.add(options.clone(), ClockSkew::default());
    }
    for pair in (Topology::Random { degree: 4 }).pairs(20, 9) {
        world.lay(pair);
    }
    world.run(Duration::from_secs(3));
    for place in 0..20 {
        world.subscribe(place, if place % 2 == 0 { &[b"t"] } else { &[] });
    }
    world.run(Duration::from_secs(3));
    for place in 0..20 {
        let view = world.machine(place).unwrap().view();
        assert!(view.members.len() <= 5 + 1 + view.links.len(), "{}", view.members.len());
        assert!(view.is_partial && view.is_tree);
    }
    world.publish(1, b"t", 10);
    world.run(Duration::from_secs(3));
    let reached = (0..20).filter(|place| !world.record.heard[*place].is_empty()).count();
    assert_eq!(reached, 10);
}
