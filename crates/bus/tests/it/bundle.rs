//! Bundles: what is published together reaches everybody as it would one by one.

use bytes::Bytes;
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};
use remuda_bus::{Bundle, Bus, BusOptions, Encoding, Filter, MemberId, Membership, Origin, PublishError};

use crate::world::{read_text, subscriber};

const MEMBERS: u64 = 3;

fn encoding() -> impl Strategy<Value = Encoding> {
    prop_oneof![Just(Encoding::Zmtp), Just(Encoding::Resp2), Just(Encoding::Resp3)]
}

/// Patterns that ask for a beginning, and now and then something that looks further.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![6 => "[ab]{0,4}", 1 => "__key[ab]?", 1 => "store.[ab]?"]
}

/// What it speaks, whether it sees the store's events, and its filters by kind and text.
type Listener = (Encoding, bool, Vec<(u8, String)>);

fn bus_of(members: &[Listener]) -> Bus {
    let mut bus = Bus::new(BusOptions::default());
    for (id, (encoding, sees_store_events, filters)) in (1..).zip(members) {
        let membership = Membership { sees_store_events: *sees_store_events, ..subscriber(*encoding, id) };
        bus.join(MemberId(id), membership).unwrap();
        for (kind, text) in filters {
            let filter = match (encoding, kind) {
                (Encoding::Zmtp, _) => Filter::Prefix(Bytes::from(text.clone())),
                (_, 0) => Filter::Channel(Bytes::from(text.clone())),
                (_, 1) => Filter::Pattern(Bytes::from(format!("{text}?*"))),
                (_, 2) => Filter::Sequenced(Bytes::from(text.clone())),
                _ => Filter::Pattern(Bytes::from(format!("{text}*"))),
            };
            bus.subscribe(MemberId(id), filter).unwrap();
        }
    }
    bus
}

fn filters() -> impl Strategy<Value = Vec<(u8, String)>> {
    prop::collection::vec((0_u8..20, text()), 0..4)
}

proptest! {
    #[test]
    fn a_bundle_reaches_everybody_as_its_messages_would_one_by_one(
        members in prop::collection::vec((encoding(), any::<bool>(), filters()), 0..=3),
        messages in prop::collection::vec((text(), "[xy ]{0,3}"), 0..12),
    ) {
        let (mut single, mut together) = (bus_of(&members), bus_of(&members));
        // As long as somebody listens to a channel every topic is looked at to its end: nothing is shared that should not be.
        let witness = MemberId(MEMBERS + 1);
        single.join(witness, subscriber(Encoding::Resp3, witness.0)).unwrap();
        single.subscribe(witness, Filter::Channel(Bytes::from_static(b"nobody's"))).unwrap();
        let mut bundle = Bundle::default();
        let mut receivers = 0;
        for (topic, payload) in &messages {
            receivers += single.publish_one(Origin(9), topic.as_bytes(), payload.as_bytes()).unwrap();
            together.bundle(Origin(9), &mut bundle, topic.as_bytes(), payload.as_bytes()).unwrap();
        }
        assert_eq!(together.publish_bundle(Origin(9), &mut bundle).receivers, receivers);
        for id in 1..=MEMBERS {
            assert_eq!(read_text(&mut together, id), read_text(&mut single, id));
        }
        assert_eq!(together.view().totals, single.view().totals);
    }
}

#[test]
fn a_full_bundle_goes_out_before_it_grows_further_and_loses_nothing() {
    let mut bus = Bus::new(BusOptions::default());
    bus.join(MemberId(1), subscriber(Encoding::Resp3, 1)).unwrap();
    bus.subscribe(MemberId(1), Filter::Pattern(Bytes::from_static(b"k*"))).unwrap();
    let mut bundle = Bundle::default();
    let payload = "x".repeat(1000);
    for number in 0..1000 {
        bus.bundle(Origin(9), &mut bundle, format!("k{number}").as_bytes(), payload.as_bytes()).unwrap();
    }
    bus.publish_bundle(Origin(9), &mut bundle);
    let text = read_text(&mut bus, 1);
    let heard: Vec<&str> = text.lines().filter(|line| line.starts_with('k') && *line != "k*").collect();
    let published: Vec<String> = (0..1000).map(|number| format!("k{number}")).collect();
    assert_eq!(heard, published);
}

#[test]
fn a_message_that_is_too_long_is_refused_and_the_others_of_its_bundle_are_not() {
    let mut bus = Bus::new(BusOptions { message_bytes_max: 4, ..BusOptions::default() });
    bus.join(MemberId(1), subscriber(Encoding::Zmtp, 1)).unwrap();
    bus.subscribe(MemberId(1), Filter::Prefix(Bytes::new())).unwrap();
    let mut bundle = Bundle::default();
    bus.bundle(Origin(9), &mut bundle, b"a", b"123").unwrap();
    let refused = bus.bundle(Origin(9), &mut bundle, b"b", b"1234").unwrap_err();
    assert_eq!(refused, PublishError::TooLong { bytes: 5, bytes_max: 4 });
    bus.bundle(Origin(9), &mut bundle, b"c", b"").unwrap();
    assert_eq!(bus.publish_bundle(Origin(9), &mut bundle).receivers, 2);
    assert_eq!(read_text(&mut bus, 1), "\x01\x01a\0\x03123\x01\x01c\0\0");
}
