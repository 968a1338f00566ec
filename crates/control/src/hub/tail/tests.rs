//! What is shown of messages, and what is asked of the hub.

use remuda_wire::resp::Value;

use super::{PAYLOAD_BYTES_MAX, message, pattern, shown};
use crate::body::Text;

#[test]
fn a_prefix_means_itself_whatever_a_glob_would_make_of_it() {
    assert_eq!(pattern(""), "*");
    assert_eq!(pattern("a[b]?*\\"), "a\\[b\\]\\?\\*\\\\*");
}

#[test]
fn a_long_text_is_cut_between_two_characters() {
    let text = "ä".repeat(PAYLOAD_BYTES_MAX);
    let mut odd = vec![b'x'];
    odd.extend_from_slice(text.as_bytes());
    assert_eq!(shown(&odd).len(), PAYLOAD_BYTES_MAX - 1);
    assert!(std::str::from_utf8(shown(&odd)).is_ok());
    assert_eq!(shown(b"short"), b"short");
}

#[test]
fn only_messages_are_told() {
    let bulk = |text: &str| Value::Bulk(text.as_bytes().to_vec());
    let told = message(Value::Array(vec![bulk("pmessage"), bulk("*"), bulk("news"), bulk("hello")])).unwrap();
    assert_eq!(
        (told.topic, told.payload, told.length),
        (Text::Text("news".into()), Text::Text("hello".into()), 5)
    );
    assert_eq!(message(Value::Array(vec![bulk("psubscribe"), bulk("*"), Value::Integer(1)])), None);
    assert_eq!(message(Value::Integer(1)), None);
}
