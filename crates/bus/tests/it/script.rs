//! Scripts: what is published, and what each member gets.

use std::time::Duration;

use bytes::Bytes;
use remuda_bus::{
    Bus, BusOptions, Encoding, Filter, FilterKind, JoinError, MemberId, Membership, Origin, Overflow,
    QueueLimits, Reserved, RingSpec, Role, SubscribeError,
};

use crate::world::{at, batch, one, read, read_text, subscriber};

fn bus_of(members: &[(Encoding, &[Filter])]) -> Bus {
    let mut bus = Bus::new(BusOptions::default());
    for (id, (encoding, filters)) in (1..).zip(members) {
        bus.join(MemberId(id), subscriber(*encoding, id)).unwrap();
        for filter in *filters {
            bus.subscribe(MemberId(id), filter.clone()).unwrap();
        }
    }
    bus
}

fn prefix(text: &'static str) -> Filter {
    Filter::Prefix(Bytes::from_static(text.as_bytes()))
}

fn channel(text: &'static str) -> Filter {
    Filter::Channel(Bytes::from_static(text.as_bytes()))
}

fn pattern(text: &'static str) -> Filter {
    Filter::Pattern(Bytes::from_static(text.as_bytes()))
}

fn sequenced(text: &'static str) -> Filter {
    Filter::Sequenced(Bytes::from_static(text.as_bytes()))
}

#[test]
fn a_zmtp_member_gets_a_message_once_however_many_of_its_prefixes_fit() {
    let mut bus = bus_of(&[(Encoding::Zmtp, &[prefix(""), prefix("a"), prefix("a.b")])]);
    let published = bus.publish(Origin(9), &batch(&[["a.b", "x"], ["c", "y"]]));
    assert_eq!(published.receivers, 2);
    assert_eq!(read_text(&mut bus, 1), "\x01\x03a.b\0\x01x\x01\x01c\0\x01y");
}

#[test]
fn a_prefix_may_reach_into_the_payload_of_a_single_frame() {
    let mut bus = bus_of(&[(Encoding::Zmtp, &[prefix("a hel")])]);
    assert_eq!(bus.publish(Origin(9), &batch(&[["a hello"], ["a hallo"], ["a help!"]])).receivers, 2);
    assert_eq!(bus.publish(Origin(9), &batch(&[["a", "hello"]])).receivers, 0);
}

#[test]
fn a_prefix_subscribed_twice_needs_two_cancels() {
    let mut bus = bus_of(&[(Encoding::Zmtp, &[prefix("a"), prefix("a")])]);
    assert!(!bus.unsubscribe(MemberId(1), &prefix("a")).is_changed);
    assert_eq!(bus.publish(Origin(9), &one("a")).receivers, 1);
    assert!(bus.unsubscribe(MemberId(1), &prefix("a")).is_changed);
    assert_eq!(bus.publish(Origin(9), &one("a")).receivers, 0);
    assert!(!bus.unsubscribe(MemberId(1), &prefix("a")).is_changed);
}

#[test]
fn a_redis_member_gets_one_message_for_the_channel_and_one_for_each_pattern_in_order() {
    let filters = [channel("news.a"), pattern("news.*"), pattern("*.a")];
    let mut bus = bus_of(&[(Encoding::Resp2, &filters), (Encoding::Resp3, &[pattern("n*")])]);
    assert_eq!(bus.publish(Origin(9), &batch(&[["news.a x"], ["news.a y"]])).receivers, 8);
    let form = |payload| {
        format!(
            "*3\r\n$7\r\nmessage\r\n$6\r\nnews.a\r\n$1\r\n{payload}\r\n\
             *4\r\n$8\r\npmessage\r\n$6\r\nnews.*\r\n$6\r\nnews.a\r\n$1\r\n{payload}\r\n\
             *4\r\n$8\r\npmessage\r\n$3\r\n*.a\r\n$6\r\nnews.a\r\n$1\r\n{payload}\r\n"
        )
    };
    assert_eq!(read_text(&mut bus, 1), form("x") + &form("y"));
    let push = |payload| format!(">4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$6\r\nnews.a\r\n$1\r\n{payload}\r\n");
    assert_eq!(read_text(&mut bus, 2), push("x") + &push("y"));
}

