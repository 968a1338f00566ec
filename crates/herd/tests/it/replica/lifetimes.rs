//! Keys that end: on all servers alike, whatever they learnt when, and without taking what was written after.

mod model;

use remuda_herd::replica::{Collection, Input, ReplicaOptions, Touch, decode_change};

use super::world::{Command, World, id, key};

const KEY: u8 = 1;
/// Longer than any test.
const LONG_MS: u64 = 1_000_000_000;

fn options() -> ReplicaOptions {
    ReplicaOptions { message_bytes: 64, recent_min: 8, ..ReplicaOptions::default() }
}

/// Servers whose links are just cut: the first half here, the others there. All have member 1.
fn parted(servers: usize) -> World {
    let mut world = World::new(servers, options());
    world.join();
    world.run(0, KEY, &add(1));
    world.settle();
    world.pass(300);
    for at in servers / 2..servers {
        world.group[at] = 1;
    }
    world
}

fn add(member: u8) -> Command {
    Command::Field(Collection::Set, member, 0)
}

fn expire(lifetime_ms: u64) -> Command {
    Command::Expire(Some(lifetime_ms))
}

/// Commands with the time that passes before each.
fn play(world: &mut World, story: &[(u64, usize, Command)]) {
    for (ms, at, command) in story {
        world.pass(*ms);
        for server in 0..world.servers.len() {
            world.lapse(server);
        }
        world.run(*at, KEY, command);
        world.settle();
    }
}

/// All links are there again, and each server has compared once for each hop there can be.
fn healed(world: &mut World) -> (Vec<String>, Option<u64>) {
    let hops = world.servers.len();
    world.join();
    assert!(world.compare(hops), "not equal: {:?}", world.maps());
    let map = &world.servers[0].map;
    let end = map.visible().get(&(0, key(KEY))).and_then(|entry| entry.1);
    let names = if map.visible().is_empty() { Vec::new() } else { map.names(&key(KEY)) };
    (names, end)
}

#[test]
fn a_lifetime_that_a_later_deletion_voided_does_not_come_back() {
    let mut world = parted(4);
    play(&mut world, &[(0, 0, expire(20_000)), (100, 2, Command::Delete), (100, 2, add(7))]);
    assert_eq!(healed(&mut world), (vec!["f7".to_owned()], None));
    world.pass(30_000);
    assert_eq!(healed(&mut world), (vec!["f7".to_owned()], None));
}

#[test]
fn what_is_written_after_a_key_has_ended_outlives_its_end_on_every_server() {
    let story = [(0, 2, expire(1_000)), (1_500, 2, add(3)), (100, 0, add(4))];
    let mut world = parted(4);
    play(&mut world, &story);
    assert_eq!(healed(&mut world), (vec!["f3".to_owned(), "f4".to_owned()], None));
    let mut world = parted(4);
    play(&mut world, &story[..2]);
    assert_eq!(healed(&mut world), (vec!["f3".to_owned()], None));
}

#[test]
fn what_is_written_where_an_end_is_not_known_stays_when_it_becomes_known() {
    let mut world = parted(4);
    play(&mut world, &[(0, 2, expire(1_000)), (1_500, 0, add(4))]);
    assert_eq!(healed(&mut world), (vec!["f4".to_owned()], None));
}

#[test]
fn a_write_to_a_key_that_lives_ends_with_it_unless_the_others_hear_of_it_before() {
    let mut world = parted(2);
    play(&mut world, &[(0, 1, expire(2_000)), (100, 0, Command::Delete), (100, 1, add(2))]);
    world.pass(3_000);
    assert_eq!(healed(&mut world), (vec![], None));
    let mut world = parted(2);
    play(&mut world, &[(0, 1, expire(600_000)), (100, 0, Command::Delete), (100, 1, add(2))]);
    assert_eq!(healed(&mut world), (vec!["f2".to_owned()], None));
    world.pass(700_000);
    assert_eq!(healed(&mut world), (vec!["f2".to_owned()], None));
}

#[test]
fn a_value_that_ends_before_the_stamp_it_has_ends() {
    let mut world = World::new(2, options());
    world.run(1, 2, &Command::Set(0, None));
    world.restart(1, world.disk(1));
    world.run(1, KEY, &Command::Set(0, Some(1)));
    let (change, end_ms) = (world.spread.last().unwrap(), world.now(0).wall_ms + 1);
    assert!(decode_change(change).unwrap().mark.stamp.ms() > end_ms, "stamps go on after what was reserved");
    world.pass(1_500);
    assert_eq!(healed(&mut world), (vec![], None));
    assert_eq!(world.servers[0].map.text(&key(KEY)), None);
}

