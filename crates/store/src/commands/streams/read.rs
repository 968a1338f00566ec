//! `XREAD` and `XREADGROUP`: what several streams have beyond given ids, and waiting for it.
//!
//! A group's reader changes the group: what it is given is pending with it. The log is told the outcome as claims, and
//! how far the group has read; not that somebody read.

mod request;

use remuda_model::Tick;

use self::request::{Group, Position, Request};
use super::answers::{answer_entries, answer_entry, answer_id};
use super::{decimal, no_group};
use crate::blocked::Wait;
use crate::call::{Call, Flow};
use crate::change::Class;
use crate::commands::waiting::wait_for;
use crate::failure::Failure;
use crate::stream::Stream;
use crate::stream::group::Pending;
use crate::stream::id::StreamId;
use crate::stream::log::Log;
use crate::value::Kind;

pub(super) fn xread(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let request = Request::parse(command)?;
    let after: Vec<StreamId> = request
        .streams()
        .map(|(key, id)| {
            let log = call.keys.read::<Stream>(key)?.map(|stream| &stream.log);
            Ok(Position::parse(id, false)?.after(log))
        })
        .collect::<Result<_, Failure>>()?;
    let mut served = Vec::new();
    for ((key, _), &after) in request.streams().zip(&after) {
        if call.keys.look::<Stream>(key)?.is_some_and(|stream| has_more(&stream.log, after)) {
            served.push((key, after));
        }
    }
    if served.is_empty() {
        let command = request.is_blocking().then(|| resumed(command, &after));
        return Ok(wait(call, &request, command));
    }
    answer_streams(call, served.len());
    for (key, after) in served {
        answer_key(call, key);
        let first = after.next().unwrap_or(StreamId::MAX);
        if let Some(stream) = call.keys.look::<Stream>(key)? {
            answer_entries(call.answer, stream.log.entries().range(first, StreamId::MAX).take(request.count));
        }
    }
    Ok(Flow::Done)
}

pub(super) fn xreadgroup(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let request = Request::parse(command)?;
    let reader = request.group.ok_or(Failure::text("ERR Missing GROUP option for XREADGROUP"))?;
    let mut served = Vec::new();
    for (key, id) in request.streams() {
        let group = call
            .keys
            .read::<Stream>(key)?
            .and_then(|stream| Some((stream, stream.groups().get(reader.name)?)));
        let Some((stream, group)) = group else {
            return Err(no_group(key, reader.name, " in XREADGROUP with GROUP option"));
        };
        match Position::parse(id, true)? {
            Position::New if has_more(&stream.log, group.last_delivered) => served.push((key, None)),
            Position::New => {}
            other => served.push((key, Some(other.after(Some(&stream.log))))),
        }
    }
    call.keys.no_effect();
    for (key, _) in request.streams() {
        appear(call, key, reader)?;
    }
    if served.is_empty() {
        let wait = wait(call, &request, None);
        return Ok(match wait {
            Flow::Block(wait) => Flow::Block(Wait { wakes_when_gone: true, ..wait }),
            Flow::Done => Flow::Done,
        });
    }
    answer_streams(call, served.len());
    for (key, after) in served {
        answer_key(call, key);
        match after {
            None => deliver(call, key, reader, request.count)?,
            Some(after) => remind(call, key, reader, after, request.count)?,
        }
    }
    Ok(Flow::Done)
}

/// Whether a log has entries behind `id`.
fn has_more(log: &Log, id: StreamId) -> bool {
    log.entries().last().is_some_and(|last| last.id > id)
}

/// Opens the answer: a map from keys to entries, or an array of pairs.
fn answer_streams(call: &mut Call<'_>, len: usize) {
    if call.answer.is_resp3() { call.answer.map(len) } else { call.answer.array(len) }
}

fn answer_key(call: &mut Call<'_>, key: &[u8]) {
    if !call.answer.is_resp3() {
        call.answer.array(2);
    }
    call.answer.bulk(key);
}

/// Waits for any of the streams, or answers that there is nothing.
fn wait(call: &mut Call<'_>, request: &Request<'_>, command: Option<Vec<Box<[u8]>>>) -> Flow {
    let Some(block_ms) = request.block_ms.filter(|_| call.keys.may_block()) else {
        return call.null_array();
    };
    let deadline: Option<Tick> = (block_ms > 0).then(|| call.keys.after_ms(block_ms));
    Flow::Block(Wait { command, ..wait_for(request.keys, Kind::Stream, deadline) })
}

/// The command with the ids that `$` and its like meant when it was sent.
fn resumed(command: &[&[u8]], after: &[StreamId]) -> Vec<Box<[u8]>> {
    let (head, _) = command.split_at(command.len() - after.len());
    let head = head.iter().map(|&argument| argument.into());
    head.chain(after.iter().map(|id| id.text().as_bytes().into())).collect()
}

