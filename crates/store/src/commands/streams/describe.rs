//! `XINFO`: a stream, its groups and its consumers as maps.

use super::answers::{answer_entries, answer_entry, answer_id};
use crate::answer::Answer;
use crate::call::{Call, Flow};
use crate::commands::is_word;
use crate::failure::Failure;
use crate::number;
use crate::stream::Stream;
use crate::stream::group::{Consumer, Group, Pending};
use crate::stream::id::StreamId;
use crate::stream::log::Log;

/// Entries and pending entries in a full description when nothing is said.
const COUNT: usize = 10;

pub(super) fn xinfo(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let wall_ms = call.keys.moment.wall_ms;
    match *command {
        [_, word, key] if is_word(word, "STREAM") => {
            let stream = stream(call, key)?;
            answer_stream(stream.1, stream.0);
        }
        [_, word, key, full, ref rest @ ..] if is_word(word, "STREAM") => {
            let (stream, answer) = stream(call, key)?;
            let count = full_count(full, rest)?;
            answer_full(answer, stream, count);
        }
        [_, word, key] if is_word(word, "GROUPS") => {
            let (stream, answer) = stream(call, key)?;
            answer.array(stream.groups().len());
            for (name, group) in stream.groups() {
                answer_group(answer, name, group, &stream.log);
            }
        }
        [_, word, key, name] if is_word(word, "CONSUMERS") => {
            let (stream, answer) = stream(call, key)?;
            let group = stream.groups().get(name).ok_or_else(|| no_such_group(key, name))?;
            answer.array(group.consumers().len());
            for (name, consumer) in group.consumers() {
                answer_consumer(answer, name, consumer, wall_ms);
            }
        }
        [_, word, ..] => return Err(refusal(word)),
        _ => return Err(Failure::Arguments("xinfo".to_owned())),
    }
    Ok(Flow::Done)
}

fn stream<'c>(call: &'c mut Call<'_>, key: &[u8]) -> Result<(&'c Stream, &'c mut dyn Answer), Failure> {
    let stream = call.keys.read::<Stream>(key)?.ok_or(Failure::NoSuchKey)?;
    Ok((stream, &mut *call.answer))
}

fn no_such_group(key: &[u8], group: &[u8]) -> Failure {
    let (key, group) = (String::from_utf8_lossy(key), String::from_utf8_lossy(group));
    Failure::Text(format!("NOGROUP No such consumer group '{group}' for key name '{key}'").into())
}

fn refusal(word: &[u8]) -> Failure {
    let word = String::from_utf8_lossy(word);
    if ["STREAM", "GROUPS", "CONSUMERS"].iter().any(|known| word.eq_ignore_ascii_case(known)) {
        return Failure::Arguments(format!("xinfo|{}", word.to_ascii_lowercase()));
    }
    Failure::Text(format!("ERR unknown subcommand '{word}'. Try XINFO HELP.").into())
}

/// Reads `FULL [COUNT count]`; zero counts all.
fn full_count(full: &[u8], rest: &[&[u8]]) -> Result<usize, Failure> {
    const OTHER: Failure =
        Failure::text("ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.");
    match *rest {
        _ if !is_word(full, "FULL") => Err(OTHER),
        [] => Ok(COUNT),
        [word, count] if is_word(word, "COUNT") => match usize::try_from(number::integer_argument(count)?) {
            Ok(0) => Ok(usize::MAX),
            Ok(count) => Ok(count),
            Err(_) => Ok(COUNT),
        },
        _ => Err(OTHER),
    }
}

/// What both descriptions of a stream begin with: seven pairs.
fn answer_log(answer: &mut dyn Answer, log: &Log) {
    let entries = log.entries();
    answer_number(answer, "length", entries.len());
    answer_number(answer, "radix-tree-keys", entries.block_count());
    answer_number(answer, "radix-tree-nodes", entries.block_count() + 1);
    answer.bulk(b"last-generated-id");
    answer_id(answer, log.last_id);
    answer.bulk(b"max-deleted-entry-id");
    answer_id(answer, log.max_deleted_id);
    answer.bulk(b"entries-added");
    answer.integer(signed(log.entries_added));
    answer.bulk(b"recorded-first-entry-id");
    answer_id(answer, entries.first().map_or(StreamId::MIN, |entry| entry.id));
}

