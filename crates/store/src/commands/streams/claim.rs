//! `XCLAIM` and `XAUTOCLAIM`: pending entries pass from one consumer to another.
//!
//! An entry that was deleted meanwhile is no longer pending for whoever claims it. A claim from the log keeps it: the
//! log says what was, and a snapshot may hold such an entry.

use std::ops::Bound;

use super::answers::{answer_entry, answer_id};
use super::no_group;
use super::ranges::first_id;
use super::read::{log_claim, log_position};
use crate::call::{Call, Flow};
use crate::change::Class;
use crate::failure::Failure;
use crate::stream::Stream;
use crate::stream::group::Group;
use crate::stream::id::StreamId;

mod options;

use self::options::Options;

/// Pending entries `XAUTOCLAIM` looks at for each one it may claim, as in Redis.
const ATTEMPTS: usize = 10;

/// What a claim did to the group.
#[derive(Debug, Default)]
struct Claimed {
    /// Whether the consumer is new.
    is_new: bool,
    /// Passed to the consumer.
    ids: Vec<StreamId>,
    /// Deleted from the stream, and so no longer pending.
    deleted: Vec<StreamId>,
    /// Whether the group's last id was moved on.
    is_moved: bool,
    /// Where the next `XAUTOCLAIM` goes on.
    next: StreamId,
}

pub(super) fn xclaim(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (key, name, consumer) = (command[1], command[2], command[3]);
    let stream = call.keys.read::<Stream>(key)?;
    if stream.is_none_or(|stream| !stream.groups().contains_key(name)) {
        return Err(no_group(key, name, ""));
    }
    let idle_min_ms = options::idle_min_ms(command[4], "XCLAIM")?;
    let (ids, options) = Options::parse(&command[5..], call.keys.moment.wall_ms, call.keys.is_replaying())?;
    let (moment, is_replaying) = (call.keys.moment, call.keys.is_replaying());
    let Some(stream) = call.keys.write::<Stream>(key)? else { return Ok(call.empty_array()) };
    let claimed = stream.change_group(name, |group, log| {
        let mut claimed = Claimed { is_new: appear(group, consumer, moment.wall_ms), ..Claimed::default() };
        if let Some(last) = options.last_id.filter(|&last| last > group.last_delivered) {
            group.last_delivered = last;
            claimed.is_moved = true;
        }
        for id in ids {
            let known = group.pending().get(&id).cloned();
            if !is_replaying && log.entries().get(id).is_none() {
                claimed.deleted.extend(group.acknowledge(id).then_some(id));
                continue;
            }
            let is_idle = known
                .as_ref()
                .is_some_and(|known| moment.wall_ms.saturating_sub(known.delivered_wall_ms) >= idle_min_ms);
            if !is_idle && (known.is_some() || !options.is_forced) {
                continue;
            }
            let deliveries = options.deliveries.unwrap_or_else(|| {
                let before = known.map_or(1, |known| known.deliveries);
                before.saturating_add(u64::from(!options.only_ids))
            });
            group.assign(id, consumer, options.delivered_wall_ms, deliveries);
            claimed.ids.push(id);
        }
        be_active(group, consumer, moment.wall_ms, &claimed);
        claimed
    });
    let claimed = claimed.unwrap_or_default();
    conclude(call, (key, name, consumer), &claimed)?;
    answer_claimed(call, key, &claimed.ids, options.only_ids)?;
    Ok(Flow::Done)
}

pub(super) fn xautoclaim(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (key, name, consumer) = (command[1], command[2], command[3]);
    let idle_min_ms = options::idle_min_ms(command[4], "XAUTOCLAIM")?;
    let first = first_id(command[5])?;
    let (count, only_ids) = options::automatic(&command[6..])?;
    let wall_ms = call.keys.moment.wall_ms;
    let stream = call.keys.write::<Stream>(key)?.filter(|stream| stream.groups().contains_key(name));
    let stream = stream.ok_or_else(|| no_group(key, name, ""))?;
    let claimed = stream.change_group(name, |group, log| {
        let mut claimed = Claimed { is_new: appear(group, consumer, wall_ms), ..Claimed::default() };
        let mut from = Bound::Included(first);
        for _ in 0..count.saturating_mul(ATTEMPTS) {
            let next = group.pending().range((from, Bound::Unbounded)).next();
            let Some((&id, known)) = next.filter(|_| claimed.ids.len() + claimed.deleted.len() < count)
            else {
                break;
            };
            let is_idle = wall_ms.saturating_sub(known.delivered_wall_ms) >= idle_min_ms;
            let deliveries = known.deliveries.saturating_add(u64::from(!only_ids));
            from = Bound::Excluded(id);
            if log.entries().get(id).is_none() {
                group.acknowledge(id);
                claimed.deleted.push(id);
            } else if is_idle {
                group.assign(id, consumer, wall_ms, deliveries);
                claimed.ids.push(id);
            }
        }
        let next = group.pending().range((from, Bound::Unbounded)).next();
        claimed.next = next.map_or(StreamId::MIN, |(&id, _)| id);
        be_active(group, consumer, wall_ms, &claimed);
        claimed
    });
    let claimed = claimed.unwrap_or_default();
    conclude(call, (key, name, consumer), &claimed)?;
    call.answer.array(3);
    answer_id(call.answer, claimed.next);
    answer_claimed(call, key, &claimed.ids, only_ids)?;
    call.answer.array(claimed.deleted.len());
    for id in claimed.deleted {
        answer_id(call.answer, id);
    }
    Ok(Flow::Done)
}

/// Notes that a consumer was here; makes it one if it is none, and says so.
fn appear(group: &mut Group, consumer: &[u8], wall_ms: u64) -> bool {
    let is_new = group.create_consumer(consumer, wall_ms);
    if let Some(consumer) = group.consumer_mut(consumer) {
        consumer.seen_wall_ms = wall_ms;
    }
    is_new
}

fn be_active(group: &mut Group, consumer: &[u8], wall_ms: u64, claimed: &Claimed) {
    if let Some(consumer) = group.consumer_mut(consumer).filter(|_| !claimed.ids.is_empty()) {
        consumer.active_wall_ms = Some(wall_ms);
    }
}

/// Tells watchers and the log what a claim did.
fn conclude(
    call: &mut Call<'_>,
    (key, name, consumer): (&[u8], &[u8], &[u8]),
    claimed: &Claimed,
) -> Result<(), Failure> {
    call.keys.no_effect();
    if claimed.is_new {
        call.keys.changed(key, Class::Stream, "xgroup-createconsumer");
        call.keys.effect(&[b"XGROUP", b"CREATECONSUMER", key, name, consumer]);
    }
    if claimed.is_moved || !claimed.ids.is_empty() || !claimed.deleted.is_empty() {
        call.keys.changed(key, Class::Unnamed, "xclaim");
    }
    for &id in &claimed.ids {
        log_claim(call, key, name, id)?;
    }
    for id in &claimed.deleted {
        call.keys.effect(&[b"XACK", key, name, id.text().as_bytes()]);
    }
    if claimed.is_moved && claimed.ids.is_empty() {
        log_position(call, key, name)?;
    }
    Ok(())
}

fn answer_claimed(call: &mut Call<'_>, key: &[u8], ids: &[StreamId], only_ids: bool) -> Result<(), Failure> {
    call.answer.array(ids.len());
    let stream = call.keys.look::<Stream>(key)?;
    for &id in ids {
        match stream.and_then(|stream| stream.log.entries().get(id)).filter(|_| !only_ids) {
            Some(entry) => answer_entry(call.answer, entry),
            None => answer_id(call.answer, id),
        }
    }
    Ok(())
}
