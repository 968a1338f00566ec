//! Templates, filled in.
//!
//! Where a text goes decides how a value is written in it: in a URL it stays encoded, so that a value cannot become a
//! query or another host's name; in a header it cannot end the line; elsewhere it is what it says.

use std::fmt::Write as _;

use remuda_model::gateway::{Template, TemplatePart};
use remuda_wire::http::decode_segment;

use super::Values;
use super::values::Value;

/// Where a text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A URL, or a part of one.
    Url,
    /// The value of a header.
    Header,
    /// A body, a topic, a key.
    Text,
}

/// `template` filled in with `values`.
#[must_use]
pub fn render(template: &Template, values: &Values<'_>, place: Place) -> Vec<u8> {
    let mut out = Vec::new();
    for part in template.parts() {
        match part {
            TemplatePart::Text(text) => out.extend_from_slice(text.as_bytes()),
            TemplatePart::Variable(variable) => write(&values.value(variable), place, &mut out),
        }
    }
    out
}

fn write(value: &Value, place: Place, out: &mut Vec<u8>) {
    match (place, value) {
        (Place::Url, Value::Encoded(bytes)) => out.extend_from_slice(bytes),
        (Place::Url, Value::Normal(bytes)) => encode(bytes, true, out),
        (Place::Url, Value::Plain(bytes)) => encode(bytes, false, out),
        (Place::Header | Place::Text, Value::Normal(bytes)) => plain(&decode_segment(bytes), place, out),
        (Place::Header | Place::Text, Value::Encoded(bytes) | Value::Plain(bytes)) => {
            plain(bytes, place, out);
        }
    }
}

fn plain(bytes: &[u8], place: Place, out: &mut Vec<u8>) {
    let is_kept = |byte: &&u8| place == Place::Text || matches!(**byte, b'\t' | b' '..=0x7e | 0x80..);
    out.extend(bytes.iter().filter(is_kept));
}

/// Writes bytes for a URL: what is unreserved as it is (RFC 3986, 2.3), of a path in normal form slashes, what stands in
/// segments, and what is still encoded too.
fn encode(bytes: &[u8], is_path: bool, out: &mut Vec<u8>) {
    let mut text = String::with_capacity(bytes.len());
    for (at, byte) in bytes.iter().enumerate() {
        let is_unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
        let is_segment = is_path && b"/!$&'()*+,;=:@".contains(byte);
        let is_encoded = is_path && *byte == b'%' && matches!(bytes.get(at + 1..at + 3), Some(b"2F" | b"25"));
        if is_unreserved || is_segment || is_encoded {
            text.push(char::from(*byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    out.extend_from_slice(text.as_bytes());
}
