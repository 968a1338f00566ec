//! Messages as events, encoded once for each form.

use proptest::prelude::*;

use super::super::bus::Message;
use super::{Forms, event, gap};

fn message(payload: &[u8]) -> Message {
    Message { sequence: 7, topic: b"a.\nb".to_vec(), payload: payload.to_vec() }
}

fn text(payload: &[u8], is_named: bool) -> String {
    String::from_utf8(event(&message(payload), "one", is_named).to_vec()).unwrap()
}

#[test]
fn a_message_is_an_event_whatever_is_in_it() {
    assert_eq!(text(b"hello", false), "id: one-7\ndata: hello\n\n");
    assert_eq!(text(b"", false), "id: one-7\ndata: \n\n");
    assert_eq!(text(b"a\r\nb\rc\n", false), "id: one-7\ndata: a\ndata: b\ndata: c\ndata: \n\n");
    assert_eq!(text(b"\xff", false), "id: one-7\nevent: base64\ndata: /w==\n\n");
    assert_eq!(text(b"x", true), "id: one-7\nevent: a. b\ndata: x\n\n", "a topic cannot end its line");
    assert_eq!(gap(None), "event: gap\ndata: {\"missed\":null}\n\n");
}

#[test]
fn a_message_is_encoded_once_for_each_form() {
    let (forms, message) = (Forms::default(), message(b"hello"));
    assert_eq!(forms.frame(&message, false), &b"\x81\x05hello"[..]);
    assert_eq!(forms.frame(&message, true), &b"\x82\x05hello"[..]);
    assert_eq!(forms.frame(&message, false).as_ptr(), forms.frame(&message, false).as_ptr());
}

proptest! {
    #[test]
    fn no_payload_ends_its_event_early(payload in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..60)) {
        let text = text(&payload, false);
        prop_assert_eq!(text.find("\n\n"), Some(text.len() - 2));
        prop_assert!(!text.contains('\r'));
        for line in text.trim_end().lines() {
            prop_assert!(["id: ", "event: base64", "data:"].iter().any(|start| line.starts_with(start)), "{line:?}");
        }
    }
}