#[test]
fn patterns_that_ask_for_beginnings_of_different_lengths_are_told_apart() {
    let mut bus = bus_of(&[(Encoding::Resp3, &[pattern("a*")]), (Encoding::Resp3, &[pattern("ab*")])]);
    let received = |bus: &mut Bus, topic: &[u8]| bus.publish_one(Origin(9), topic, b"x").unwrap();
    assert_eq!(
        [&b"aa"[..], b"ab", b"a", b"abc", b"b", b""].map(|topic| received(&mut bus, topic)),
        [1, 2, 1, 2, 0, 0]
    );
    assert_eq!(bus.publish(Origin(9), &batch(&[["a", "b"]])).receivers, 1);
    assert_eq!(bus.publish(Origin(9), &batch(&[["a b"], ["ab"]])).receivers, 3);
    bus.unsubscribe(MemberId(2), &pattern("ab*"));
    bus.subscribe(MemberId(2), pattern("a[bc]*")).unwrap();
    assert_eq!([&b"aa"[..], b"ab", b"acd"].map(|topic| received(&mut bus, topic)), [1, 2, 2]);
}

#[test]
fn a_redis_publish_reaches_zmtp_members_as_two_frames_and_a_zmtp_message_reaches_channels() {
    let mut bus = bus_of(&[(Encoding::Zmtp, &[prefix("a")]), (Encoding::Resp3, &[channel("a b")])]);
    assert_eq!(bus.publish_one(Origin(9), b"a b", b"payload").unwrap(), 2);
    assert_eq!(read_text(&mut bus, 1), "\x01\x03a b\0\x07payload");
    read_text(&mut bus, 2);
    assert_eq!(bus.publish(Origin(9), &batch(&[["a b", "x", "", "yz"]])).receivers, 2);
    assert_eq!(read_text(&mut bus, 2), ">3\r\n$7\r\nmessage\r\n$3\r\na b\r\n$3\r\nxyz\r\n");
}

#[test]
fn a_shard_channel_and_a_channel_of_the_same_name_are_two_things() {
    let shard = Filter::Shard(Bytes::from_static(b"a"));
    let mut bus = bus_of(&[(Encoding::Resp3, &[shard]), (Encoding::Resp2, &[channel("a")])]);
    assert_eq!(bus.publish_shard(Origin(9), b"a", b"x").unwrap(), 1);
    assert_eq!(bus.publish_one(Origin(9), b"a", b"y").unwrap(), 1);
    assert_eq!(read_text(&mut bus, 1), ">3\r\n$8\r\nsmessage\r\n$1\r\na\r\n$1\r\nx\r\n");
    assert_eq!(read_text(&mut bus, 2), "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\ny\r\n");
    assert_eq!(bus.listeners(FilterKind::Shard, b"a"), 1);
    assert_eq!(bus.names(FilterKind::Channel, Some(b"[a-b]")), ["a"]);
}

#[test]
fn acknowledgements_count_channels_and_patterns_together() {
    let mut bus = bus_of(&[(Encoding::Resp2, &[channel("a"), pattern("b")])]);
    let shard = Filter::Shard(Bytes::from_static(b"a"));
    assert_eq!(bus.subscribe(MemberId(1), shard).unwrap().count, 1);
    assert_eq!(bus.subscribe(MemberId(1), channel("a")).unwrap().count, 2);
    assert_eq!(bus.subscribe(MemberId(1), channel("c")).unwrap().count, 3);
    bus.unsubscribe_all(MemberId(1), FilterKind::Channel);
    assert_eq!(bus.names(FilterKind::Channel, None), [""; 0]);
    assert_eq!(bus.names(FilterKind::Shard, None), ["a"]);
    assert_eq!(bus.unsubscribe(MemberId(1), &pattern("b")).count, 0);
}

#[test]
fn who_does_not_want_to_hear_itself_does_not() {
    let mut bus = Bus::new(BusOptions::default());
    let deaf = Membership { hears_itself: false, ..subscriber(Encoding::Zmtp, 1) };
    bus.join(MemberId(1), deaf).unwrap();
    bus.join(MemberId(2), subscriber(Encoding::Zmtp, 1)).unwrap();
    bus.subscribe(MemberId(1), prefix("")).unwrap();
    bus.subscribe(MemberId(2), prefix("")).unwrap();
    assert_eq!(bus.publish(Origin(1), &one("a")).receivers, 1);
    assert_eq!(bus.publish(Origin(2), &one("a")).receivers, 2);
}

