//! Single stories, each told once.

use bytes::Bytes;
use remuda_herd::replica::{
    Collection, Input, KNOWN_MAX, Known, Mark, Message, ReplicaEvent, ReplicaOptions, Scope, Scopes, Shelf,
    Stamp, Stretch, Touch, decode_change,
};
use remuda_herd::{Epoch, NodeId};

use super::shelf::Value;
use super::world::{BEGAN_MS, Command, Disk, Parcel, World, id};

fn world(servers: usize) -> World {
    World::new(servers, ReplicaOptions::default())
}

fn field(name: u8) -> Command {
    Command::Field(Collection::Hash, name, name)
}

/// Leaves a server alone, or brings it back.
fn cut(world: &mut World, server: usize) {
    world.settle();
    world.group[server] = 1;
}

#[test]
fn fields_set_at_the_same_time_on_two_servers_are_both_there() {
    let mut world = world(2);
    world.run(0, 1, &field(1));
    world.run(1, 1, &field(2));
    world.settle();
    assert!(world.is_equal());
    assert_eq!(world.servers[0].map.names(b"key:1"), ["f1", "f2"]);
}

#[test]
fn counts_of_two_servers_add_up_and_a_set_begins_anew() {
    let mut world = world(2);
    world.run(0, 1, &Command::Set(5, None));
    world.settle();
    for server in [0, 1, 1] {
        world.run(server, 1, &Command::Count(2));
    }
    world.settle();
    assert_eq!(world.servers[0].map.text(b"key:1").as_deref(), Some("11"));
    world.pass(1);
    world.run(1, 1, &Command::Set(3, None));
    world.run(1, 1, &Command::Count(1));
    world.settle();
    assert!(world.is_equal());
    assert_eq!(world.servers[0].map.text(b"key:1").as_deref(), Some("4"));
}

#[test]
fn of_three_kinds_at_once_the_same_stays_in_whatever_order_they_come() {
    for order in 0..200_usize {
        let mut world = world(4);
        world.run(0, 1, &Command::Count(1));
        world.pass(5);
        world.run(1, 1, &Command::Push(1));
        world.pass(5);
        world.run(2, 1, &Command::Field(Collection::Hash, 0, 0));
        world.pass(5);
        world.run(0, 1, &Command::Count(1));
        let mut at = order;
        while !world.flying.is_empty() {
            at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            world.deliver(at >> 33, false);
        }
        assert!(world.heal(), "not equal: {:?}", world.maps());
        let value = world.servers[3].map.keys.get(&(0, Bytes::from("key:1"))).map(|(value, _)| value);
        assert!(matches!(value, Some(Value::Parts(Collection::Hash, _))), "order {order}: {value:?}");
    }
}

#[test]
fn an_overwritten_write_is_counted_where_it_was_made() {
    let mut world = world(3);
    world.run(0, 1, &Command::Set(1, None));
    world.pass(5);
    world.run(1, 1, &Command::Set(2, None));
    world.settle();
    world.pass(5);
    world.run(2, 1, &Command::Set(3, None));
    world.settle();
    let lost: Vec<u64> =
        world.servers.iter().map(|server| server.replica.view().figures.concurrent_overwrites).collect();
    assert_eq!(lost, [1, 0, 0], "the third one had seen the second");
    assert!(world.is_equal());
}

#[test]
fn a_clock_an_hour_ahead_carries_nobody_away() {
    let mut world = world(2);
    world.servers[0].skew_ms = 3_600_000;
    world.run(0, 1, &Command::Set(1, None));
    world.settle();
    assert_eq!(world.servers[1].map.text(b"key:1"), None);
    assert_eq!(world.servers[1].replica.view().waiting, 1);
    assert!(matches!(world.servers[1].events[..], [ReplicaEvent::Quarantined { ahead_ms: 3_600_000, .. }]));
    world.run(1, 2, &Command::Set(2, None));
    let stamp = decode_change(world.spread.last().unwrap()).unwrap().mark.stamp;
    assert!(stamp.ms() < BEGAN_MS + 60_000, "the own clock goes on as it was");
    let due = world.servers[1].replica.deadline_tick_ms();
    assert!(due <= world.tick_ms + 3_600_000);
    world.pass(3_599_500);
    world.step(1, Input::Tick);
    assert_eq!(world.servers[1].map.text(b"key:1").as_deref(), Some("1"));
}

