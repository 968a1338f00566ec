//! Bytes of keys, topics and values as they are shown: harmless on a terminal, whole in JSON, as they are elsewhere.

use serde_json::{Map, Value};

use crate::screen::Screen;
use crate::visible::visible;

/// The digits of base64 (RFC 4648).
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Bytes for a line of output: on a terminal without what steers it.
pub(super) fn readable(bytes: &[u8], screen: &Screen) -> Vec<u8> {
    if screen.out_is_terminal() {
        visible(&String::from_utf8_lossy(bytes)).into_bytes()
    } else {
        bytes.to_vec()
    }
}

/// Puts `bytes` into a document: as `name` where they are text, as `name_base64` where they are not.
pub(super) fn put(document: &mut Map<String, Value>, name: &str, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) => document.insert(name.to_owned(), text.into()),
        Err(_) => document.insert(format!("{name}_base64"), base64(bytes).into()),
    };
}

fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits =
            (0..3).fold(0_usize, |bits, place| bits << 8 | group.get(place).copied().map_or(0, usize::from));
        for place in 0..4 {
            let digit = DIGITS.get(bits >> (18 - 6 * place) & 63).copied().unwrap_or(b'=');
            text.push(if place <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests;
