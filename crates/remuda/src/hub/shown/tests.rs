//! Bytes as they are shown.

use serde_json::Map;

use super::{base64, put};

#[test]
fn bytes_that_are_no_text_are_told_in_base64() {
    // The vectors of RFC 4648, section 10.
    for (bytes, text) in [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="),
    ] {
        assert_eq!(base64(bytes.as_bytes()), text);
    }
    let mut document = Map::new();
    put(&mut document, "key", "é".as_bytes());
    put(&mut document, "value", &[0xff, 0xfe, 0]);
    assert_eq!(serde_json::to_string(&document).unwrap(), r#"{"key":"é","value_base64":"//4A"}"#);
}
