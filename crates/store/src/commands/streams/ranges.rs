//! `XRANGE` and `XREVRANGE`: entries from one id to another; and `XLEN`.

use super::answers::answer_entries;
use crate::call::{Call, Flow};
use crate::commands::is_word;
use crate::failure::Failure;
use crate::number;
use crate::stream::Stream;
use crate::stream::id::StreamId;

pub(super) fn xlen(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let len = call.keys.read::<Stream>(command[1])?.map_or(0, |stream| stream.log.entries().len());
    Ok(call.count(len))
}

pub(super) fn xrange(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    answer(call, command, (command[2], command[3]), false)
}

pub(super) fn xrevrange(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    answer(call, command, (command[3], command[2]), true)
}

fn answer(
    call: &mut Call<'_>,
    command: &[&[u8]],
    ends: (&[u8], &[u8]),
    is_reversed: bool,
) -> Result<Flow, Failure> {
    let (first, last) = (first_id(ends.0)?, last_id(ends.1)?);
    let mut count = usize::MAX;
    let mut rest = &command[4..];
    while let [word, value, after @ ..] = rest
        && is_word(word, "COUNT")
    {
        count = usize::try_from(number::integer_argument(value)?).unwrap_or(0);
        rest = after;
    }
    if !rest.is_empty() {
        return Err(Failure::Syntax);
    }
    let Some(stream) = call.keys.read::<Stream>(command[1])? else { return Ok(call.empty_array()) };
    let entries = stream.log.entries().range(first, last);
    match is_reversed {
        _ if count == 0 => call.answer.null_array(),
        true => answer_entries(call.answer, entries.rev().take(count)),
        false => answer_entries(call.answer, entries.take(count)),
    }
    Ok(Flow::Done)
}

/// Where a range begins: an id, `(id` for the one after it, or `-`.
pub(super) fn first_id(text: &[u8]) -> Result<StreamId, Failure> {
    match text.strip_prefix(b"(") {
        Some(text) => {
            let invalid = Failure::text("ERR invalid start ID for the interval");
            StreamId::parse(text, 0)?.next().ok_or(invalid)
        }
        None => end(text, 0),
    }
}

/// Where a range ends: an id, `(id` for the one before it, or `+`.
pub(super) fn last_id(text: &[u8]) -> Result<StreamId, Failure> {
    match text.strip_prefix(b"(") {
        Some(text) => {
            let invalid = Failure::text("ERR invalid end ID for the interval");
            StreamId::parse(text, u64::MAX)?.previous().ok_or(invalid)
        }
        None => end(text, u64::MAX),
    }
}

fn end(text: &[u8], missing: u64) -> Result<StreamId, Failure> {
    match text {
        b"-" => Ok(StreamId::MIN),
        b"+" => Ok(StreamId::MAX),
        text => StreamId::parse(text, missing),
    }
}