#[test]
fn events_of_the_store_go_to_those_who_ask_for_them() {
    let everything = [(Encoding::Zmtp, &[prefix("")][..]), (Encoding::Resp3, &[pattern("*")])];
    let mut bus = bus_of(&everything);
    for (id, filter) in [(3, ""), (4, "store."), (5, "store.set.")] {
        let seeing = Membership { sees_store_events: true, ..subscriber(Encoding::Zmtp, id) };
        bus.join(MemberId(id), seeing).unwrap();
        bus.subscribe(MemberId(id), prefix(filter)).unwrap();
    }
    bus.join(MemberId(6), subscriber(Encoding::Zmtp, 6)).unwrap();
    assert!(bus.is_heard(Reserved::Store) && !bus.is_heard(Reserved::Keyspace));
    bus.subscribe(MemberId(6), prefix("store.")).unwrap();
    assert_eq!(bus.publish_one(Origin(9), b"store.set.a", b"").unwrap(), 2);
    assert_eq!(bus.publish_one(Origin(9), b"storekeeper", b"").unwrap(), 3);
    assert_eq!(bus.publish(Origin(9), &batch(&[["store.set.a"], ["x"], ["store.del.a"]])).receivers, 6);
    for id in 4..=6 {
        bus.leave(MemberId(id));
    }
    assert!(!bus.is_heard(Reserved::Store));
}

#[test]
fn a_change_of_subscriptions_applies_to_the_next_message() {
    let mut bus = bus_of(&[(Encoding::Zmtp, &[prefix("a")]), (Encoding::Zmtp, &[])]);
    assert_eq!(bus.publish(Origin(9), &one("a")).receivers, 1);
    bus.subscribe(MemberId(2), prefix("a")).unwrap();
    assert_eq!(bus.publish(Origin(9), &one("a")).receivers, 2);
    assert!(bus.leave(MemberId(1)));
    assert_eq!(bus.publish(Origin(9), &one("a")).receivers, 1);
    bus.join(MemberId(3), subscriber(Encoding::Zmtp, 3)).unwrap();
    assert_eq!(bus.publish(Origin(9), &one("a")).receivers, 1);
}

#[test]
fn a_member_is_awake_once_until_all_is_written() {
    let mut bus = bus_of(&[(Encoding::Zmtp, &[prefix("")])]);
    let mut awake = Vec::new();
    bus.publish(Origin(9), &one("a"));
    bus.publish(Origin(9), &one("b"));
    bus.take_awake(&mut awake);
    assert_eq!(awake, [MemberId(1)]);
    assert_eq!(read(&mut bus, 1, 4), b"\0\x01a\0");
    bus.publish(Origin(9), &one("c"));
    bus.take_awake(&mut awake);
    assert_eq!(awake, [MemberId(1)]);
    read_text(&mut bus, 1);
    bus.publish(Origin(9), &one("d"));
    bus.take_awake(&mut awake);
    assert_eq!(awake, [MemberId(1), MemberId(1)]);
}

