//! `XADD` and `XSETID`: entries in, and what a stream remembers set by hand.

use super::answers::answer_id;
use super::decimal;
use super::remove::{Trimming, log_len};
use crate::call::{Call, Flow};
use crate::change::Class;
use crate::commands::is_word;
use crate::failure::Failure;
use crate::number;
use crate::stream::Stream;
use crate::stream::entry::Fields;
use crate::stream::id::{StreamId, part};
use crate::stream::log::Log;

const NOT_ABOVE: Failure =
    Failure::text("ERR The ID specified in XADD is equal or smaller than the target stream top item");

/// The id asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NewId {
    /// `*`: the clock's.
    Any,
    /// `ms-*`: the next one within this millisecond.
    Within(u64),
    /// This one.
    Exactly(StreamId),
}

impl NewId {
    fn parse(text: &[u8]) -> Result<Self, Failure> {
        if text == b"*" {
            return Ok(Self::Any);
        }
        if let Some(ms) = text.strip_suffix(b"-*").and_then(part) {
            return Ok(Self::Within(ms));
        }
        StreamId::parse(text, 0).map(Self::Exactly)
    }

    /// The id an entry gets now; refused when it would not be above the last one.
    fn choose(self, log: &Log, wall_ms: u64) -> Result<StreamId, Failure> {
        if log.last_id == StreamId::MAX {
            let text = "ERR The stream has exhausted the last possible ID, unable to add more items";
            return Err(Failure::text(text));
        }
        let id = match self {
            Self::Any => log.next_id(wall_ms),
            Self::Exactly(id) => Some(id),
            Self::Within(ms) if ms > log.last_id.ms => Some(StreamId { ms, number: 0 }),
            Self::Within(ms) => log.last_id.next().filter(|next| next.ms == ms),
        };
        id.filter(|&id| id > log.last_id).ok_or(NOT_ABOVE)
    }
}

pub(super) fn xadd(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let key = command[1];
    let (trimming, rest) = Trimming::parse(&command[2..], true)?;
    let (id, fields) = rest.split_first().ok_or_else(|| Failure::Arguments("xadd".to_owned()))?;
    let id = NewId::parse(id)?;
    if fields.is_empty() || fields.len() % 2 == 1 {
        return Err(Failure::Arguments("xadd".to_owned()));
    }
    if id == NewId::Exactly(StreamId::MIN) {
        return Err(Failure::text("ERR The ID specified in XADD must be greater than 0-0"));
    }
    let wall_ms = call.keys.moment.wall_ms;
    let id = match call.keys.read::<Stream>(key)? {
        Some(stream) => id.choose(&stream.log, wall_ms)?,
        None if trimming.makes_no_stream => return Ok(call.null()),
        None => id.choose(&Log::default(), wall_ms)?,
    };
    let log = &mut call.keys.ensure::<Stream>(key)?.log;
    log.append(id, Fields::new(fields));
    let trimmed = trimming.trim.map_or(0, |trim| log.trim(trim));
    let len = log_len(log);
    call.keys.changed(key, Class::Stream, "xadd");
    if trimmed > 0 {
        call.keys.also(key, Class::Stream, "xtrim");
    }
    let text = id.text();
    let mut effect: Vec<&[u8]> = vec![b"XADD", key];
    if trimmed > 0 {
        effect.extend([&b"MAXLEN"[..], b"=", len.as_bytes()]);
    }
    effect.push(text.as_bytes());
    effect.extend(fields);
    call.keys.effect(&effect);
    answer_id(call.answer, id);
    Ok(Flow::Done)
}

pub(super) fn xsetid(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let last = StreamId::parse(command[2], 0)?;
    let (added, deleted) = remembered(&command[3..])?;
    if deleted.is_some_and(|deleted| last < deleted) {
        let text = "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id";
        return Err(Failure::text(text));
    }
    let key = command[1];
    let log = &mut call.keys.write::<Stream>(key)?.ok_or(Failure::NoSuchKey)?.log;
    if log.entries().last().is_some_and(|entry| last < entry.id) {
        let text = "ERR The ID specified in XSETID is smaller than the target stream top item";
        return Err(Failure::text(text));
    }
    if last < log.max_deleted_id {
        let text = "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id";
        return Err(Failure::text(text));
    }
    let len = u64::try_from(log.entries().len()).unwrap_or(u64::MAX);
    if !log.entries().is_empty() && added.is_some_and(|added| added < len) {
        let text = "ERR The entries_added specified in XSETID is smaller than the target stream length";
        return Err(Failure::text(text));
    }
    log.last_id = last;
    log.entries_added = added.unwrap_or(log.entries_added);
    // The id that no entry has says that nothing is said.
    log.max_deleted_id = deleted.filter(|&id| id != StreamId::MIN).unwrap_or(log.max_deleted_id);
    let effect = [decimal(log.entries_added).into_bytes(), log.max_deleted_id.text().as_bytes().to_vec()];
    call.keys.changed(key, Class::Stream, "xsetid");
    let last = last.text();
    let last = last.as_bytes();
    call.keys.effect(&[b"XSETID", key, last, b"ENTRIESADDED", &effect[0], b"MAXDELETEDID", &effect[1]]);
    Ok(call.ok())
}

fn remembered(words: &[&[u8]]) -> Result<(Option<u64>, Option<StreamId>), Failure> {
    let (mut added, mut deleted) = (None, None);
    let mut rest = words;
    while let [word, value, after @ ..] = rest {
        if is_word(word, "ENTRIESADDED") {
            let value = number::integer_argument(value)?;
            let negative = Failure::text("ERR entries_added must be positive");
            added = Some(u64::try_from(value).map_err(|_negative| negative)?);
        } else if is_word(word, "MAXDELETEDID") {
            deleted = Some(StreamId::parse(value, 0)?);
        } else {
            return Err(Failure::Syntax);
        }
        rest = after;
    }
    if rest.is_empty() { Ok((added, deleted)) } else { Err(Failure::Syntax) }
}
