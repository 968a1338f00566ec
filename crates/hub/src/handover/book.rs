//! The book: records of fields of bytes, in the form of Redis commands, which are read with the parser we have.

use bytes::{Buf as _, Bytes, BytesMut};
use remuda_wire::resp::{CommandParser, Limits, encode_command};

use super::HandoverError;

/// Records being written.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    bytes: BytesMut,
}

impl Pages {
    /// Adds a record: what it is, and its fields.
    pub(crate) fn add(&mut self, fields: &[&[u8]]) {
        encode_command(fields, &mut self.bytes);
    }

    /// Adds a record whose fields are numbers.
    pub(crate) fn add_numbers(&mut self, what: &str, numbers: &[u64]) {
        let texts: Vec<String> = numbers.iter().map(u64::to_string).collect();
        let mut fields = vec![what.as_bytes()];
        fields.extend(texts.iter().map(String::as_bytes));
        self.add(&fields);
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// One record.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    fields: Vec<Bytes>,
}

impl Record {
    /// What it is.
    pub(crate) fn what(&self) -> &[u8] {
        self.fields.first().map(AsRef::as_ref).unwrap_or_default()
    }

    /// A field, the first after what it is being 1.
    pub(crate) fn field(&self, number: usize) -> Result<&Bytes, HandoverError> {
        self.fields.get(number).ok_or_else(|| {
            let what = String::from_utf8_lossy(self.what());
            HandoverError::Book(format!("a record '{what}' has no field {number}"))
        })
    }

    /// All of it.
    pub(crate) fn words(&self) -> Vec<&[u8]> {
        self.fields.iter().map(AsRef::as_ref).collect()
    }

    /// All fields from `number` on.
    pub(crate) fn rest(&self, number: usize) -> &[Bytes] {
        self.fields.get(number..).unwrap_or_default()
    }

    pub(crate) fn text(&self, number: usize) -> Result<String, HandoverError> {
        Ok(String::from_utf8_lossy(self.field(number)?).into_owned())
    }

    pub(crate) fn number(&self, number: usize) -> Result<u64, HandoverError> {
        let text = self.text(number)?;
        text.parse().map_err(|error| HandoverError::Book(format!("'{text}' is no number: {error}")))
    }

    pub(crate) fn flag(&self, number: usize) -> Result<bool, HandoverError> {
        Ok(self.number(number)? != 0)
    }
}

/// All records of a book.
pub(crate) fn records(content: Vec<u8>) -> Result<Vec<Record>, HandoverError> {
    let limits = Limits { bulk_max: usize::MAX / 4, query_max: usize::MAX / 2, ..Limits::default() };
    let mut parser = CommandParser::new(limits);
    parser.set_authenticated(true);
    let mut input = BytesMut::from(Bytes::from(content));
    let mut places = Vec::new();
    let mut records = Vec::new();
    loop {
        let parsed =
            parser.parse(&mut input, &mut places).map_err(|error| HandoverError::Book(error.to_string()))?;
        let Some(length) = parsed else { break };
        // In memory of its own: some fields live on as long as a connection, and would keep the whole book.
        let record = Bytes::copy_from_slice(&input[..length]);
        input.advance(length);
        records.push(Record { fields: places.iter().map(|place| record.slice(place.clone())).collect() });
    }
    if input.has_remaining() {
        return Err(HandoverError::Book("it is cut off".to_owned()));
    }
    Ok(records)
}

#[cfg(test)]
mod tests;