#[test]
fn what_a_server_missed_comes_when_it_is_back_and_no_more() {
    let mut world = world(2);
    for key in 0..100 {
        world.run(0, key, &Command::Set(1, None));
    }
    world.settle();
    world.join();
    cut(&mut world, 1);
    world.run(0, 7, &Command::Set(2, None));
    world.run(0, 8, &Command::Delete);
    world.settle();
    world.bytes = 0;
    world.join();
    assert!(world.is_equal());
    assert!(world.bytes < 600, "{} bytes", world.bytes);
    assert_eq!(world.servers[1].map.text(b"key:7").as_deref(), Some("2"));
}

#[test]
fn a_deleted_key_does_not_come_back_though_its_deletion_is_forgotten() {
    let options = ReplicaOptions { grace_ms: 10_000, compare_ms: 1_000, ..ReplicaOptions::default() };
    let mut world = World::new(3, options);
    world.run(0, 1, &Command::Set(1, None));
    world.run(0, 2, &field(1));
    world.run(0, 2, &field(2));
    world.settle();
    world.join();
    cut(&mut world, 2);
    world.run(0, 1, &Command::Delete);
    world.run(0, 2, &Command::Remove(1));
    world.settle();
    world.pass(20_000);
    for server in 0..2 {
        world.step(server, Input::Tick);
    }
    assert_eq!(world.servers[0].replica.view().ended, 0, "nobody remembers");
    assert!(world.heal());
    assert_eq!(world.servers[2].map.text(b"key:1"), None);
    assert_eq!(world.servers[0].map.names(b"key:2"), ["f2"]);
}

#[test]
fn what_an_isolated_server_wrote_is_not_taken_for_deleted_however_long_that_was() {
    let options =
        ReplicaOptions { grace_ms: 10_000, compare_ms: 1_000, ended_max: 0, ..ReplicaOptions::default() };
    let mut world = World::new(3, options);
    world.join();
    cut(&mut world, 2);
    world.run(2, 1, &Command::Set(1, None));
    world.run(0, 3, &Command::Set(1, None));
    world.run(0, 3, &Command::Delete);
    world.settle();
    world.pass(1_000_000);
    assert!(world.heal());
    assert_eq!(world.servers[0].map.text(b"key:1").as_deref(), Some("1"));
}

#[test]
fn a_server_put_back_to_an_old_copy_gets_its_own_later_writes_again() {
    let options = ReplicaOptions { grace_ms: 10_000, compare_ms: 1_000, ..ReplicaOptions::default() };
    let mut world = World::new(2, options);
    world.run(0, 1, &Command::Set(1, None));
    world.settle();
    let old: Disk = world.disk(0);
    world.pass(1_000);
    world.run(0, 1, &Command::Set(2, None));
    world.run(0, 2, &Command::Set(3, None));
    world.settle();
    world.run(1, 3, &Command::Set(4, None));
    world.run(1, 3, &Command::Delete);
    world.settle();
    world.pass(100_000);
    world.restart(0, old);
    world.run(0, 5, &Command::Set(5, None));
    assert!(world.heal());
    assert_eq!(world.servers[1].map.text(b"key:2").as_deref(), Some("3"));
    assert_eq!(world.servers[0].map.text(b"key:1").as_deref(), Some("2"));
}

