//! Work: each message to one consumer.

use std::collections::BTreeMap;

use proptest::prelude::{prop, prop_assert_eq, proptest};
use remuda_bus::{Bus, BusOptions, Encoding, MemberId, Membership, Origin, Overflow, QueueLimits, Role};

use crate::world::{batch, one, parse, read, read_text, subscriber};

fn consumer(bytes_max: usize) -> Membership {
    let queue = QueueLimits { bytes_max, ..QueueLimits::new(Overflow::DropOldest) };
    Membership { role: Role::Consumer, queue, ..subscriber(Encoding::Zmtp, 1) }
}

#[test]
fn messages_go_to_the_consumers_in_turn() {
    let mut bus = Bus::new(BusOptions::default());
    for id in 1..=3 {
        bus.join(MemberId(id), consumer(1000)).unwrap();
    }
    bus.publish(Origin(9), &batch(&[["a"], ["b"], ["c"], ["d"]]));
    bus.publish(Origin(9), &one("store.news"));
    assert_eq!(read_text(&mut bus, 1), "\0\x01a\0\x01d");
    assert_eq!(read_text(&mut bus, 2), "\0\x01b");
    assert_eq!(read_text(&mut bus, 3), "\0\x01c");
}

#[test]
fn work_waits_for_a_consumer_in_order_once_there_has_been_one() {
    let mut bus = Bus::new(BusOptions::default());
    bus.publish(Origin(9), &one("before"));
    bus.join(MemberId(1), consumer(1000)).unwrap();
    bus.leave(MemberId(1));
    bus.publish(Origin(9), &batch(&[["a"], ["b"]]));
    assert_eq!(bus.view().backlog_messages, 2);
    bus.join(MemberId(2), consumer(1000)).unwrap();
    assert_eq!(read_text(&mut bus, 2), "\0\x01a\0\x01b");
}

#[test]
fn what_a_gone_consumer_has_not_begun_to_read_goes_to_another() {
    let mut bus = Bus::new(BusOptions::default());
    bus.join(MemberId(1), consumer(1000)).unwrap();
    bus.publish(Origin(9), &batch(&[["a"], ["b"], ["c"]]));
    assert_eq!(read(&mut bus, 1, 4), b"\0\x01a\0");
    bus.leave(MemberId(1));
    bus.join(MemberId(2), consumer(1000)).unwrap();
    assert_eq!(read_text(&mut bus, 2), "\0\x01c");
    assert_eq!(bus.view().totals.left_messages, 1);
}

/// It takes a second, and would not end in a test's time if each consumer that reads were a question to all.
#[test]
fn of_many_consumers_that_are_behind_one_that_reads_asks_no_other() {
    const MANY: u64 = 60_000;
    let many = usize::try_from(MANY).unwrap();
    let mut bus =
        Bus::new(BusOptions { members_max: many, backlog_bytes_max: 1 << 30, ..BusOptions::default() });
    for id in 1..=MANY {
        bus.join(MemberId(id), consumer(1)).unwrap();
    }
    // One that is being written and one behind it for each; and one more that waits for all.
    for _ in 0..3 * MANY {
        bus.publish(Origin(9), &one("a"));
    }
    assert_eq!(bus.view().backlog_messages, MANY);
    // The last in turn first.
    for id in (1..=MANY).rev() {
        assert_eq!(read(&mut bus, id, 3), b"\0\x01a");
    }
    assert_eq!(bus.view().backlog_messages, 0);
    assert_eq!(read_text(&mut bus, MANY / 2), "\0\x01a\0\x01a", "each was given one");
}

