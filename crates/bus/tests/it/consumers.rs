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
            let work: Vec<[String; 1]> = (0..messages).map(|_| { sent += 1; [format!("{sent:04}")] }).collect();
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
