//! What is written is what is read; what is read from noise is nothing.

use bytes::{Bytes, BytesMut};
use proptest::array::uniform16;
use proptest::collection::vec;
use proptest::prelude::*;
use remuda_herd::replica::{Message, Stamp, Stretch};
use remuda_herd::{Epoch, NodeId};

use super::{decode, encode};

const STATE_MAX: usize = 1_000;

fn written(message: &Message) -> (u8, Bytes) {
    let mut out = BytesMut::new();
    let kind = encode(message, &mut out);
    (kind, out.freeze())
}

fn known() -> impl Strategy<Value = Vec<Stretch>> {
    let stretch = (any::<u64>(), any::<u64>(), any::<u64>());
    let stretch = stretch.prop_map(|(node, after, upto)| Stretch {
        node: NodeId(node),
        after: Stamp(after),
        upto: Stamp(upto),
    });
    vec(stretch, 0..9)
}

fn message() -> impl Strategy<Value = Message> {
    let resume = proptest::option::of((any::<u64>().prop_map(Epoch), any::<u64>()));
    let leaves = vec((any::<u16>(), vec(any::<(u32, u32)>(), 0..9)), 0..9);
    let states = vec(vec(any::<u8>(), 0..30).prop_map(Bytes::from), 0..9);
    prop_oneof![
        (any::<u32>(), any::<u64>(), known(), any::<bool>(), resume).prop_map(
            |(pull, scopes, known, by_tree, resume)| Message::Begin { pull, scopes, known, by_tree, resume }
        ),
        (any::<u32>(), any::<bool>(), known(), any::<[u64; 3]>()).prop_map(
            |(pull, is_recent, known, [horizon, epoch, root])| Message::Begun {
                pull,
                is_recent,
                known,
                horizon: Stamp(horizon),
                epoch: Epoch(epoch),
                root,
            }
        ),
        any::<(u32, u64)>().prop_map(|(pull, scopes)| Message::Refused { pull, scopes }),
        (any::<u32>(), any::<u8>(), vec(any::<u32>(), 0..9)).prop_map(|(pull, level, nodes)| Message::Ask {
            pull,
            level,
            nodes
        }),
        (any::<u32>(), any::<u8>(), vec((any::<u32>(), uniform16(any::<u64>())), 0..9))
            .prop_map(|(pull, level, sums)| Message::Sums { pull, level, sums }),
        (any::<u32>(), vec(any::<u16>(), 0..9))
            .prop_map(|(pull, leaves)| Message::AskLeaves { pull, leaves }),
        (any::<u32>(), leaves, any::<bool>()).prop_map(|(pull, leaves, is_last)| Message::Leaves {
            pull,
            leaves,
            is_last
        }),
        (any::<u32>(), vec(any::<u64>(), 0..9), any::<bool>())
            .prop_map(|(pull, hashes, names_only)| Message::Want { pull, hashes, names_only }),
        (any::<u32>(), states, any::<u64>(), any::<bool>()).prop_map(|(pull, states, position, is_last)| {
            Message::States { pull, states, position, is_last }
        }),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_what_is_read(message in message()) {
        let (kind, payload) = written(&message);
        prop_assert_eq!(decode(kind, payload, STATE_MAX), Ok(message));
    }

    #[test]
    fn a_message_that_is_cut_or_lengthened_is_none(message in message(), at: proptest::sample::Index) {
        let (kind, payload) = written(&message);
        prop_assert!(decode(kind, payload.slice(..at.index(payload.len())), STATE_MAX).is_err());
        let long: Bytes = payload.iter().copied().chain([0]).collect();
        prop_assert!(decode(kind, long, STATE_MAX).is_err());
    }

    #[test]
    fn noise_is_refused_or_is_a_message(kind in 30..45_u8, noise in vec(any::<u8>(), 0..300)) {
        if let Ok(message) = decode(kind, Bytes::from(noise), STATE_MAX) {
            let (again, payload) = written(&message);
            prop_assert_eq!(decode(again, payload, STATE_MAX), Ok(message));
        }
    }
}

/// Servers of different versions speak with each other: these bytes stay as they are.
#[test]
fn messages_have_the_bytes_they_always_had() {
    let known = vec![Stretch { node: NodeId(1), after: Stamp(0), upto: Stamp(300) }];
    let all = [
        Message::Begin {
            pull: 1,
            scopes: 2,
            known: known.clone(),
            by_tree: false,
            resume: Some((Epoch(3), 4)),
        },
        Message::Begun { pull: 1, is_recent: true, known, horizon: Stamp(5), epoch: Epoch(6), root: 7 },
        Message::Refused { pull: 1, scopes: 2 },
        Message::Ask { pull: 1, level: 2, nodes: vec![3, 300] },
        Message::Sums { pull: 1, level: 2, sums: vec![(3, [9; 16])] },
        Message::AskLeaves { pull: 1, leaves: vec![300] },
        Message::Leaves { pull: 1, leaves: vec![(2, vec![(3, 4)])], is_last: true },
        Message::Want { pull: 1, hashes: vec![2], names_only: true },
        Message::States { pull: 1, states: vec![Bytes::from_static(b"x")], position: 2, is_last: true },
    ];
    let lines = all.iter().map(|message| {
        let (kind, payload) = written(message);
        let hex: String = payload.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{kind} {hex}\n")
    });
    insta::assert_snapshot!(lines.collect::<String>(), @"
    32 01000000000000000201000000000000000100ac0200010304
    33 010101000000000000000100ac0205060000000000000007
    34 010000000000000002
    35 01020203ac02
    36 010201030000000000000009000000000000000900000000000000090000000000000009000000000000000900000000000000090000000000000009000000000000000900000000000000090000000000000009000000000000000900000000000000090000000000000009000000000000000900000000000000090000000000000009
    37 0101ac02
    38 01010201000000030000000401
    39 0101000000000000000201
    40 010101780201
    ");
}