proptest! {
    #[test]
    fn every_message_goes_to_exactly_one_consumer_or_is_counted_as_dropped(
        bounds in prop::collection::vec(60_usize..300, 1..4),
        steps in prop::collection::vec((0_u64..4, 0_usize..40, 0_usize..12), 0..80),
    ) {
        let mut bus = Bus::new(BusOptions { backlog_bytes_max: 400, ..BusOptions::default() });
        for (id, bytes_max) in (0..).zip(&bounds) {
            bus.join(MemberId(id), consumer(*bytes_max)).unwrap();
        }
        let mut sent = 0_u32;
        let mut streams = BTreeMap::<u64, Vec<u8>>::new();
        for (id, bytes, messages) in steps {
            let work: Vec<[String; 1]> = (0..messages)
                .map(|_| {
                    sent += 1;
                    [format!("{sent:04}{}", "x".repeat(sent as usize * 7 % 50))]
                })
                .collect();
            bus.publish(Origin(9), &batch(&work));
            streams.entry(id).or_default().extend(read(&mut bus, id, bytes));
        }
        let dropped = bus.view().backlog_dropped_messages;
        while bus.view().queued_bytes > 0 {
            for id in 0..4 {
                streams.entry(id).or_default().extend(read(&mut bus, id, usize::MAX));
            }
        }
        prop_assert_eq!(bus.view().backlog_messages, 0);
        let mut done = Vec::new();
        for stream in streams.values() {
            let (bodies, rest) = parse(stream);
            prop_assert_eq!(rest, b"");
            prop_assert_eq!(bodies.is_sorted(), true);
            done.extend(bodies);
        }
        done.sort();
        let count = done.len() as u64;
        done.dedup();
        prop_assert_eq!(done.len() as u64, count);
        prop_assert_eq!(count + dropped, u64::from(sent));
    }
}

#[test]
fn what_comes_back_from_elsewhere_is_heard_and_is_no_work() {
    let mut bus = Bus::new(BusOptions { is_relayed: true, ..BusOptions::default() });
    bus.join(MemberId(1), consumer(1000)).unwrap();
    bus.join(MemberId(2), subscriber(Encoding::Zmtp, 2)).unwrap();
    bus.subscribe(MemberId(2), remuda_bus::Filter::Prefix("a".into())).unwrap();
    assert_eq!(bus.give_work(&batch(&[["a1"], ["a2"]])), 2);
    assert_eq!(read_text(&mut bus, 2), "");
    bus.publish(Origin(9), &one("a3"));
    assert_eq!(read_text(&mut bus, 1), "\0\x02a1\0\x02a2");
    assert_eq!(read_text(&mut bus, 2), "\0\x02a3");
}

#[test]
fn what_others_published_on_a_shared_bus_is_heard_and_is_no_work() {
    let mut bus = Bus::new(BusOptions { is_shared: true, ..BusOptions::default() });
    bus.join(MemberId(1), consumer(1000)).unwrap();
    bus.join(MemberId(2), subscriber(Encoding::Zmtp, 2)).unwrap();
    bus.subscribe(MemberId(2), remuda_bus::Filter::Prefix("a".into())).unwrap();
    assert_eq!(bus.take_asked().len(), 1);
    assert_eq!(bus.hear(Origin(9), &one("a1")).receivers, 1);
    assert_eq!(bus.publish(Origin(9), &one("a2")).receivers, 2);
    assert_eq!(read_text(&mut bus, 1), "\0\x02a2");
    assert_eq!(read_text(&mut bus, 2), "\0\x02a1\0\x02a2");
}

#[test]
fn a_relayed_bus_tells_which_filters_come_and_go() {
    let mut bus = Bus::new(BusOptions { is_relayed: true, ..BusOptions::default() });
    let filter = |text: &'static str| remuda_bus::Filter::Prefix(text.into());
    bus.join(MemberId(1), subscriber(Encoding::Zmtp, 1)).unwrap();
    bus.subscribe(MemberId(1), filter("a")).unwrap();
    bus.subscribe(MemberId(1), filter("a")).unwrap();
    bus.subscribe(MemberId(1), filter("b")).unwrap();
    bus.unsubscribe(MemberId(1), &filter("a"));
    assert_eq!(bus.take_asked(), [(filter("a"), true), (filter("b"), true)]);
    bus.leave(MemberId(1));
    let mut gone = bus.take_asked();
    gone.sort_by_key(|(filter, _)| filter.text().clone());
    assert_eq!(gone, [(filter("a"), false), (filter("b"), false)]);
}

#[test]
fn who_speaks_another_version_asks_a_relayed_bus_for_nothing_anew() {
    let mut bus = Bus::new(BusOptions { is_relayed: true, ..BusOptions::default() });
    bus.join(MemberId(1), subscriber(Encoding::Resp2, 1)).unwrap();
    bus.subscribe(MemberId(1), remuda_bus::Filter::Channel("a".into())).unwrap();
    assert_eq!(bus.take_asked().len(), 1);
    bus.change(MemberId(1), subscriber(Encoding::Resp3, 1)).unwrap();
    assert_eq!(bus.take_asked(), []);
    bus.unsubscribe(MemberId(1), &remuda_bus::Filter::Channel("a".into()));
    assert_eq!(bus.take_asked().len(), 1);
}
