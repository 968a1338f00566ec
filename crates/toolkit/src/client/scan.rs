//! Keys page by page.

use std::vec;

use remuda_wire::resp::Value;

use super::{ClientError, Store};

/// Keys the hub looks at for one page.
const PAGE: &[u8] = b"1000";

/// Keys that a pattern stands for; ends after the first error.
#[derive(Debug)]
pub struct Keys<'a> {
    store: &'a mut Store,
    cursor: Option<Cursor>,
    page: vec::IntoIter<Vec<u8>>,
}

/// How far a scan is.
#[derive(Debug)]
pub(super) struct Cursor {
    pattern: Vec<u8>,
    at: Vec<u8>,
}

impl Cursor {
    pub(super) fn new(pattern: Vec<u8>) -> Self {
        Self { pattern, at: b"0".to_vec() }
    }

    /// A page of keys, and where the scan goes on, if it does.
    pub(super) fn page(
        self,
        ask: impl FnOnce(&[&[u8]]) -> Result<Value, ClientError>,
    ) -> Result<(Vec<Vec<u8>>, Option<Self>), ClientError> {
        let unexpected = ClientError::Unexpected { command: "SCAN", expected: "a cursor and keys" };
        let reply = ask(&[b"SCAN", &self.at, b"MATCH", &self.pattern, b"COUNT", PAGE])?;
        let Value::Array(parts) = reply else { return Err(unexpected) };
        let mut parts = parts.into_iter();
        let (Some(Value::Bulk(at)), Some(Value::Array(keys))) = (parts.next(), parts.next()) else {
            return Err(unexpected);
        };
        let keys = keys.into_iter().filter_map(|key| match key {
            Value::Bulk(key) => Some(key),
            _ => None,
        });
        let rest = if at == b"0" { None } else { Some(Self { pattern: self.pattern, at }) };
        Ok((keys.collect(), rest))
    }
}

/// The pattern that stands for everything that begins with `prefix`.
pub(super) fn pattern_of(prefix: &[u8]) -> Vec<u8> {
    let mut pattern = Vec::with_capacity(prefix.len() + 1);
    for byte in prefix {
        if b"*?[]\\^".contains(byte) {
            pattern.push(b'\\');
        }
        pattern.push(*byte);
    }
    pattern.push(b'*');
    pattern
}

impl<'a> Keys<'a> {
    pub(super) fn new(store: &'a mut Store, pattern: &[u8]) -> Self {
        Self { store, cursor: Some(Cursor::new(pattern.to_vec())), page: Vec::new().into_iter() }
    }
}

impl Iterator for Keys<'_> {
    type Item = Result<Vec<u8>, ClientError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(key) = self.page.next() {
                return Some(Ok(key));
            }
            let cursor = self.cursor.take()?;
            match cursor.page(|command| self.store.command(command)) {
                Ok((page, cursor)) => {
                    self.page = page.into_iter();
                    self.cursor = cursor;
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
