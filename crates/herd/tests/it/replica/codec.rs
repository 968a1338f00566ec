//! Changes and states as bytes.

use bytes::Bytes;
use proptest::prelude::*;
use remuda_herd::NodeId;
use remuda_herd::replica::{
    Base, Body, Change, Collection, Element, Expiry, Extent, KeyState, Mark, Share, Stamp, decode_change,
    decode_state, encode_change, encode_state,
};

fn bytes() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..20).prop_map(Bytes::from)
}

fn mark() -> impl Strategy<Value = Mark> {
    (1u64.., any::<u64>()).prop_map(|(stamp, node)| Mark { stamp: Stamp(stamp), node: NodeId(node) })
}

fn kind() -> impl Strategy<Value = Collection> {
    prop::sample::select(vec![Collection::Hash, Collection::Set, Collection::SortedSet])
}

fn base() -> impl Strategy<Value = Base> {
    prop_oneof![
        Just(Base::Gone),
        Just(Base::Lapsed),
        bytes().prop_map(|body| Base::Whole(Body::Text(body))),
        bytes().prop_map(|body| Base::Whole(Body::Packed(body))),
    ]
}

fn state() -> impl Strategy<Value = KeyState> {
    let element = (kind(), bytes(), mark(), prop::option::of(bytes()))
        .prop_map(|(collection, name, mark, value)| Element { collection, name, mark, value });
    let share =
        (any::<u64>(), any::<u64>(), any::<u64>(), any::<i64>()).prop_map(|(node, since, stamp, sum)| {
            Share { node: NodeId(node), since: Stamp(since), stamp: Stamp(stamp), sum }
        });
    let expiry = (mark(), prop::option::of(0u64..u64::MAX)).prop_map(|(mark, at_ms)| Expiry { mark, at_ms });
    let bound = || prop::option::of((kind(), bytes()));
    let extent = prop_oneof![
        Just(Extent::Named),
        (bound(), bound()).prop_map(|(a, b)| Extent::Between(a, b)),
        mark().prop_map(Extent::Lacking),
    ];
    let collections = (prop::collection::vec(element, 0..4), prop::collection::vec(share, 0..4));
    (any::<u32>(), bytes(), mark(), base(), prop::option::of(expiry), collections, extent).prop_map(
        |(database, key, mark, base, expiry, (elements, shares), extent)| KeyState {
            database,
            key,
            mark,
            base,
            expiry,
            elements,
            shares,
            extent,
        },
    )
}

fn change() -> impl Strategy<Value = Change> {
    (mark(), any::<u64>(), mark(), state()).prop_map(|(mark, previous, over, state)| Change {
        mark,
        previous: Stamp(previous),
        over,
        state,
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(change in change()) {
        prop_assert_eq!(decode_change(&encode_change(&change)).unwrap(), change.clone());
        prop_assert_eq!(decode_state(&encode_state(&change.state)).unwrap(), change.state);
    }

    #[test]
    fn arbitrary_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let bytes = Bytes::from(bytes);
        let _ = decode_change(&bytes);
        let _ = decode_state(&bytes);
    }

    #[test]
    fn damaged_changes_are_refused_or_read(change in change(), at in any::<usize>(), byte in any::<u8>(), cut in any::<usize>()) {
        let mut bytes = encode_change(&change).to_vec();
        let at = at % bytes.len();
        let mut damaged = bytes.clone();
        damaged[at] = byte;
        let _ = decode_change(&Bytes::from(damaged));
        bytes.truncate(cut % bytes.len());
        prop_assert!(decode_change(&Bytes::from(bytes)).is_err());
    }
}

#[test]
fn a_number_of_elements_that_can_not_be_there_takes_no_memory() {
    let mut bytes = encode_state(&KeyState::silent(0, Bytes::new())).to_vec();
    bytes.truncate(bytes.len() - 2);
    bytes.extend([0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0]);
    assert!(decode_state(&Bytes::from(bytes)).is_err());
}