#[test]
fn what_a_server_counted_after_its_backup_stays_when_it_counts_before_it_hears_of_it() {
    let mut world = world(2);
    world.run(0, 1, &Command::Count(2));
    world.settle();
    let old = world.disk(0);
    world.run(0, 1, &Command::Count(3));
    world.settle();
    world.pass(10_000);
    world.restart(0, old);
    world.run(0, 1, &Command::Count(5));
    world.run(0, 1, &Command::Count(1));
    assert!(world.heal());
    for server in &world.servers {
        assert_eq!(server.map.text(b"key:1").as_deref(), Some("11"));
    }
}

#[test]
fn a_restart_asks_for_nothing_it_has() {
    let mut world = world(2);
    for key in 0..100 {
        world.run(0, key, &Command::Set(1, None));
    }
    world.settle();
    world.join();
    world.restart(0, world.disk(0));
    world.bytes = 0;
    world.join();
    assert!(world.is_equal());
    assert!(world.bytes < 1_000, "{} bytes", world.bytes);
}

#[test]
fn what_is_told_by_half_goes_on_where_it_was() {
    let options = ReplicaOptions { message_bytes: 200, ..ReplicaOptions::default() };
    let mut world = World::new(2, options);
    world.join();
    cut(&mut world, 1);
    for key in 0..100 {
        world.run(0, key, &Command::Set(1, None));
    }
    world.settle();
    world.group.fill(0);
    world.step(1, Input::LinkDown(id(0)));
    world.step(1, Input::LinkUp(id(0)));
    // Begin, Begun, and a little of what was missed.
    for _ in 0..2 {
        world.deliver(0, false);
    }
    world.step(0, Input::Room(id(1), 1_000));
    world.flying.clear();
    let had = world.servers[1].map.keys.len();
    world.bytes = 0;
    world.join();
    assert!(world.is_equal() && had <= 100);
    assert!(world.servers[1].replica.view().figures.repaired >= 100 - had as u64);
}

#[test]
fn an_answer_keeps_to_the_bytes_it_is_granted() {
    let options = ReplicaOptions { message_bytes: 500, ..ReplicaOptions::default() };
    let mut world = World::new(2, options);
    for key in 0..100 {
        world.run(0, key, &Command::Set(1, None));
    }
    world.flying.clear();
    world.step(1, Input::LinkUp(id(0)));
    let Some((_, Parcel::Message(_, begin))) = world.flying.pop() else { panic!("no question") };
    world.step(0, Input::Message(id(1), begin));
    world.flying.clear();
    assert!(world.servers[0].replica.owes(id(1)));
    world.bytes = 0;
    world.step(0, Input::Room(id(1), 2_000));
    assert!((2_000..3_000).contains(&world.bytes), "{} bytes", world.bytes);
    world.step(0, Input::Room(id(1), 0));
    assert!(world.bytes < 3_000);
    assert!(world.servers[0].replica.owes(id(1)));
}

#[test]
fn a_peer_that_falls_silent_is_given_up_and_asked_again() {
    let mut world = world(2);
    world.run(0, 1, &Command::Set(1, None));
    world.flying.clear();
    world.step(1, Input::LinkUp(id(0)));
    world.flying.clear();
    world.pass(30_000);
    world.step(1, Input::Tick);
    assert!(world.servers[1].events.contains(&ReplicaEvent::Abandoned(id(0))));
    world.pass(120_000);
    world.step(0, Input::LinkUp(id(1)));
    world.step(1, Input::Tick);
    world.settle();
    assert!(world.is_equal());
}