#[test]
fn a_key_that_was_given_more_time_on_the_other_side_comes_back_whole() {
    let mut world = parted(4);
    play(
        &mut world,
        &[(0, 2, expire(1_000)), (1, 0, expire(LONG_MS)), (0, 0, Command::Expire(None)), (1_500, 0, add(2))],
    );
    assert_eq!(healed(&mut world), (vec!["f1".to_owned(), "f2".to_owned()], None));
    let mut world = parted(4);
    play(&mut world, &[(0, 2, expire(1_000)), (1, 0, expire(LONG_MS))]);
    world.pass(1_500);
    let (names, end) = healed(&mut world);
    assert!(names == ["f1"] && end.is_some());
}

#[test]
fn a_key_comes_back_over_several_hops() {
    let mut world = parted(4);
    play(&mut world, &[(0, 1, expire(1_000)), (1, 2, expire(LONG_MS)), (0, 2, Command::Expire(None))]);
    world.pass(1_500);
    for at in 0..4 {
        world.lapse(at);
    }
    // A row of servers: each has a link with the next one.
    world.group.fill(0);
    for (at, other) in [(0, 1), (1, 0), (1, 2), (2, 1), (2, 3), (3, 2)] {
        world.step(at, Input::LinkUp(id(other)));
    }
    world.settle();
    assert!(world.compare(3), "not equal: {:?}", world.maps());
    assert_eq!(world.servers[0].map.names(&key(KEY)), ["f1"]);
}

#[test]
fn news_of_more_time_may_come_after_what_was_written_since() {
    let mut world = parted(2);
    play(&mut world, &[(0, 1, expire(1_000))]);
    world.group.fill(0);
    world.run(0, KEY, &expire(LONG_MS));
    world.run(0, KEY, &Command::Expire(None));
    let persisted = std::mem::take(&mut world.flying);
    world.pass(1_500);
    world.lapse(1);
    world.run(0, KEY, &add(2));
    world.settle();
    assert_eq!(world.servers[1].map.names(&key(KEY)), ["f2"]);
    world.flying = persisted;
    world.settle();
    assert_eq!(healed(&mut world), (vec!["f1".to_owned(), "f2".to_owned()], None));
}

#[test]
fn old_elements_come_back_though_deletions_as_old_are_forgotten() {
    let mut world = World::new(2, ReplicaOptions { grace_ms: 600_000, ..options() });
    world.join();
    world.run(0, KEY, &add(1));
    world.run(0, 2, &Command::Set(1, None));
    world.run(0, 2, &Command::Delete);
    world.settle();
    world.pass(700_000);
    for at in 0..2 {
        world.step(at, Input::Tick);
        assert_eq!(world.servers[at].replica.view().ended, 0, "the deletion is forgotten");
    }
    world.settle();
    world.group[1] = 1;
    play(&mut world, &[(0, 1, expire(1_000)), (1, 0, expire(LONG_MS)), (0, 0, Command::Expire(None))]);
    world.pass(1_500);
    world.lapse(1);
    assert_eq!(healed(&mut world), (vec!["f1".to_owned()], None));
}

#[test]
fn a_counter_that_ended_begins_anew_and_one_that_was_given_time_goes_on() {
    let mut world = World::new(2, options());
    world.join();
    world.run(0, KEY, &Command::Set(10, None));
    world.run(1, KEY, &Command::Count(1));
    world.settle();
    world.group[1] = 1;
    play(&mut world, &[(5, 1, expire(1_000)), (1_500, 1, Command::Count(5))]);
    let text = |world: &World| world.servers[0].map.text(&key(KEY));
    assert!(healed(&mut world).1.is_none());
    assert_eq!(text(&world).as_deref(), Some("5"));

    world.group[1] = 1;
    play(
        &mut world,
        &[
            (5, 1, expire(1_000)),
            (1, 0, expire(LONG_MS)),
            (0, 0, Command::Expire(None)),
            (5, 0, Command::Count(2)),
        ],
    );
    world.pass(1_500);
    world.lapse(1);
    assert!(healed(&mut world).1.is_none());
    assert_eq!(text(&world).as_deref(), Some("7"));
}

/// Server 2's value has ended there, and not elsewhere: it was counted on anew at the same time.
fn counted_while_it_ended() -> World {
    let mut world = World::new(3, options());
    world.join();
    world.run(0, KEY, &Command::Count(0));
    world.pass(1);
    world.run(2, KEY, &Command::Set(10, Some(1)));
    world.run(0, KEY, &Command::Delete);
    world.run(0, KEY, &Command::Count(0));
    world.pass(2);
    world.run(1, KEY, &Command::Count(1));
    world.lapse(2);
    world.settle();
    world
}

