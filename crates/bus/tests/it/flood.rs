//! Floods: what is dropped is counted, nothing is cut, and memory is bounded.

use proptest::prelude::{Just, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use remuda_bus::{Bus, BusOptions, Encoding, Filter, MemberId, Membership, Origin, Overflow, QueueLimits};

use crate::world::{batch, parse, read, subscriber};

/// Retained beside four times what is queued: the sparse bound, the open chunk, and the chunks kept for one batch.
const SLACK: usize = 1024 * 1024;

fn join(bus: &mut Bus, id: u64, queue: QueueLimits, prefix: &'static str) {
    bus.join(MemberId(id), Membership { queue, ..subscriber(Encoding::Zmtp, id) }).unwrap();
    bus.subscribe(MemberId(id), Filter::Prefix(prefix.into())).unwrap();
}

proptest! {
    #[test]
    fn what_was_sent_is_read_or_counted_as_dropped_and_no_message_is_cut(
        overflow in prop_oneof![Just(Overflow::DropOldest), Just(Overflow::DropNewest)],
        bytes_max in 40_usize..2000,
        steps in prop::collection::vec((0_usize..60, 0_usize..30), 0..100),
    ) {
        let mut bus = Bus::new(BusOptions::default());
        join(&mut bus, 1, QueueLimits { bytes_max, ..QueueLimits::new(overflow) }, "");
        let mut sent = 0_u64;
        let mut stream = Vec::new();
        for (bytes, messages) in steps {
            let messages: Vec<[String; 1]> = (0..messages).map(|_| { sent += 1; [format!("{sent:06}")] }).collect();
            bus.publish(Origin(9), &batch(&messages));
            prop_assert!(bus.member(MemberId(1)).unwrap().queued_bytes <= bytes_max + bytes_max / 4 + 8);
            stream.extend(read(&mut bus, 1, bytes));
        }
        stream.extend(read(&mut bus, 1, usize::MAX));
        let (bodies, rest) = parse(&stream);
        prop_assert_eq!(rest, b"");
        prop_assert!(bodies.is_sorted_by(|one, next| one < next));
        let counters = bus.member(MemberId(1)).unwrap().counters;
        prop_assert_eq!(counters.sent_messages, bodies.len() as u64);
        prop_assert_eq!(counters.sent_bytes, stream.len() as u64);
        prop_assert_eq!(counters.dropped_messages, sent - counters.sent_messages);
        prop_assert_eq!(counters.dropped_bytes, 8 * counters.dropped_messages);
    }
}

#[test]
fn a_member_that_overflows_under_disconnect_is_named_once_and_keeps_no_memory() {
    let mut bus = Bus::new(BusOptions::default());
    join(&mut bus, 1, QueueLimits { bytes_max: 100_000, ..QueueLimits::new(Overflow::Disconnect) }, "");
    let messages = vec![[vec![b'x'; 200]]; 1000];
    assert!(bus.publish(Origin(9), &batch(&messages)).receivers < 1000);
    bus.publish(Origin(9), &batch(&messages));
    let mut doomed = Vec::new();
    bus.take_doomed(&mut doomed);
    assert_eq!(doomed, [MemberId(1)]);
    assert!(!bus.is_congested());
    assert!(bus.view().retained_bytes <= SLACK);
    assert_eq!(bus.member(MemberId(1)).unwrap().counters.dropped_messages, 1000);
    assert!(bus.leave(MemberId(1)));
}

#[test]
fn a_stuck_member_loses_messages_and_its_neighbour_none() {
    let mut bus = Bus::new(BusOptions::default());
    let queue = QueueLimits { bytes_max: 64 * 1024, ..QueueLimits::new(Overflow::DropOldest) };
    join(&mut bus, 1, queue, "");
    join(&mut bus, 2, queue, "");
    let messages = vec![[vec![b'x'; 100]]; 100];
    let mut received = 0;
    for _batch in 0..1000 {
        bus.publish(Origin(9), &batch(&messages));
        received += read(&mut bus, 2, usize::MAX).len();
        assert!(bus.view().queued_bytes <= 64 * 1024);
    }
    assert_eq!(received, 1000 * 100 * 102);
    assert_eq!(bus.member(MemberId(2)).unwrap().counters.dropped_messages, 0);
    assert!(bus.member(MemberId(1)).unwrap().counters.dropped_messages > 99_000);
}

#[test]
fn a_slow_member_that_wants_little_of_much_does_not_keep_the_rest_in_memory() {
    let options = BusOptions { sparse_bytes_max: SLACK, ..BusOptions::default() };
    let mut bus = Bus::new(options);
    join(&mut bus, 1, QueueLimits::new(Overflow::DropOldest), "rare");
    join(&mut bus, 2, QueueLimits::new(Overflow::DropOldest), "");
    let mut messages = vec![[vec![b'x'; 200]]; 300];
    messages[150] = [b"rare".to_vec()];
    let (large, small) = (batch(&messages), batch(&messages[100..160]));
    for round in 0..2000 {
        bus.publish(Origin(9), if round % 2 == 0 { &large } else { &small });
        read(&mut bus, 2, usize::MAX);
        let view = bus.view();
        assert!(view.retained_bytes <= 4 * view.queued_bytes + 2 * SLACK, "{view:?}");
    }
    let waiting = read(&mut bus, 1, usize::MAX);
    assert_eq!(waiting, b"\0\x04rare".repeat(2000));
    assert!(bus.view().retained_bytes <= SLACK);
}

#[test]
fn a_flood_of_tiny_messages_of_changing_topics_is_bounded_by_the_memory_it_takes() {
    let mut bus = Bus::new(BusOptions::default());
    let queue = QueueLimits { bytes_max: 10_000, ..QueueLimits::new(Overflow::DropOldest) };
    join(&mut bus, 1, queue, "a");
    join(&mut bus, 2, queue, "b");
    let messages: Vec<[&str; 1]> =
        (0..20_000).map(|number| [if number % 2 == 0 { "a" } else { "b" }]).collect();
    bus.publish(Origin(9), &batch(&messages));
    let slices = bus.slices(MemberId(1)).count();
    assert!(slices > 100 && slices < 10_000 / 24, "{slices}");
}