#[test]
fn a_check_names_the_keys_that_differ_and_changes_nothing() {
    let mut world = world(2);
    for key in 0..5 {
        world.run(0, key, &Command::Set(1, None));
    }
    world.settle();
    world.group = vec![0, 1];
    world.run(0, 1, &Command::Set(2, None));
    world.run(1, 9, &Command::Set(2, None));
    world.settle();
    world.group.fill(0);
    let before = world.servers[1].map.clone();
    world.step(1, Input::Check(id(0)));
    world.settle();
    let events = &world.servers[1].events;
    let differing: Vec<&Bytes> = events
        .iter()
        .filter_map(|event| if let ReplicaEvent::Differs { key, .. } = event { Some(key) } else { None })
        .collect();
    assert_eq!(differing, [&b"key:9"[..], b"key:1"].map(Bytes::copy_from_slice).iter().collect::<Vec<_>>());
    assert!(events.contains(&ReplicaEvent::Checked { peer: id(0), differing: 2 }));
    assert_eq!(world.servers[1].map, before);
}

#[test]
fn a_check_in_the_middle_of_a_pull_puts_it_off_and_costs_nothing_of_it() {
    for is_checked_twice in [false, true] {
        let mut world = world(2);
        world.group = vec![0, 1];
        world.run(0, 1, &Command::Set(1, None));
        world.settle();
        world.group.fill(0);
        world.step(1, Input::LinkUp(id(0)));
        world.step(1, Input::Check(id(0)));
        if is_checked_twice {
            world.step(1, Input::Check(id(0)));
        }
        world.settle();
        assert!(world.servers[1].events.contains(&ReplicaEvent::Checked { peer: id(0), differing: 1 }));
        assert!(world.is_equal(), "what the pull would have fetched is fetched after the check");
    }
}

#[test]
fn local_keys_stay_where_they_are() {
    let mut world = world(2);
    let key = Bytes::from_static(b"own:1");
    world.servers[0].map.keys.insert((0, key.clone()), (Value::Text("1".into()), None));
    world.step(0, Input::Local { database: 0, key: &key, touch: Touch::Whole });
    assert!(world.flying.is_empty());
    assert_eq!(world.servers[0].replica.view().keys, 0);
}

#[test]
fn servers_with_other_scopes_tell_of_it_and_take_nothing_for_deleted() {
    let mut world = world(2);
    world.step(0, Input::Message(id(1), Message::Refused { pull: 0, scopes: 1 }));
    world.step(0, Input::LinkUp(id(1)));
    let Some((_, Parcel::Message(_, Message::Begin { pull, .. }))) = world.flying.pop() else {
        panic!("no question")
    };
    world.step(0, Input::Message(id(1), Message::Refused { pull, scopes: 1 }));
    assert_eq!(world.servers[0].events, [ReplicaEvent::ScopesDiffer(id(1))]);
    assert!(!world.servers[0].replica.is_pulling(id(1)));
}

#[test]
fn the_longest_prefix_decides_about_a_key() {
    let rules =
        [(&b"a"[..], Scope::Herd), (b"a:b", Scope::Local), (b"a:b:c", Scope::Herd), (b"", Scope::Local)];
    let scopes = Scopes::new(rules, Scope::Herd);
    for (key, scope) in [
        ("a", Scope::Herd),
        ("a:", Scope::Herd),
        ("a:b", Scope::Local),
        ("a:b:b", Scope::Local),
        ("a:b:c", Scope::Herd),
        ("a:b:cd", Scope::Herd),
        ("a:c", Scope::Herd),
        ("b", Scope::Local),
        ("", Scope::Local),
    ] {
        assert_eq!(scopes.of(key.as_bytes()), scope, "{key}");
    }
    assert_ne!(scopes.fingerprint(), Scopes::new(rules, Scope::Local).fingerprint());
}

#[test]
fn a_key_that_is_given_more_time_elsewhere_comes_back() {
    let options = ReplicaOptions { compare_ms: 1_000, ..ReplicaOptions::default() };
    let mut world = World::new(2, options);
    world.run(0, 1, &Command::Set(1, Some(1_000)));
    world.settle();
    world.servers[1].skew_ms = 400;
    world.pass(800);
    world.lapse(1);
    assert_eq!(world.servers[1].map.text(b"key:1"), None, "its clock is ahead");
    world.run(0, 1, &Command::Expire(Some(600_000)));
    world.settle();
    assert!(world.heal());
    assert_eq!(world.servers[1].map.text(b"key:1").as_deref(), Some("1"));
}