#[test]
fn limits_refuse_and_name_what_they_are() {
    let options = BusOptions {
        members_max: 2,
        subscriptions_per_member_max: 2,
        subscriptions_max: 3,
        subscription_bytes_max: 4,
        message_bytes_max: 8,
        ..BusOptions::default()
    };
    let mut bus = Bus::new(options);
    bus.join(MemberId(1), subscriber(Encoding::Zmtp, 1)).unwrap();
    assert_eq!(bus.join(MemberId(1), subscriber(Encoding::Zmtp, 1)), Err(JoinError::Taken(MemberId(1))));
    bus.join(MemberId(2), subscriber(Encoding::Resp2, 2)).unwrap();
    assert_eq!(bus.join(MemberId(3), subscriber(Encoding::Zmtp, 1)), Err(JoinError::Full(2)));
    let mut subscribe = |id, filter| bus.subscribe(MemberId(id), filter).map(|subscribed| subscribed.count);
    assert_eq!(subscribe(1, prefix("long!")), Err(SubscribeError::TooLong { bytes: 5, bytes_max: 4 }));
    assert_eq!(subscribe(1, channel("a")), Err(SubscribeError::Unfit(FilterKind::Channel)));
    assert_eq!(subscribe(2, prefix("a")), Err(SubscribeError::Unfit(FilterKind::Prefix)));
    assert_eq!(subscribe(1, prefix("a")), Ok(1));
    assert_eq!(subscribe(1, prefix("b")), Ok(2));
    assert_eq!(subscribe(1, prefix("c")), Err(SubscribeError::TooMany(2)));
    assert_eq!(subscribe(1, prefix("b")), Ok(2));
    assert_eq!(subscribe(2, channel("a")), Ok(1));
    assert_eq!(subscribe(2, channel("b")), Err(SubscribeError::Full(3)));
    assert_eq!(subscribe(7, channel("b")), Err(SubscribeError::Unknown(MemberId(7))));
    assert!(bus.publish_one(Origin(1), b"topic", b"long").is_err());
}

#[test]
fn numbers_go_on_and_a_ring_gives_back_what_was_missed() {
    let ring = RingSpec { prefix: Bytes::new(), messages_max: 3, bytes_max: 10_000 };
    let mut bus = Bus::new(BusOptions { first_sequence: 100, rings: vec![ring], ..BusOptions::default() });
    bus.join(MemberId(1), subscriber(Encoding::Resp3, 1)).unwrap();
    for number in 0..5 {
        bus.publish_one(Origin(9), b"a", number.to_string().as_bytes()).unwrap();
    }
    bus.subscribe(MemberId(1), sequenced("a")).unwrap();
    let caught_up = bus.catch_up(MemberId(1), b"a", 102);
    assert_eq!((caught_up.messages, caught_up.lost), (2, None));
    bus.publish_one(Origin(9), b"a", b"5").unwrap();
    let message =
        |number, payload| format!(">4\r\n$10\r\nbusmessage\r\n:{number}\r\n$1\r\na\r\n$1\r\n{payload}\r\n");
    assert_eq!(read_text(&mut bus, 1), message(103, 3) + &message(104, 4) + &message(105, 5));
    let caught_up = bus.catch_up(MemberId(1), b"a", 99);
    assert_eq!((caught_up.messages, caught_up.lost), (3, Some(3)));
    assert!(read_text(&mut bus, 1).starts_with(">2\r\n$6\r\nbusgap\r\n:3\r\n>4\r\n"));
    assert_eq!(bus.catch_up(MemberId(1), b"a", 105).lost, None);
    assert_eq!(bus.catch_up(MemberId(1), b"a", 200).lost, Some(0));
    bus.publish_one(Origin(9), b"store.set.a", b"6").unwrap();
    assert_eq!(bus.catch_up(MemberId(1), b"", 105).messages, 0);
    let replayed: Vec<u64> = bus.replay(b"a", 104).map(|message| message.sequence).collect();
    assert_eq!(replayed, [105]);
}

#[test]
fn a_ring_that_does_not_fit_half_a_queue_gives_its_newest_and_counts_the_others_as_lost() {
    let ring = RingSpec { prefix: Bytes::new(), messages_max: 100, bytes_max: 1_000_000 };
    let mut bus = Bus::new(BusOptions { rings: vec![ring], ..BusOptions::default() });
    let queue = QueueLimits { bytes_max: 2000, ..QueueLimits::new(Overflow::Disconnect) };
    bus.join(MemberId(1), Membership { queue, ..subscriber(Encoding::Resp2, 1) }).unwrap();
    for _number in 0..100 {
        bus.publish_one(Origin(9), b"a", b"payload").unwrap();
    }
    let caught_up = bus.catch_up(MemberId(1), b"", 0);
    assert!(caught_up.messages > 0);
    assert_eq!(caught_up.lost, Some(100 - caught_up.messages));
    let mut doomed = Vec::new();
    bus.take_doomed(&mut doomed);
    assert!(doomed.is_empty());
}

