//! The store's answers as RESP.

use remuda_store::Answer;
use remuda_wire::resp::{Version, Writer};

/// Writes what the store says to a client.
pub(crate) struct Reply<'a>(pub(crate) Writer<'a>);

impl Answer for Reply<'_> {
    fn simple(&mut self, text: &str) {
        self.0.simple(text);
    }

    fn error(&mut self, text: &str) {
        self.0.error(text);
    }

    fn integer(&mut self, value: i64) {
        self.0.integer(value);
    }

    fn bulk(&mut self, bytes: &[u8]) {
        self.0.bulk(bytes);
    }

    fn null(&mut self) {
        self.0.null();
    }

    fn null_array(&mut self) {
        self.0.null_array();
    }

    fn array(&mut self, len: usize) {
        self.0.array(len);
    }

    fn map(&mut self, len: usize) {
        self.0.map(len);
    }

    fn set(&mut self, len: usize) {
        self.0.set(len);
    }

    fn push(&mut self, len: usize) {
        self.0.push(len);
    }

    fn double(&mut self, value: f64) {
        self.0.double(value);
    }

    fn boolean(&mut self, value: bool) {
        self.0.boolean(value);
    }

    fn verbatim(&mut self, format: &str, text: &[u8]) {
        let mut letters = *b"txt";
        if let Ok(given) = <[u8; 3]>::try_from(format.as_bytes()) {
            letters = given;
        }
        self.0.verbatim(letters, &String::from_utf8_lossy(text));
    }

    fn big_number(&mut self, digits: &str) {
        self.0.big_number(digits);
    }

    fn is_resp3(&self) -> bool {
        self.0.version == Version::Resp3
    }
}
