//! What is written is what is read; what is read from noise is nothing.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use proptest::collection::vec;
use proptest::prelude::*;
use remuda_herd::spread::{
    Contact, Fact, Farewell, Graft, Have, HaveOrigin, Interest, Known, KnownNode, LinkState, Message,
    Payload, Sample, Skip, Summary, Update,
};
use remuda_herd::{Epoch, NodeId};

use super::{DecodeError, decode, encode};
use crate::zmtp::{encode_message, whole_messages};

/// Bytes of one update in these tests.
const UPDATE_MAX: usize = 4_096;

fn written(message: &Message) -> (u8, Bytes) {
    let mut out = BytesMut::new();
    let kind = encode(message, &mut out);
    (kind, out.freeze())
}

fn node() -> impl Strategy<Value = NodeId> {
    any::<u64>().prop_map(NodeId)
}

fn epoch() -> impl Strategy<Value = Epoch> {
    any::<u64>().prop_map(Epoch)
}

/// Numbers of messages, and how many of them are left out or lost, go up to here.
fn ordinal() -> impl Strategy<Value = u64> {
    0..=1_u64 << 60
}

fn short() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..20).prop_map(Bytes::from)
}

fn state() -> impl Strategy<Value = LinkState> {
    prop_oneof![Just(LinkState::Up), Just(LinkState::Suspect), Just(LinkState::Down)]
}

fn fact() -> impl Strategy<Value = Message> {
    let named = (node(), epoch(), any::<u64>(), ".{0,40}", vec("[a-z.]{1,20}:[0-9]{1,5}", 0..8));
    (named, any::<u16>(), vec((node(), state()), 0..20), any::<bool>()).prop_map(
        |((node, epoch, version, name, addresses), protocol, links, is_leaving)| {
            let fact = Fact { node, epoch, version, name, addresses, protocol, links, is_leaving };
            Message::Fact(Arc::new(fact))
        },
    )
}

fn messages_of(messages: &[Vec<Bytes>]) -> Payload {
    let mut out = BytesMut::new();
    for parts in messages {
        let parts: Vec<&[u8]> = parts.iter().map(AsRef::as_ref).collect();
        encode_message(&parts, &mut out);
    }
    Payload::Messages(Arc::new(whole_messages(out.freeze(), messages.len()).unwrap()))
}

fn update() -> impl Strategy<Value = Message> {
    let payload = prop_oneof![
        vec(vec(short(), 1..4), 1..5).prop_map(|messages| messages_of(&messages)),
        short().prop_map(Payload::Change),
    ];
    let numbers = (1..=1_u64 << 60, 0..=1_u64, 0..=1_u64, any::<u16>());
    (node(), epoch(), numbers, payload).prop_map(
        |(origin, epoch, (sequence, skipped, lost, hops), payload)| {
            Message::Update(Update { origin, epoch, sequence, skipped, lost, hops, payload })
        },
    )
}