#[test]
fn answers_stand_between_messages_and_no_policy_drops_them() {
    let queue = QueueLimits { bytes_max: 400, ..QueueLimits::new(Overflow::DropOldest) };
    let mut bus = Bus::new(BusOptions::default());
    bus.join(MemberId(1), Membership { queue, ..subscriber(Encoding::Zmtp, 1) }).unwrap();
    bus.subscribe(MemberId(1), prefix("")).unwrap();
    bus.publish(Origin(9), &one("first"));
    assert!(bus.enqueue(MemberId(1), b"ANSWER"));
    for _flood in 0..100 {
        bus.publish(Origin(9), &one("flood"));
    }
    let text = read_text(&mut bus, 1);
    assert!(text.contains("ANSWER") && !text.contains("first"), "{text:?}");
    let big = vec![b'x'; 300];
    assert!(bus.enqueue(MemberId(1), &big));
    assert!(!bus.enqueue(MemberId(1), &big));
    let mut doomed = Vec::new();
    bus.take_doomed(&mut doomed);
    assert_eq!(doomed, [MemberId(1)]);
}

#[test]
fn publishers_are_held_for_a_stuck_member_once_and_for_its_patience_only() {
    let queue = QueueLimits { bytes_max: 4000, ..QueueLimits::new(Overflow::DropOldest) };
    let mut bus = Bus::new(BusOptions::default());
    bus.join(MemberId(1), Membership { queue, ..subscriber(Encoding::Zmtp, 1) }).unwrap();
    bus.subscribe(MemberId(1), prefix("")).unwrap();
    bus.tick(at(1000));
    let big = "x".repeat(200);
    while !bus.is_congested() {
        bus.publish(Origin(9), &one(&big));
    }
    assert_eq!(bus.deadline(), Some(at(1100)));
    bus.tick(at(1099));
    assert!(bus.is_congested());
    bus.tick(at(1100));
    assert!(!bus.is_congested());
    assert_eq!(bus.deadline(), None);
    for _flood in 0..100 {
        bus.publish(Origin(9), &one(&big));
        assert!(!bus.is_congested());
    }
    assert!(bus.member(MemberId(1)).unwrap().counters.dropped_messages > 50);
    read(&mut bus, 1, usize::MAX);
    while !bus.is_congested() {
        bus.publish(Origin(9), &one(&big));
    }
    assert_eq!(bus.deadline(), Some(at(1200)));
}

#[test]
fn a_member_that_takes_a_quarter_of_its_bound_in_time_keeps_its_patience_and_a_trickle_does_not() {
    for (bytes, is_kept) in [(1000, true), (1, false)] {
        let queue = QueueLimits { bytes_max: 4000, ..QueueLimits::new(Overflow::DropOldest) };
        let mut bus = Bus::new(BusOptions::default());
        bus.join(MemberId(1), Membership { queue, ..subscriber(Encoding::Zmtp, 1) }).unwrap();
        bus.subscribe(MemberId(1), prefix("")).unwrap();
        let big = "x".repeat(200);
        for round in 0..20 {
            bus.tick(at(round * 90));
            read(&mut bus, 1, bytes);
            while bus.member(MemberId(1)).unwrap().queued_bytes < 2500 {
                bus.publish(Origin(9), &one(&big));
            }
        }
        assert_eq!(bus.is_congested(), is_kept);
    }
}

#[test]
fn a_member_without_patience_holds_nobody() {
    let queue = QueueLimits { bytes_max: 400, patience: Duration::ZERO, overflow: Overflow::DropNewest };
    let mut bus = Bus::new(BusOptions::default());
    bus.join(MemberId(1), Membership { queue, ..subscriber(Encoding::Zmtp, 1) }).unwrap();
    bus.subscribe(MemberId(1), prefix("")).unwrap();
    for number in 100..999 {
        bus.publish(Origin(9), &one(&number.to_string()));
        assert!(!bus.is_congested());
    }
    assert!(read_text(&mut bus, 1).starts_with("\0\x03100\0\x03101"));
}

