//! What a command says, as calls: the machine writes answers without knowing how they travel.
//!
//! The hub writes them as RESP2 or RESP3 into a client's buffer, a script engine builds values from them. Containers are
//! announced by their length and followed by that many answers; nobody builds a tree first.

mod unread;

pub use unread::Unread;

/// Where a command's answer goes.
pub trait Answer {
    /// A short text that is a status, like `OK`.
    fn simple(&mut self, text: &str);
    /// An error: its code in capitals, a space, and what went wrong, as in `ERR syntax error`.
    fn error(&mut self, text: &str);
    /// A whole number.
    fn integer(&mut self, value: i64);
    /// Bytes.
    fn bulk(&mut self, bytes: &[u8]);
    /// Nothing, where a single value would be.
    fn null(&mut self);
    /// Nothing, where an array would be: RESP2 tells the two apart.
    fn null_array(&mut self);
    /// `len` answers follow.
    fn array(&mut self, len: usize);
    /// `len` pairs of answers follow, a key and a value each; in RESP2 an array of twice as many.
    fn map(&mut self, len: usize);
    /// `len` answers follow, without an order; in RESP2 an array.
    fn set(&mut self, len: usize);
    /// `len` answers follow that nobody asked for; in RESP2 an array.
    fn push(&mut self, len: usize);
    /// A floating point number; in RESP2 its text as bytes.
    fn double(&mut self, value: f64);
    /// Yes or no; in RESP2 the integers 1 and 0.
    fn boolean(&mut self, value: bool);
    /// Text of a `format` of three letters (`txt`, `mkd`); in RESP2 the text as bytes.
    fn verbatim(&mut self, format: &str, text: &[u8]);
    /// A number beyond 64 bits, in decimal digits; in RESP2 the digits as bytes.
    fn big_number(&mut self, digits: &str);
    /// Whether the reader speaks RESP3, for the few commands whose answers have another shape there.
    fn is_resp3(&self) -> bool;
}
