//! Messages as a client publishes them.

use bytes::{BufMut as _, BytesMut};
use remuda_model::message::{Batch, Span};

/// Bytes of a frame's header, where its length has eight.
const HEADER: usize = 9;
/// That another frame follows, and that the length has eight bytes.
const MORE: u8 = 3;
const LAST: u8 = 2;

/// Messages of two frames, a topic and a payload each, one after the other.
///
/// # Panics
/// When they are 4 GiB or more.
#[must_use]
pub fn messages_of(messages: &[(&[u8], &[u8])]) -> Batch {
    let place = |number: usize| u32::try_from(number).expect("tests publish less than 4 GiB");
    let mut bytes = BytesMut::new();
    let mut spans = Vec::new();
    for (topic, payload) in messages {
        let start = bytes.len();
        for (flags, frame) in [(MORE, topic), (LAST, payload)] {
            bytes.put_u8(flags);
            bytes.put_u64(frame.len() as u64);
            bytes.put_slice(frame);
        }
        spans.push(Span {
            start: place(start),
            end: place(bytes.len()),
            body: place(start + HEADER),
            body_len: place(topic.len()),
            single: false,
        });
    }
    Batch { bytes: bytes.freeze(), messages: spans }
}