#[test]
fn a_message_larger_than_a_queue_is_delivered_when_nothing_else_waits() {
    let mut bus = bus_of(&[(Encoding::Zmtp, &[prefix("")]), (Encoding::Resp3, &[channel("a")])]);
    let large = vec![b'x'; 20 * 1024 * 1024];
    assert_eq!(bus.publish_one(Origin(9), b"a", &large).unwrap(), 2);
    assert_eq!(read(&mut bus, 1, usize::MAX).len(), 3 + 9 + large.len());
    assert!(read(&mut bus, 2, usize::MAX).len() > large.len());
    assert!(bus.view().retained_bytes < 1024 * 1024);
}

#[test]
fn a_bus_handed_over_goes_on_where_it_was() {
    let ring = RingSpec { prefix: Bytes::from_static(b"a"), messages_max: 9, bytes_max: 10_000 };
    let options = BusOptions { rings: vec![ring], ..BusOptions::default() };
    let mut bus = Bus::new(options.clone());
    bus.join(MemberId(1), subscriber(Encoding::Zmtp, 1)).unwrap();
    bus.join(MemberId(2), subscriber(Encoding::Resp3, 2)).unwrap();
    bus.subscribe(MemberId(1), prefix("a")).unwrap();
    bus.subscribe(MemberId(1), prefix("a")).unwrap();
    bus.subscribe(MemberId(2), channel("a")).unwrap();
    bus.publish(Origin(9), &batch(&[["a", "first"], ["a", "second"]]));
    let mut written = read(&mut bus, 1, 5);
    let saved = bus.save();
    assert!(saved.members[0].is_begun);
    let (mut after, errors) = Bus::restore(options, saved.clone());
    assert!(errors.is_empty());
    assert_eq!(after.save(), saved);
    let mut awake = Vec::new();
    after.take_awake(&mut awake);
    assert_eq!(awake, [MemberId(1), MemberId(2)]);
    let published = after.publish(Origin(9), &batch(&[["a", "third"]]));
    assert_eq!((published.receivers, published.first_sequence), (2, 3));
    written.extend(read(&mut after, 1, usize::MAX));
    assert_eq!(written, batch(&[["a", "first"], ["a", "second"], ["a", "third"]]).bytes);
    assert_eq!(after.replay(b"a", 0).map(|message| message.sequence).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(!after.unsubscribe(MemberId(1), &prefix("a")).is_changed);
}

#[test]
fn listeners_are_counted_for_the_very_name_of_each_kind() {
    let prefix = |text: &'static str| Filter::Prefix(Bytes::from_static(text.as_bytes()));
    let filters =
        [prefix("a"), prefix("ab"), prefix("abc"), channel("ab"), Filter::Pattern(Bytes::from_static(b"ab"))];
    let mut bus = bus_of(&[
        (Encoding::Zmtp, &filters[..3]),
        (Encoding::Zmtp, &filters[1..2]),
        (Encoding::Resp2, &filters[3..]),
    ]);
    let counted =
        |bus: &Bus, kind| [b"a".as_slice(), b"ab", b"abcd", b""].map(|name| bus.listeners(kind, name));
    assert_eq!(counted(&bus, FilterKind::Prefix), [1, 2, 0, 0]);
    assert_eq!(counted(&bus, FilterKind::Channel), [0, 1, 0, 0]);
    assert_eq!(counted(&bus, FilterKind::Pattern), [0, 1, 0, 0]);
    bus.leave(MemberId(2));
    assert_eq!(counted(&bus, FilterKind::Prefix), [1, 1, 0, 0]);
}

#[test]
fn a_message_larger_than_the_queue_is_not_dropped_for_what_follows_it() {
    let mut bus = Bus::new(BusOptions::default());
    let queue = QueueLimits { bytes_max: 1024, ..QueueLimits::new(Overflow::DropOldest) };
    bus.join(MemberId(1), Membership { queue, ..subscriber(Encoding::Zmtp, 1) }).unwrap();
    bus.subscribe(MemberId(1), prefix("")).unwrap();
    let large = "x".repeat(100_000);
    assert_eq!(bus.publish(Origin(9), &one(&large)).receivers, 1);
    assert_eq!(bus.publish(Origin(9), &one("after")).receivers, 1);
    assert_eq!(read(&mut bus, 1, usize::MAX).len(), 100_000 + 9 + 5 + 2);
}

#[test]
fn whoever_heard_nothing_yet_has_lost_nothing_of_what_is_all_kept() {
    let rings = vec![RingSpec { prefix: Bytes::from_static(b"k"), messages_max: 2, bytes_max: 1024 }];
    let mut bus = Bus::new(BusOptions { first_sequence: 1_000_000, rings, ..BusOptions::default() });
    bus.publish(Origin(9), &batch(&[["k1"], ["k2"]]));
    assert_eq!((bus.replay(b"k", 0).lost, bus.replay(b"k", 0).count()), (None, 2));
    bus.publish(Origin(9), &one("k3"));
    assert_eq!((bus.replay(b"k", 0).lost, bus.replay(b"k", 0).count()), (Some(1), 2));
    assert_eq!(bus.replay(b"k", 999_998).lost, Some(2));
}

#[test]
fn a_consumer_whose_turn_it_was_may_go() {
    let mut bus = Bus::new(BusOptions::default());
    for id in 1..=2 {
        bus.join(MemberId(id), Membership { role: Role::Consumer, ..subscriber(Encoding::Zmtp, id) })
            .unwrap();
    }
    bus.publish(Origin(9), &one("first"));
    bus.leave(MemberId(2));
    assert_eq!(bus.publish(Origin(9), &one("second")).receivers, 1);
    assert_eq!(read_text(&mut bus, 1), "\0\x05first\0\x06second");
}

#[test]
fn what_tells_of_the_store_is_replayed_to_those_alone_who_ask_for_it_by_name() {
    let rings = vec![RingSpec { prefix: Bytes::new(), messages_max: 10, bytes_max: 10_000 }];
    let mut bus = Bus::new(BusOptions { rings, ..BusOptions::default() });
    for topic in ["store.key", "news", "__keyspace@0__:key"] {
        bus.publish_one(Origin(9), topic.as_bytes(), b"value").unwrap();
    }
    let topics = |prefix: &'static str| -> Vec<String> {
        let replay = bus.replay(prefix.as_bytes(), 0);
        replay.map(|message| String::from_utf8_lossy(message.topic).into_owned()).collect()
    };
    assert_eq!(topics(""), ["news"]);
    assert!(topics("stor").is_empty() && topics("__").is_empty());
    assert_eq!(topics("store.k"), ["store.key"]);
    assert_eq!(topics("__key"), ["__keyspace@0__:key"]);
}