/// Notes that the reader was here; makes it a consumer if it is none.
fn appear(call: &mut Call<'_>, key: &[u8], reader: Group<'_>) -> Result<(), Failure> {
    let wall_ms = call.keys.moment.wall_ms;
    let Some(stream) = call.keys.write::<Stream>(key)? else { return Ok(()) };
    let is_new = stream.change_group(reader.name, |group, _| {
        let is_new = group.create_consumer(reader.consumer, wall_ms);
        if let Some(consumer) = group.consumer_mut(reader.consumer) {
            consumer.seen_wall_ms = wall_ms;
        }
        is_new
    });
    if is_new == Some(true) {
        call.keys.changed(key, Class::Stream, "xgroup-createconsumer");
        call.keys.effect(&[b"XGROUP", b"CREATECONSUMER", key, reader.name, reader.consumer]);
    }
    Ok(())
}

/// Gives the reader entries that no consumer of the group was given.
fn deliver(call: &mut Call<'_>, key: &[u8], reader: Group<'_>, count: usize) -> Result<(), Failure> {
    let (wall_ms, answer) = (call.keys.moment.wall_ms, &mut *call.answer);
    let Some(stream) = call.keys.write::<Stream>(key)? else { return Ok(()) };
    let given = stream.change_group(reader.name, |group, log| {
        let first = group.last_delivered.next().unwrap_or(StreamId::MAX);
        let entries = log.entries().range(first, StreamId::MAX).take(count);
        answer_entries(answer, entries.clone());
        let mut given = Vec::new();
        for entry in entries {
            group.entries_read = log.read_with(group.entries_read, entry.id);
            group.last_delivered = entry.id;
            if !reader.needs_no_acknowledgement {
                group.assign(entry.id, reader.consumer, wall_ms, 1);
                given.push(entry.id);
            }
        }
        if let Some(consumer) = group.consumer_mut(reader.consumer) {
            consumer.active_wall_ms = Some(wall_ms);
        }
        given
    });
    call.keys.changed(key, Class::Unnamed, "xreadgroup");
    for id in given.unwrap_or_default() {
        log_claim(call, key, reader.name, id)?;
    }
    log_position(call, key, reader.name)
}

/// Gives the reader again what it has and has not acknowledged.
fn remind(
    call: &mut Call<'_>,
    key: &[u8],
    reader: Group<'_>,
    after: StreamId,
    count: usize,
) -> Result<(), Failure> {
    let (wall_ms, answer) = (call.keys.moment.wall_ms, &mut *call.answer);
    let Some(stream) = call.keys.write::<Stream>(key)? else { return Ok(()) };
    let given = stream.change_group(reader.name, |group, log| {
        let first = after.next().unwrap_or(StreamId::MAX);
        let held = group.consumer(reader.consumer).map(|consumer| consumer.pending());
        let ids: Vec<StreamId> =
            held.into_iter().flat_map(|held| held.range(first..)).take(count).copied().collect();
        let mut given = Vec::new();
        answer.array(ids.len());
        for id in ids {
            match log.entries().get(id) {
                Some(entry) => {
                    answer_entry(answer, entry);
                    group.redeliver(id, wall_ms);
                    given.push(id);
                }
                None => {
                    answer.array(2);
                    answer_id(answer, id);
                    answer.null_array();
                }
            }
        }
        given
    });
    let given = given.unwrap_or_default();
    if !given.is_empty() {
        call.keys.changed(key, Class::Unnamed, "xreadgroup");
    }
    for id in given {
        log_claim(call, key, reader.name, id)?;
    }
    Ok(())
}

/// Tells the log who has an entry, since when, and how often it was given.
pub(super) fn log_claim(call: &mut Call<'_>, key: &[u8], group: &[u8], id: StreamId) -> Result<(), Failure> {
    let held = call.keys.look::<Stream>(key)?.and_then(|stream| stream.groups().get(group));
    let Some(group_state) = held else { return Ok(()) };
    let last = group_state.last_delivered.text();
    let Some(Pending { consumer, delivered_wall_ms, deliveries }) = group_state.pending().get(&id).cloned()
    else {
        return Ok(());
    };
    let (id, time, count) = (id.text(), decimal(delivered_wall_ms), decimal(deliveries));
    let (id, time, count, last) = (id.as_bytes(), time.as_bytes(), count.as_bytes(), last.as_bytes());
    call.keys.effect(&[
        b"XCLAIM",
        key,
        group,
        &consumer,
        b"0",
        id,
        b"TIME",
        time,
        b"RETRYCOUNT",
        count,
        b"FORCE",
        b"JUSTID",
        b"LASTID",
        last,
    ]);
    Ok(())
}

/// Tells the log how far a group has read.
pub(super) fn log_position(call: &mut Call<'_>, key: &[u8], group: &[u8]) -> Result<(), Failure> {
    let state = call.keys.look::<Stream>(key)?.and_then(|stream| stream.groups().get(group));
    let Some(state) = state else { return Ok(()) };
    let last = state.last_delivered.text();
    let read = state.entries_read.map_or_else(|| "-1".to_owned(), decimal);
    let (last, read) = (last.as_bytes(), read.as_bytes());
    call.keys.effect(&[b"XGROUP", b"SETID", key, group, last, b"ENTRIESREAD", read]);
    Ok(())
}