#[test]
fn whatever_a_peer_says_out_of_turn_is_passed_over() {
    let mut world = world(1);
    let peer = NodeId(9);
    let messages = [
        Message::Begun {
            pull: 1,
            is_recent: true,
            known: vec![],
            horizon: world_stamp(),
            epoch: Epoch(1),
            root: 1,
        },
        Message::Ask { pull: 1, level: 200, nodes: vec![u32::MAX] },
        Message::Sums { pull: 1, level: 9, sums: vec![(u32::MAX, [1; 16])] },
        Message::AskLeaves { pull: 1, leaves: vec![1; 1_000] },
        Message::Want { pull: 1, hashes: vec![1; 10_000], names_only: false },
        Message::States { pull: 1, states: vec![Bytes::from_static(b"x")], position: 1, is_last: true },
    ];
    for is_begun in [false, true] {
        for message in messages.clone() {
            if is_begun {
                world.step(0, Input::LinkUp(peer));
                world.flying.clear();
            }
            let pull = if is_begun { message.pull() } else { 77 };
            assert!(pull > 0);
            world.step(0, Input::Message(peer, message));
            world.flying.clear();
        }
    }
    world.run(0, 1, &Command::Set(1, None));
    assert_eq!(world.servers[0].map.text(b"key:1").as_deref(), Some("1"));
}

fn world_stamp() -> Stamp {
    Stamp(u64::MAX)
}

/// A client sets a field of a hash.
fn set(world: &mut World, at: usize, key: &[u8], name: &[u8], value: &[u8]) {
    world.servers[at].map.set_element(id(at), 0, key, Collection::Hash, name, value);
    world.step(at, Input::Local { database: 0, key, touch: Touch::Elements(&[name]) });
}

#[test]
fn an_element_that_is_too_large_stays_here_and_the_rest_of_its_key_does_not() {
    let mut world = World::new(2, ReplicaOptions { change_max_bytes: 100, ..ReplicaOptions::default() });
    set(&mut world, 0, b"h", b"small", b"1");
    set(&mut world, 0, b"h", b"grows", b"1");
    set(&mut world, 0, b"h", b"large", &[7; 101]);
    set(&mut world, 0, b"h", b"grows", &[7; 200]);
    world.settle();
    let oversized = |event: &&ReplicaEvent| matches!(event, ReplicaEvent::Oversized { .. });
    assert_eq!(world.servers[0].events.iter().filter(oversized).count(), 2);
    assert_eq!(world.servers[1].map.names(b"h"), ["grows", "small"]);
    assert_eq!(
        world.servers[0].replica.digest(),
        world.servers[1].replica.digest(),
        "nothing is left to be told"
    );
    // Whoever asks for everything gets what can be told.
    world.restart(1, Disk::default());
    world.step(1, Input::LinkUp(id(0)));
    world.settle();
    assert_eq!(world.servers[1].map.names(b"h"), ["small"]);
}

#[test]
fn a_value_that_has_become_too_large_is_told_to_nobody() {
    let mut world = World::new(2, ReplicaOptions { change_max_bytes: 100, ..ReplicaOptions::default() });
    for value in [&b"1"[..], &[7; 101]] {
        world.servers[0]
            .map
            .keys
            .insert((0, Bytes::from("k")), (Value::Text(Bytes::copy_from_slice(value)), None));
        world.step(0, Input::Local { database: 0, key: b"k", touch: Touch::Whole });
    }
    world.settle();
    assert_eq!(world.servers[1].map.text(b"k").as_deref(), Some("1"));
    world.restart(1, Disk::default());
    world.step(1, Input::LinkUp(id(0)));
    world.settle();
    assert_eq!(world.servers[1].map.text(b"k"), None);
}