#[test]
fn a_member_that_changes_how_it_takes_part_keeps_what_it_has() {
    let mut bus =
        bus_of(&[(Encoding::Resp2, &[channel("news"), pattern("n*")]), (Encoding::Zmtp, &[prefix("")])]);
    bus.publish_one(Origin(9), b"news", b"1").unwrap();
    read_text(&mut bus, 1);
    bus.publish_one(Origin(9), b"news", b"2").unwrap();
    let before = (bus.view(), bus.member(MemberId(1)).unwrap());
    let changed = Membership { hears_itself: false, ..subscriber(Encoding::Resp3, 1) };
    bus.change(MemberId(1), changed).unwrap();
    assert_eq!(bus.member(MemberId(1)).unwrap().counters, before.1.counters);
    assert_eq!(bus.view().totals, before.0.totals, "nothing of it has left");
    assert!(read_text(&mut bus, 1).starts_with("*3\r\n$7\r\nmessage\r\n"), "what waits is as it was");
    bus.publish_one(Origin(1), b"news", b"its own").unwrap();
    bus.publish_one(Origin(9), b"news", b"3").unwrap();
    let heard = read_text(&mut bus, 1);
    assert!(heard.starts_with(">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$1\r\n3\r\n>4\r\n"), "{heard}");
    assert!(bus.change(MemberId(1), subscriber(Encoding::Zmtp, 1)).is_err());
    assert!(bus.change(MemberId(7), subscriber(Encoding::Zmtp, 1)).is_err());
    let seeing = Membership { sees_store_events: true, ..subscriber(Encoding::Resp3, 1) };
    bus.subscribe(MemberId(1), channel("store.k")).unwrap();
    assert_eq!(bus.publish_one(Origin(9), b"store.k", b"").unwrap(), 0);
    bus.change(MemberId(1), seeing).unwrap();
    assert_eq!(bus.publish_one(Origin(9), b"store.k", b"").unwrap(), 1);
}
