//! A peer that has shaken hands and says anything: the machine goes on, within its bounds.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use remuda_herd::sim::messages_of;
use remuda_herd::spread::{
    Contact, Fact, Farewell, Graft, Have, HaveOrigin, Input, Interest, Known, KnownNode, LinkId, LinkState,
    Message, Payload, Sample, Skip, SpreadOptions, Summary, Update,
};
use remuda_herd::{Epoch, NodeId};

use super::two::Bench;

fn node() -> impl Strategy<Value = NodeId> {
    // The machine itself and its peers among them.
    prop_oneof![(0..6_u64).prop_map(|number| NodeId(number * 10)), any::<u64>().prop_map(NodeId)]
}

fn epoch() -> impl Strategy<Value = Epoch> {
    prop_oneof![(0..5_u64).prop_map(Epoch), Just(Epoch(u64::MAX))]
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0..8_u64, 1 => Just(u64::MAX), 1 => any::<u64>()]
}

fn payload() -> impl Strategy<Value = Payload> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..300).prop_map(Bytes::from);
    prop_oneof![
        bytes().prop_map(Payload::Change),
        prop::collection::vec((bytes(), bytes()), 0..4).prop_map(|messages| {
            let messages: Vec<(&[u8], &[u8])> =
                messages.iter().map(|(topic, payload)| (&topic[..], &payload[..])).collect();
            Payload::Messages(Arc::new(messages_of(&messages)))
        }),
    ]
}

fn fact() -> impl Strategy<Value = Fact> {
    let state = prop_oneof![Just(LinkState::Up), Just(LinkState::Suspect), Just(LinkState::Down)];
    (node(), epoch(), number(), prop::collection::vec((node(), state), 0..6), any::<bool>()).prop_map(
        |(node, epoch, version, links, is_leaving)| Fact {
            node,
            epoch,
            version,
            name: "any".to_owned(),
            addresses: vec!["10.0.0.1:1".to_owned()],
            protocol: 1,
            links,
            is_leaving,
        },
    )
}

fn message() -> impl Strategy<Value = Message> {
    let have = (node(), epoch(), number(), any::<u16>(), number())
        .prop_map(|(origin, epoch, next, hops, age_ms)| HaveOrigin { origin, epoch, next, hops, age_ms });
    let known = (node(), epoch(), number(), number()).prop_map(|(node, epoch, fact, interest)| KnownNode {
        node,
        epoch,
        fact,
        interest,
    });
    let contact = node().prop_map(|node| Contact { node, addresses: vec!["10.0.0.1:1".to_owned()] });
    prop_oneof![
        6 => (node(), epoch(), number(), number(), number(), any::<u16>(), payload()).prop_map(
            |(origin, epoch, sequence, skipped, lost, hops, payload)| Message::Update(Update {
                origin, epoch, sequence, skipped, lost, hops, payload
            })
        ),
        3 => (prop::collection::vec(have, 0..4), any::<bool>())
            .prop_map(|(entries, is_standing)| Message::Have(Have { entries, is_standing })),
        2 => (node(), epoch(), number()).prop_map(|(origin, epoch, next)| Message::Graft(Graft { origin, epoch, next })),
        2 => (node(), epoch(), number(), number())
            .prop_map(|(origin, epoch, next, lost)| Message::Skip(Skip { origin, epoch, next, lost })),
        1 => node().prop_map(Message::Prune),
        2 => fact().prop_map(|fact| Message::Fact(Arc::new(fact))),
        1 => (node(), epoch(), number()).prop_map(|(node, epoch, version)| Message::Interest(Arc::new(
            Interest { node, epoch, version, summary: Summary::nothing() }
        ))),
        1 => (prop::collection::vec(known, 0..4), any::<bool>())
            .prop_map(|(entries, is_last)| Message::Known(Known { entries, is_last })),
        1 => any::<u64>().prop_map(Message::Ping),
        1 => any::<u64>().prop_map(Message::Pong),
        1 => (prop::collection::vec(contact, 0..8), any::<bool>())
            .prop_map(|(contacts, is_question)| Message::Sample(Sample { contacts, is_question })),
        1 => Just(Message::Bye(Farewell::Full)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_peer_says_the_machine_stays_within_its_bounds(
        said in prop::collection::vec((0..3_u64, message(), 0..300_u64), 1..150), is_discovering in any::<bool>(),
    ) {
        let options = SpreadOptions {
            members_max: 8,
            origins_max: 8,
            cache_bytes_max: 10_000,
            is_discovering,
            ..SpreadOptions::default()
        };
        let mut bench = Bench::new(options);
        let mut link = 0;
        for (which, message, millis) in said {
            while bench.machine.view().links.len() < 3 {
                link += 1;
                bench.up(link, NodeId(20 + link % 5), link % 2 == 0);
            }
            let links = bench.machine.view().links;
            let to = links[usize::try_from(which).unwrap() % links.len()].link;
            bench.now += Duration::from_millis(millis);
            let orders = bench.tell(Input::Received { link: to, message });
            prop_assert!(orders.len() < 200, "{} orders", orders.len());
            let view = bench.machine.view();
            prop_assert!(view.cached_bytes <= 10_000);
            prop_assert!(view.origins <= 8);
            prop_assert!(view.members.len() <= 8 + 1 + view.links.len());
            for each in &view.links {
                bench.tell(Input::Sent { link: LinkId(each.link.0), weight: each.in_flight });
            }
        }
    }

    #[test]
    fn what_is_beyond_the_limits_closes_the_link(extra in 1..50_usize) {
        let mut bench = Bench::new(SpreadOptions::default());
        bench.up(1, NodeId(20), true);
        let entry = KnownNode { node: NodeId(1), epoch: Epoch(1), fact: 1, interest: 1 };
        let known = Known { entries: vec![entry; Known::ENTRIES_MAX + extra], is_last: true };
        bench.tell(Input::Received { link: LinkId(1), message: Message::Known(known) });
        prop_assert!(bench.machine.view().links.is_empty());
        prop_assert_eq!(bench.machine.counters().malformed, 1);
    }
}
