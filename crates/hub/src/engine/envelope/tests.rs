//! Frames there and back.

use proptest::prelude::*;

use super::{Packing, Parcel, Shape, split, trailer};

/// The frames that arrive of `frames`, by the way with trailers.
fn by_trailer(frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut packing = Packing::default();
    let parcel = packing.pack(frames.iter().map(Vec::as_slice));
    let content = [parcel.payload, trailer(&parcel).as_deref().unwrap_or_default()].concat();
    let (payload, shape) = split(&content);
    let mut joined = Vec::new();
    shape.frames(parcel.topic, payload, &mut joined).into_iter().map(<[u8]>::to_vec).collect()
}

#[test]
fn a_pair_travels_as_it_is_and_all_else_with_a_trailer() {
    let mut packing = Packing::default();
    let pair: [&[u8]; 2] = [b"topic", b"payload"];
    assert!(trailer(&packing.pack(pair.into_iter())).is_none());
    let three: [&[u8]; 3] = [b"topic", b"head", b"body"];
    let parcel = packing.pack(three.into_iter());
    assert_eq!(parcel.payload, b"headbody");
    assert_eq!(trailer(&parcel).unwrap(), b"\0remuda-frames=4,4\0");
    let one: [&[u8]; 1] = [b"topic the payload"];
    let parcel = packing.pack(one.into_iter());
    assert_eq!(
        (parcel.topic, parcel.payload, parcel.shape),
        (&b"topic"[..], &b"the payload"[..], Shape::Joined)
    );
}

#[test]
fn a_payload_that_ends_like_a_trailer_is_not_taken_for_one() {
    for payload in [
        "x\0remuda-frames=1\0",
        "x\0remuda-frames=0,1\0",
        "\0remuda-frames=bare\0",
        "x\0remuda-frames=joined\0",
    ] {
        let frames = vec![b"topic".to_vec(), payload.as_bytes().to_vec()];
        assert_eq!(by_trailer(&frames), frames);
    }
    let wrong = b"abc\0remuda-frames=1,1\0";
    assert_eq!(split(wrong), (&wrong[..], Shape::Pair), "the lengths do not fit");
}

fn frame() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20),
        "[a-z ]{0,5}".prop_map(String::into_bytes),
        "[a-z]{0,3}\\x00remuda-frames=([0-9],?){1,3}\\x00".prop_map(String::into_bytes)
    ]
}

proptest! {
    #[test]
    fn every_message_arrives_in_its_frames(frames in prop::collection::vec(frame(), 1..6)) {
        prop_assert_eq!(by_trailer(&frames), frames);
    }

    #[test]
    fn any_bytes_are_some_message(content in prop::collection::vec(any::<u8>(), 0..60)) {
        let (payload, shape) = split(&content);
        let parcel = Parcel { topic: b"t", payload, shape };
        let mut joined = Vec::new();
        prop_assert!(!parcel.shape.frames(parcel.topic, parcel.payload, &mut joined).is_empty());
    }
}