fn answer_stream(answer: &mut dyn Answer, stream: &Stream) {
    let entries = stream.log.entries();
    answer.map(10);
    answer_log(answer, &stream.log);
    answer_number(answer, "groups", stream.groups().len());
    for (name, entry) in [("first-entry", entries.first()), ("last-entry", entries.last())] {
        answer.bulk(name.as_bytes());
        match entry {
            Some(entry) => answer_entry(answer, entry),
            None => answer.null(),
        }
    }
}

fn answer_full(answer: &mut dyn Answer, stream: &Stream, count: usize) {
    answer.map(9);
    answer_log(answer, &stream.log);
    answer.bulk(b"entries");
    answer_entries(answer, stream.log.entries().range(StreamId::MIN, StreamId::MAX).take(count));
    answer.bulk(b"groups");
    answer.array(stream.groups().len());
    for (name, group) in stream.groups() {
        answer.map(7);
        answer.bulk(b"name");
        answer.bulk(name);
        answer_progress(answer, group, &stream.log);
        answer_number(answer, "pel-count", group.pending().len());
        answer.bulk(b"pending");
        answer.array(group.pending().len().min(count));
        for (id, pending) in group.pending().iter().take(count) {
            answer.array(4);
            answer_id(answer, *id);
            answer.bulk(&pending.consumer);
            answer.integer(signed(pending.delivered_wall_ms));
            answer.integer(signed(pending.deliveries));
        }
        answer.bulk(b"consumers");
        answer.array(group.consumers().len());
        for (name, consumer) in group.consumers() {
            answer_full_consumer(answer, name, consumer, group, count);
        }
    }
}

fn answer_full_consumer(
    answer: &mut dyn Answer,
    name: &[u8],
    consumer: &Consumer,
    group: &Group,
    count: usize,
) {
    answer.map(5);
    answer.bulk(b"name");
    answer.bulk(name);
    answer.bulk(b"seen-time");
    answer.integer(signed(consumer.seen_wall_ms));
    answer.bulk(b"active-time");
    answer.integer(consumer.active_wall_ms.map_or(-1, signed));
    answer_number(answer, "pel-count", consumer.pending().len());
    answer.bulk(b"pending");
    answer.array(consumer.pending().len().min(count));
    for id in consumer.pending().iter().take(count) {
        let (time, deliveries) =
            group.pending().get(id).map_or((0, 0), |Pending { delivered_wall_ms, deliveries, .. }| {
                (*delivered_wall_ms, *deliveries)
            });
        answer.array(3);
        answer_id(answer, *id);
        answer.integer(signed(time));
        answer.integer(signed(deliveries));
    }
}

fn answer_group(answer: &mut dyn Answer, name: &[u8], group: &Group, log: &Log) {
    answer.map(6);
    answer.bulk(b"name");
    answer.bulk(name);
    answer_number(answer, "consumers", group.consumers().len());
    answer_number(answer, "pending", group.pending().len());
    answer_progress(answer, group, log);
}

/// How far a group has read: three pairs.
fn answer_progress(answer: &mut dyn Answer, group: &Group, log: &Log) {
    answer.bulk(b"last-delivered-id");
    answer_id(answer, group.last_delivered);
    for (name, number) in [("entries-read", group.entries_read), ("lag", log.lag(group))] {
        answer.bulk(name.as_bytes());
        match number {
            Some(number) => answer.integer(signed(number)),
            None => answer.null(),
        }
    }
}

fn answer_consumer(answer: &mut dyn Answer, name: &[u8], consumer: &Consumer, wall_ms: u64) {
    answer.map(4);
    answer.bulk(b"name");
    answer.bulk(name);
    answer_number(answer, "pending", consumer.pending().len());
    answer.bulk(b"idle");
    answer.integer(signed(wall_ms.saturating_sub(consumer.seen_wall_ms)));
    answer.bulk(b"inactive");
    let inactive_ms = consumer.active_wall_ms.map(|active| signed(wall_ms.saturating_sub(active)));
    answer.integer(inactive_ms.unwrap_or(-1));
}

fn answer_number(answer: &mut dyn Answer, name: &str, number: usize) {
    answer.bulk(name.as_bytes());
    answer.integer(i64::try_from(number).unwrap_or(i64::MAX));
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
