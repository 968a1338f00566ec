//! Messages that are there whole, as one server gives them to another.

use bytes::Bytes;
use remuda_model::message::{Batch, Span};

use super::frame::Header;

/// Finds the messages that `bytes` are, up to `messages_max`; `None` when they are anything else, or none.
///
/// Memory is taken as messages are found: 20 bytes for each, of which the shortest has 2.
#[must_use]
pub fn whole_messages(bytes: Bytes, messages_max: usize) -> Option<Batch> {
    let mut messages: Vec<Span> = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        if messages.len() == messages_max {
            return None;
        }
        let span = whole_message(&bytes, start)?;
        start = usize::try_from(span.end).ok()?;
        messages.push(span);
    }
    (!messages.is_empty()).then_some(Batch { bytes, messages })
}

fn whole_message(bytes: &[u8], start: usize) -> Option<Span> {
    let mut at = start;
    let mut first: Option<(usize, usize, bool)> = None;
    loop {
        let header = Header::read(&bytes[at..]).ok()?.filter(|header| !header.is_command())?;
        let length = usize::try_from(header.length).ok()?;
        let body = at + header.size;
        at = body.checked_add(length).filter(|end| *end <= bytes.len())?;
        let (body, body_len, single) = *first.get_or_insert((body, length, !header.has_more()));
        if !header.has_more() {
            let place = |number: usize| u32::try_from(number).ok();
            return Some(Span {
                start: place(start)?,
                end: place(at)?,
                body: place(body)?,
                body_len: place(body_len)?,
                single,
            });
        }
    }
}

#[cfg(test)]
mod tests;