fn numbers(world: &World) -> Vec<Option<String>> {
    world.servers.iter().map(|server| server.map.text(&key(KEY))).collect()
}

#[test]
fn a_count_on_a_counter_that_is_still_to_be_fetched_is_one_more_and_no_new_counter() {
    let mut world = counted_while_it_ended();
    assert_eq!(numbers(&world)[2].as_deref(), Some("1"), "what was counted is there before the value is");
    world.run(2, KEY, &Command::Count(4));
    assert_eq!(numbers(&world)[2].as_deref(), Some("5"));
    healed(&mut world);
    assert!(numbers(&world).iter().all(|number| number.as_deref() == Some("15")), "{:?}", numbers(&world));
}

#[test]
fn a_restart_makes_no_value_of_one_that_is_still_to_be_fetched() {
    let mut world = World::new(2, options());
    world.join();
    world.run(0, KEY, &Command::Set(10, None));
    world.settle();
    world.run(1, KEY, &Command::Count(1));
    world.settle();
    world.pass(5);
    world.run(1, KEY, &expire(1_000));
    world.settle();
    world.pass(5);
    world.run(0, KEY, &Command::Expire(None));
    let persisted = std::mem::take(&mut world.flying);
    world.pass(1_500);
    world.lapse(1);
    world.flying = persisted;
    world.settle();
    assert_eq!(numbers(&world)[1].as_deref(), Some("1"));
    world.run(1, KEY, &Command::Count(5));
    world.restart(1, world.disk(1));
    assert_eq!(numbers(&world)[1].as_deref(), Some("6"));
    healed(&mut world);
    assert!(numbers(&world).iter().all(|number| number.as_deref() == Some("16")), "{:?}", numbers(&world));
}

#[test]
fn counts_stay_though_what_they_stand_on_has_ended_wherever_it_was() {
    let mut world = World::new(2, options());
    world.join();
    world.run(1, KEY, &Command::Set(0, None));
    world.run(1, KEY, &Command::ExpireAt(3_955));
    world.run(1, KEY, &expire(1));
    // Of these only the second one comes, so that to count on is to make the key anew, without a lifetime.
    world.flying.swap_remove(2);
    world.flying.swap_remove(0);
    world.pass(1);
    world.deliver(0, false);
    world.run(0, KEY, &Command::Count(2));
    world.join();
    world.run(0, KEY, &Command::Count(3));
    healed(&mut world);
    assert!(numbers(&world).iter().all(|number| number.as_deref() == Some("5")), "{:?}", numbers(&world));
}

#[test]
fn a_lifetime_alone_is_a_difference_that_digests_show() {
    let mut world = parted(2);
    let before = world.servers[0].replica.digest();
    play(&mut world, &[(0, 0, expire(50_000))]);
    assert_ne!(world.servers[0].replica.digest(), before);
    let mut world = World::new(2, options());
    for at in 0..2 {
        world.run(at, KEY, &Command::Set(1, Some(1_000 + at as u64)));
    }
    let digests: Vec<u64> = world.servers.iter().map(|server| server.replica.digest()).collect();
    assert_ne!(digests[0], digests[1]);
}

#[test]
fn a_write_just_before_the_end_by_a_clock_carried_ahead_ends_with_the_key() {
    let mut world = World::new(2, options());
    world.servers[1].skew_ms = 400;
    world.run(1, 9, &Command::Set(1, None));
    world.settle();
    play(&mut world, &[(0, 0, add(1)), (0, 0, expire(100)), (10, 0, add(2))]);
    world.servers[1].skew_ms = 0;
    world.pass(5_000);
    for at in 0..2 {
        world.lapse(at);
    }
    assert_eq!(healed(&mut world).0, Vec::<String>::new());
    assert!(world.is_equal());
}

#[test]
fn an_end_survives_a_restart_and_so_does_what_was_written_since() {
    let mut world = parted(2);
    play(&mut world, &[(0, 1, expire(1_000))]);
    world.pass(1_500);
    world.restart(1, world.disk(1));
    world.lapse(1);
    play(&mut world, &[(10, 1, add(3))]);
    world.restart(1, world.disk(1));
    assert_eq!(healed(&mut world), (vec!["f3".to_owned()], None));
}

#[test]
fn an_end_that_nobody_knew_of_is_told_as_a_deletion() {
    let mut world = World::new(2, options());
    world.run(0, KEY, &add(1));
    world.settle();
    let name = key(KEY);
    world.servers[0].map.keys.clear();
    world.step(0, Input::Local { database: 0, key: &name, touch: Touch::Lapsed });
    world.settle();
    assert!(world.is_equal() && world.servers[1].map.visible().is_empty());
}