#[test]
fn a_check_whose_question_or_answer_is_lost_on_its_way_begins_anew() {
    for is_answer in [false, true] {
        let mut world = world(2);
        world.run(0, 1, &Command::Set(1, None));
        world.flying.clear();
        world.step(1, Input::Check(id(0)));
        if is_answer {
            let Some((_, Parcel::Message(_, begin))) = world.flying.pop() else { panic!("no question") };
            world.step(0, Input::Message(id(1), begin));
        }
        world.flying.clear();
        world.pass(1_999);
        world.step(1, Input::Tick);
        assert!(world.flying.is_empty(), "it is not impatient");
        world.pass(1);
        assert_eq!(world.servers[1].replica.deadline_tick_ms(), world.now(0).tick_ms);
        world.step(1, Input::Tick);
        world.settle();
        let checked = ReplicaEvent::Checked { peer: id(0), differing: 1 };
        assert!(world.servers[1].events.contains(&checked), "{:?}", world.servers[1].events);
    }
}

#[test]
fn a_check_of_a_peer_that_says_nothing_begins_anew_some_times_and_ends() {
    let mut world = world(2);
    world.step(1, Input::Check(id(0)));
    let mut asked = 0;
    while world.servers[1].replica.is_pulling(id(0)) {
        asked += world.flying.len();
        world.flying.clear();
        let due = world.servers[1].replica.deadline_tick_ms();
        world.pass(due - world.now(0).tick_ms);
        world.step(1, Input::Tick);
        assert!(asked < 100, "it asks for ever");
    }
    assert!(world.servers[1].events.contains(&ReplicaEvent::Abandoned(id(0))));
    assert_eq!(asked, 15, "every two seconds of thirty");
}

#[test]
fn answers_that_nobody_asked_for_end_a_fetch() {
    for answer in [
        |pull| Message::Sums { pull, level: 0, sums: vec![(0, [1; 16]); 128] },
        |pull| Message::Sums { pull, level: 3, sums: vec![(0, [1; 16]); 128] },
        |pull| Message::Leaves {
            pull,
            leaves: vec![(0, (0..100_000).map(|key| (key, 1)).collect())],
            is_last: false,
        },
    ] {
        let mut world = world(2);
        world.step(0, Input::Compare(id(1)));
        let Some((_, Parcel::Message(_, begin))) = world.flying.pop() else { panic!("no question") };
        let mut told = 0;
        while world.servers[0].replica.is_pulling(id(1)) {
            world.step(0, Input::Message(id(1), answer(begin.pull())));
            told += 1;
            assert!(told < 200, "what nobody asked for is kept for ever");
        }
        assert!(world.servers[0].events.contains(&ReplicaEvent::Abandoned(id(1))));
    }
}

#[test]
fn more_servers_than_can_be_told_of_are_not_known() {
    let stretch = |node| Stretch { node: NodeId(node), after: Stamp(0), upto: Stamp(9) };
    let known = Known::from_stretches((1..=20_000).map(stretch));
    let is_known = |node| known.covers(Mark { stamp: Stamp(5), node: NodeId(node) });
    assert!(is_known(1) && !is_known(20_000));
    assert_eq!(known.stretches().count(), KNOWN_MAX);
}

#[test]
fn databases_are_those_with_keys() {
    let mut world = world(1);
    for database in [0, 3, 7] {
        world.servers[0].map.keys.insert((database, Bytes::from("k")), (Value::Text(Bytes::from("1")), None));
        world.step(0, Input::All { database, is_restored: true });
    }
    world.servers[0].map.keys.remove(&(3, Bytes::from("k")));
    world.step(0, Input::Local { database: 3, key: b"k", touch: Touch::Whole });
    assert_eq!(world.servers[0].replica.databases().into_iter().collect::<Vec<_>>(), [0, 7]);
}
