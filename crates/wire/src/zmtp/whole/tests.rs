//! What was written is found; what is no message is none.

use bytes::{Bytes, BytesMut};
use proptest::collection::vec;
use proptest::prelude::*;

use super::whole_messages;
use crate::zmtp::{encode_message, frames_of};

fn messages() -> impl Strategy<Value = Vec<Vec<Vec<u8>>>> {
    vec(vec(vec(any::<u8>(), 0..400), 1..4), 1..8)
}

fn written(messages: &[Vec<Vec<u8>>]) -> Bytes {
    let mut out = BytesMut::new();
    for parts in messages {
        let parts: Vec<&[u8]> = parts.iter().map(AsRef::as_ref).collect();
        encode_message(&parts, &mut out);
    }
    out.freeze()
}

proptest! {
    #[test]
    fn messages_that_were_written_are_found_where_they_lie(messages in messages()) {
        let batch = whole_messages(written(&messages), messages.len()).unwrap();
        prop_assert_eq!(batch.messages.len(), messages.len());
        let mut end = 0;
        for (span, parts) in batch.messages.iter().zip(&messages) {
            prop_assert_eq!(span.start, end);
            end = span.end;
            prop_assert_eq!(batch.matched(span), &parts[0][..]);
            prop_assert_eq!(span.single, parts.len() == 1);
            prop_assert!(frames_of(&batch, span).eq(parts.iter().map(|part| &part[..])));
        }
        prop_assert_eq!(usize::try_from(end).unwrap(), batch.bytes.len());
    }

    #[test]
    fn more_than_the_limit_or_less_than_a_message_is_none(messages in messages(), at: prop::sample::Index) {
        let bytes = written(&messages);
        prop_assert!(whole_messages(bytes.clone(), messages.len() - 1).is_none());
        let cut = bytes.slice(..at.index(bytes.len()));
        if let Some(batch) = whole_messages(cut.clone(), messages.len()) {
            prop_assert!(bytes.starts_with(&batch.bytes) && batch.bytes == cut);
            prop_assert!(batch.messages.len() < messages.len());
        }
    }

    #[test]
    fn noise_is_none_or_messages_that_lie_within(noise in vec(any::<u8>(), 0..300)) {
        if let Some(batch) = whole_messages(Bytes::from(noise), 20) {
            prop_assert!(batch.messages.len() <= 20);
            for span in &batch.messages {
                prop_assert!(frames_of(&batch, span).count() >= 1);
                prop_assert!(batch.frames(span).len() >= batch.matched(span).len() + 2);
            }
        }
    }
}

#[test]
fn a_command_is_no_message() {
    assert!(whole_messages(Bytes::from_static(b"\x04\x05\x04PING"), 9).is_none());
    assert!(whole_messages(Bytes::new(), 9).is_none());
}
