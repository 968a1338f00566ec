//! `XPENDING`: what was given and not acknowledged, in short or entry by entry.

use super::answers::answer_id;
use super::no_group;
use super::ranges::{first_id, last_id};
use crate::call::{Call, Flow};
use crate::commands::is_word;
use crate::failure::Failure;
use crate::number;
use crate::stream::Stream;
use crate::stream::group::{Group, Pending};
use crate::stream::id::StreamId;
use crate::value::Digits;

/// Which pending entries are asked for.
#[derive(Debug, Clone, Copy)]
struct Query<'a> {
    idle_min_ms: u64,
    first: StreamId,
    last: StreamId,
    count: usize,
    consumer: Option<&'a [u8]>,
}

impl<'a> Query<'a> {
    /// Reads `[IDLE ms] start end count [consumer]`; none when there is nothing to read.
    fn parse(words: &[&'a [u8]]) -> Result<Option<Self>, Failure> {
        let (idle_min_ms, words) = match words {
            [] => return Ok(None),
            [word, idle, rest @ ..] if is_word(word, "IDLE") => {
                (u64::try_from(number::integer_argument(idle)?).unwrap_or(0), rest)
            }
            rest => (0, rest),
        };
        let (first, last, count, consumer) = match *words {
            [first, last, count] => (first, last, count, None),
            [first, last, count, consumer] => (first, last, count, Some(consumer)),
            _ => return Err(Failure::Syntax),
        };
        let count = usize::try_from(number::integer_argument(count)?).unwrap_or(0);
        Ok(Some(Self { idle_min_ms, first: first_id(first)?, last: last_id(last)?, count, consumer }))
    }

    /// What of the group it asks for.
    fn find<'g>(&self, group: &'g Group, wall_ms: u64) -> Vec<(StreamId, &'g Pending)> {
        if self.first > self.last {
            return Vec::new();
        }
        let pending = group.pending();
        let is_idle = |(_, pending): &(StreamId, &Pending)| {
            wall_ms.saturating_sub(pending.delivered_wall_ms) >= self.idle_min_ms
        };
        let Some(consumer) = self.consumer else {
            let all = pending.range(self.first..=self.last).map(|(&id, pending)| (id, pending));
            return all.filter(is_idle).take(self.count).collect();
        };
        let held = group.consumer(consumer).map(|consumer| consumer.pending().range(self.first..=self.last));
        let held = held.into_iter().flatten().filter_map(|id| Some((*id, pending.get(id)?)));
        held.filter(is_idle).take(self.count).collect()
    }
}

pub(super) fn xpending(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let query = Query::parse(&command[3..])?;
    let wall_ms = call.keys.moment.wall_ms;
    let group = call.keys.read::<Stream>(command[1])?.and_then(|stream| stream.groups().get(command[2]));
    let group = group.ok_or_else(|| no_group(command[1], command[2], ""))?;
    let answer = &mut *call.answer;
    let Some(query) = query else {
        answer_summary(answer, group);
        return Ok(Flow::Done);
    };
    let found = query.find(group, wall_ms);
    answer.array(found.len());
    for (id, pending) in found {
        answer.array(4);
        answer_id(answer, id);
        answer.bulk(&pending.consumer);
        answer.integer(signed(wall_ms.saturating_sub(pending.delivered_wall_ms)));
        answer.integer(signed(pending.deliveries));
    }
    Ok(Flow::Done)
}

fn answer_summary(answer: &mut dyn crate::answer::Answer, group: &Group) {
    let pending = group.pending();
    answer.array(4);
    answer.integer(i64::try_from(pending.len()).unwrap_or(i64::MAX));
    let (Some((&first, _)), Some((&last, _))) = (pending.first_key_value(), pending.last_key_value()) else {
        answer.null();
        answer.null();
        answer.null_array();
        return;
    };
    answer_id(answer, first);
    answer_id(answer, last);
    let busy = group.consumers().iter().filter(|(_, consumer)| !consumer.pending().is_empty());
    answer.array(busy.clone().count());
    for (name, consumer) in busy {
        answer.array(2);
        answer.bulk(name);
        answer.bulk(Digits::new().format(consumer.pending().len()).as_bytes());
    }
}

/// A count or a duration as an answer.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
