//! The store's answers as frames: one level deep, since a message has no more.

use bytes::BytesMut;
use remuda_store::Answer;
use remuda_wire::zmtp::encode_message;

/// Collects what the store says: `OK value …`, `NIL`, or `ERROR reason`.
#[derive(Debug, Default)]
pub(crate) struct FramesAnswer {
    frames: Vec<Vec<u8>>,
    is_nothing: bool,
    error: Option<String>,
}

impl FramesAnswer {
    /// The message, its envelope in front.
    pub(crate) fn encode(&self, envelope: &[&[u8]], out: &mut BytesMut) {
        let mut parts: Vec<&[u8]> = envelope.to_vec();
        match &self.error {
            Some(error) => parts.extend([b"ERROR".as_slice(), error.as_bytes()]),
            None if self.is_nothing && self.frames.is_empty() => parts.push(b"NIL"),
            None => {
                parts.push(b"OK");
                parts.extend(self.frames.iter().map(Vec::as_slice));
            }
        }
        encode_message(&parts, out);
    }

    fn push_text(&mut self, text: &str) {
        self.frames.push(text.as_bytes().to_vec());
    }
}

impl Answer for FramesAnswer {
    fn simple(&mut self, text: &str) {
        // "OK" is how the answer begins anyway.
        if text != "OK" {
            self.push_text(text);
        }
    }

    fn error(&mut self, text: &str) {
        self.error = Some(text.to_owned());
    }

    fn integer(&mut self, value: i64) {
        self.push_text(&value.to_string());
    }

    fn bulk(&mut self, bytes: &[u8]) {
        self.frames.push(bytes.to_vec());
    }

    fn null(&mut self) {
        if self.frames.is_empty() {
            self.is_nothing = true;
        } else {
            self.frames.push(Vec::new());
        }
    }

    fn null_array(&mut self) {
        self.null();
    }

    // The values of containers follow one another; how many there are is how many frames there are.
    fn array(&mut self, _len: usize) {}
    fn map(&mut self, _len: usize) {}
    fn set(&mut self, _len: usize) {}
    fn push(&mut self, _len: usize) {}

    fn double(&mut self, value: f64) {
        self.push_text(&value.to_string());
    }

    fn boolean(&mut self, value: bool) {
        self.push_text(if value { "1" } else { "0" });
    }

    fn verbatim(&mut self, _format: &str, text: &[u8]) {
        self.bulk(text);
    }

    fn big_number(&mut self, digits: &str) {
        self.push_text(digits);
    }

    fn is_resp3(&self) -> bool {
        false
    }
}
