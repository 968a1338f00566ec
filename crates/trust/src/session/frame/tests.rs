//! Frames come back as they were, and what is none is refused without memory for it.

use bytes::{BufMut as _, Bytes, BytesMut};
use proptest::prelude::{any, proptest};
use proptest::{collection, prop_assert, prop_assert_eq};

use super::decode;
use crate::session::SessionError;

const LIMIT: usize = 100_000;

fn encode(out: &mut BytesMut, kind: u8, payload: &[u8], is_packed: bool) {
    if !(is_packed && super::encode_compressed(out, kind, payload)) {
        super::encode(out, kind, payload);
    }
}

proptest! {
    #[test]
    fn what_was_encoded_is_decoded_frame_by_frame_wherever_it_is_cut(
        frames in collection::vec((0_u8..128, collection::vec(0_u8..4, 0..3000), any::<bool>()), 0..8),
        piece in 1_usize..700,
    ) {
        let mut wire = BytesMut::new();
        for (kind, payload, packed) in &frames {
            encode(&mut wire, *kind, payload, *packed);
        }
        let (mut arrived, mut decoded) = (BytesMut::new(), Vec::new());
        for chunk in wire.chunks(piece) {
            arrived.extend_from_slice(chunk);
            while let Some(frame) = decode(&mut arrived, LIMIT, true).unwrap() {
                decoded.push((frame.kind, frame.payload.to_vec()));
            }
        }
        let sent: Vec<_> = frames.into_iter().map(|(kind, payload, _)| (kind, payload)).collect();
        prop_assert_eq!(decoded, sent);
        prop_assert!(arrived.is_empty());
    }

    #[test]
    fn bytes_of_any_kind_are_frames_or_refused(bytes in collection::vec(any::<u8>(), 0..2000), packed: bool) {
        let mut rest = BytesMut::from(bytes.as_slice());
        while let Ok(Some(frame)) = decode(&mut rest, LIMIT, packed) {
            prop_assert!(frame.payload.len() <= LIMIT);
        }
    }

    #[test]
    fn a_compressed_frame_that_was_changed_is_damaged_or_of_the_size_it_says(
        at in 9_usize..200, byte: u8, length in 0_u32..200_000,
    ) {
        let mut wire = BytesMut::new();
        encode(&mut wire, 1, &b"again and again, ".repeat(500), true);
        let at = at.min(wire.len() - 1);
        wire[at] = byte;
        wire[5..9].copy_from_slice(&length.to_be_bytes());
        if let Ok(Some(frame)) = decode(&mut wire, LIMIT, true) {
            prop_assert_eq!(frame.payload.len(), usize::try_from(length).unwrap());
        }
    }
}

#[test]
fn a_frame_that_is_kept_keeps_nothing_of_what_came_with_it() {
    let mut wire = BytesMut::new();
    for length in [10, 90_000, 10, 80_000, 10] {
        encode(&mut wire, 1, &vec![7; length], false);
    }
    let all = wire.len();
    let mut frames = Vec::new();
    while let Some(frame) = decode(&mut wire, LIMIT, false).unwrap() {
        frames.push(frame.payload);
    }
    assert_eq!(frames.iter().map(Bytes::len).sum::<usize>(), all - 5 * 5);
    assert!(frames.iter().all(Bytes::is_unique));
}

#[test]
fn a_frame_that_claims_too_much_is_refused_by_its_first_bytes() {
    for length in [0, 100_002, u32::MAX] {
        let mut wire = BytesMut::new();
        wire.put_u32(length);
        let refused = decode(&mut wire, LIMIT, true);
        assert!(matches!(refused, Err(SessionError::FrameTooLong { limit: LIMIT, .. })), "{refused:?}");
    }
    // Three bytes that would unfold to the limit: more than anything can.
    let mut wire = BytesMut::new();
    wire.put_u32(8);
    wire.put_u8(0x81);
    wire.put_u32(100_000);
    wire.put_slice(&[0xff; 3]);
    assert_eq!(decode(&mut wire, LIMIT, true), Err(SessionError::Compression));
}

#[test]
fn what_does_not_get_smaller_goes_as_it_is() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0]
    })
    .take(2000)
    .collect();
    let mut wire = BytesMut::new();
    encode(&mut wire, 1, &noise, true);
    assert_eq!(wire.len(), noise.len() + super::HEADER_BYTES);
    let mut packed = BytesMut::new();
    encode(&mut packed, 1, &[0; 2000], true);
    assert!(packed.len() < 100);
    assert_eq!(decode(&mut packed, LIMIT, false), Err(SessionError::Compression), "it was not agreed on");
}
