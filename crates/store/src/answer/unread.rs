//! An answer that nobody reads: what a log's command or a measurement says.

use super::Answer;

/// Takes any answer, and keeps of it whether it was an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unread {
    /// The first error.
    pub error: Option<String>,
}

impl Answer for Unread {
    fn simple(&mut self, _: &str) {}
    fn error(&mut self, text: &str) {
        self.error.get_or_insert_with(|| text.to_owned());
    }
    fn integer(&mut self, _: i64) {}
    fn bulk(&mut self, _: &[u8]) {}
    fn null(&mut self) {}
    fn null_array(&mut self) {}
    fn array(&mut self, _: usize) {}
    fn map(&mut self, _: usize) {}
    fn set(&mut self, _: usize) {}
    fn push(&mut self, _: usize) {}
    fn double(&mut self, _: f64) {}
    fn boolean(&mut self, _: bool) {}
    fn verbatim(&mut self, _: &str, _: &[u8]) {}
    fn big_number(&mut self, _: &str) {}
    fn is_resp3(&self) -> bool {
        false
    }
}
