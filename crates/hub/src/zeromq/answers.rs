//! The store's answers as frames: one level deep, since a message has no more.

use bytes::Bytes;
use remuda_store::Answer;

/// Collects what the store says: `OK value …`, `NIL`, or `ERROR reason`.
#[derive(Debug, Default)]
pub(crate) struct FramesAnswer {
    frames: Vec<Vec<u8>>,
    is_nothing: bool,
    error: Option<String>,
}

impl FramesAnswer {
    /// The words of the answer.
    pub(crate) fn into_words(self) -> Vec<Bytes> {
        if let Some(error) = self.error {
            return vec![Bytes::from_static(b"ERROR"), error.into()];
        }
        if self.is_nothing && self.frames.is_empty() {
            return vec![Bytes::from_static(b"NIL")];
        }
        let mut words = vec![Bytes::from_static(b"OK")];
        words.extend(self.frames.into_iter().map(Bytes::from));
        words
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
