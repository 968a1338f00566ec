//! Topics and payloads of messages in all their forms, and of bytes that are none.

use proptest::prelude::{any, prop, prop_assert_eq, proptest};
use remuda_model::message::Span;

use super::{Content, append_message};

fn said(frames: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let content = Content::of_frames(frames);
    let mut payload = Vec::new();
    content.payload.append_to(&mut payload);
    assert_eq!(payload.len(), content.payload.len());
    (content.topic.to_vec(), payload)
}

#[test]
fn a_single_frame_is_topic_space_payload() {
    assert_eq!(said(b"\0\x09a.b hello"), (b"a.b".to_vec(), b"hello".to_vec()));
    assert_eq!(said(b"\0\x03a.b"), (b"a.b".to_vec(), vec![]));
    assert_eq!(said(b"\0\x04 x y"), (vec![], b"x y".to_vec()));
}

#[test]
fn of_several_frames_the_first_is_the_topic_and_the_others_are_the_payload() {
    assert_eq!(said(b"\x01\x03a b\0\x02xy"), (b"a b".to_vec(), b"xy".to_vec()));
    assert_eq!(said(b"\x01\x01a\x01\x02xy\0\x01z"), (b"a".to_vec(), b"xyz".to_vec()));
    assert_eq!(said(b"\x01\x01a\x01\0\0\0"), (b"a".to_vec(), vec![]));
}

proptest! {
    #[test]
    fn a_message_says_what_it_was_made_of(
        topic in prop::collection::vec(any::<u8>(), 0..400), payload in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let mut bytes = b"before".to_vec();
        let span = append_message(&topic, &payload, &mut bytes);
        prop_assert_eq!(said(&bytes[6..]), (topic.clone(), payload.clone()));
        let content = Content::at(&bytes, &span);
        prop_assert_eq!(content.topic, &topic[..]);
        prop_assert_eq!(content.payload.len(), payload.len());
    }

    #[test]
    fn arbitrary_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let _said = said(&bytes);
        let end = u32::try_from(bytes.len()).unwrap();
        let span = Span { start: 0, end, body: 0, body_len: end / 2, single: false };
        let _len = Content::at(&bytes, &span).payload.len();
    }
}