fn message() -> impl Strategy<Value = Message> {
    let known = (node(), epoch(), any::<u64>(), any::<u64>())
        .prop_map(|(node, epoch, fact, interest)| KnownNode { node, epoch, fact, interest });
    let have = (node(), epoch(), ordinal(), any::<u16>(), any::<u64>())
        .prop_map(|(origin, epoch, next, hops, age_ms)| HaveOrigin { origin, epoch, next, hops, age_ms });
    let contact = (node(), vec("[a-z.]{1,20}:[0-9]{1,5}", 0..3))
        .prop_map(|(node, addresses)| Contact { node, addresses });
    let summary = prop_oneof![vec(short(), 0..9).prop_map(Summary::of), Just(Summary::Everything)];
    let farewell = prop_oneof![
        Just(Farewell::Leaving),
        Just(Farewell::Full),
        Just(Farewell::Doubled),
        Just(Farewell::Removed)
    ];
    prop_oneof![
        (vec(known, 0..20), any::<bool>())
            .prop_map(|(entries, is_last)| Message::Known(Known { entries, is_last })),
        fact(),
        (node(), epoch(), any::<u64>(), summary).prop_map(|(node, epoch, version, summary)| {
            Message::Interest(Arc::new(Interest { node, epoch, version, summary }))
        }),
        (vec(have, 0..20), any::<bool>())
            .prop_map(|(entries, is_standing)| Message::Have(Have { entries, is_standing })),
        update(),
        (node(), epoch(), ordinal(), ordinal()).prop_map(|(origin, epoch, next, lost)| Message::Skip(Skip {
            origin,
            epoch,
            next,
            lost
        })),
        (node(), epoch(), ordinal()).prop_map(|(origin, epoch, next)| Message::Graft(Graft {
            origin,
            epoch,
            next
        })),
        node().prop_map(Message::Prune),
        any::<u64>().prop_map(Message::Ping),
        any::<u64>().prop_map(Message::Pong),
        (vec(contact, 0..8), any::<bool>())
            .prop_map(|(contacts, is_question)| Message::Sample(Sample { contacts, is_question })),
        farewell.prop_map(Message::Bye),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_what_is_read(message in message()) {
        let (kind, payload) = written(&message);
        prop_assert_eq!(decode(kind, payload, UPDATE_MAX), Ok(message));
    }

    #[test]
    fn a_message_that_is_cut_or_lengthened_is_none(message in message(), at: proptest::sample::Index, more in 1..9_usize) {
        let (kind, payload) = written(&message);
        // Messages can end between two of them.
        let change = matches!(kind, super::kind::CHANGE | super::kind::MESSAGES);
        if !payload.is_empty() {
            let cut = payload.slice(..at.index(payload.len()));
            // What is opaque ends where the frame ends.
            prop_assert!(change || decode(kind, cut, UPDATE_MAX).is_err());
        }
        let long: Bytes = payload.iter().copied().chain(std::iter::repeat_n(0, more)).collect();
        prop_assert!(change || decode(kind, long, UPDATE_MAX).is_err());
    }

    #[test]
    fn noise_is_refused_or_within_the_limits(kind: u8, noise in vec(any::<u8>(), 0..300)) {
        if let Ok(message) = decode(kind, Bytes::from(noise), UPDATE_MAX) {
            prop_assert!(message.is_within_limits(UPDATE_MAX));
            let (again, payload) = written(&message);
            prop_assert_eq!(decode(again, payload, UPDATE_MAX), Ok(message));
        }
    }

    #[test]
    fn a_changed_byte_is_refused_or_another_message(message in message(), at: proptest::sample::Index, change in 1..=u8::MAX) {
        let (kind, payload) = written(&message);
        if !payload.is_empty() {
            let mut bytes = payload.to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= change;
            if let Ok(other) = decode(kind, Bytes::from(bytes), UPDATE_MAX) {
                prop_assert!(other.is_within_limits(UPDATE_MAX));
            }
        }
    }
}

#[test]
fn lists_that_claim_more_than_they_may_have_get_no_memory() {
    let claim =
        |kind: u8, bytes: &'static [u8]| decode(kind, Bytes::from_static(bytes), UPDATE_MAX).unwrap_err();
    let enormous = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
    for kind in [super::kind::KNOWN, super::kind::HAVE, super::kind::SAMPLE] {
        assert!(matches!(claim(kind, enormous), DecodeError::TooMany { count: u64::MAX, .. }));
    }
    assert_eq!(claim(super::kind::PING, b"\x80\x00"), DecodeError::Number, "two bytes where one does");
    assert_eq!(claim(super::kind::PING, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), DecodeError::Number);
    assert_eq!(claim(200, b""), DecodeError::Kind(200));
    let large = Payload::Change(Bytes::from(vec![0; UPDATE_MAX + 1]));
    let (origin, epoch) = (NodeId(1), Epoch(1));
    let update = Update { origin, epoch, sequence: 1, skipped: 0, lost: 0, hops: 0, payload: large };
    let (kind, payload) = written(&Message::Update(update));
    assert_eq!(decode(kind, payload, UPDATE_MAX), Err(DecodeError::Limits));
}

/// Servers of different versions speak with each other: these bytes stay as they are.
#[test]
fn messages_have_the_bytes_they_always_had() {
    let (origin, epoch) = (NodeId(0x0102_0304_0506_0708), Epoch(300));
    let update = |payload| Update { origin, epoch, sequence: 7, skipped: 2, lost: 0, hops: 1, payload };
    let (news, hello) = (Bytes::from_static(b"news"), Bytes::from_static(b"hello"));
    let messages = messages_of(&[vec![news.clone(), hello], vec![news]]);
    let fact = Fact {
        node: origin,
        epoch,
        version: 1,
        name: "a".into(),
        addresses: vec!["b:1".into()],
        protocol: 1,
        links: vec![(NodeId(2), LinkState::Suspect)],
        is_leaving: true,
    };
    let all = [
        Message::Fact(Arc::new(fact)),
        Message::Update(update(messages)),
        Message::Update(update(Payload::Change(Bytes::from_static(b"xyz")))),
        Message::Have(Have {
            entries: vec![HaveOrigin { origin, epoch, next: 8, hops: 1, age_ms: 1000 }],
            is_standing: true,
        }),
        Message::Known(Known {
            entries: vec![KnownNode { node: origin, epoch, fact: 1, interest: 2 }],
            is_last: true,
        }),
        Message::Interest(Arc::new(Interest {
            node: origin,
            epoch,
            version: 1,
            summary: Summary::of([Bytes::from_static(b"a.")]),
        })),
        Message::Skip(Skip { origin, epoch, next: 9, lost: 1 }),
        Message::Graft(Graft { origin, epoch, next: 9 }),
        Message::Prune(origin),
        Message::Ping(5),
        Message::Pong(5),
        Message::Sample(Sample {
            contacts: vec![Contact { node: origin, addresses: vec![] }],
            is_question: false,
        }),
        Message::Bye(Farewell::Removed),
    ];
    let lines = all.iter().map(|message| {
        let (kind, payload) = written(message);
        let hex: String = payload.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{kind} {hex}\n")
    });
    insta::assert_snapshot!(lines.collect::<String>(), @"
    2 0102030405060708ac020101610103623a31010100000000000000020101
    5 0102030405060708ac020702000101046e657773000568656c6c6f00046e657773
    6 0102030405060708ac020702000178797a
    4 010102030405060708ac020801e80701
    1 010102030405060708ac02010201
    3 0102030405060708ac0201000102612e
    7 0102030405060708ac020901
    8 0102030405060708ac0209
    9 0102030405060708
    10 05
    11 05
    12 0101020304050607080000
    13 03
    ");
}
