//! Lifetimes of keys.

use crate::call::{Call, Flow};
use crate::change::Class;
use crate::commands::is_word;
use crate::commands::lifetime::{self, Unit};
use crate::failure::Failure;
use crate::moment::Deadline;
use crate::number;

pub(crate) fn expire(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    set(call, command, Unit::Seconds, false, "expire")
}

pub(crate) fn pexpire(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    set(call, command, Unit::Millis, false, "pexpire")
}

pub(crate) fn expireat(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    set(call, command, Unit::Seconds, true, "expireat")
}

pub(crate) fn pexpireat(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    set(call, command, Unit::Millis, true, "pexpireat")
}

pub(crate) fn ttl(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let moment = call.keys.moment;
    // Rounded, as in Redis: a key set for ten seconds has ten left right after.
    answer_deadline(call, command[1], |deadline| deadline.remaining_ms(moment).saturating_add(500) / 1000)
}

pub(crate) fn pttl(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let moment = call.keys.moment;
    answer_deadline(call, command[1], |deadline| deadline.remaining_ms(moment))
}

pub(crate) fn expiretime(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let moment = call.keys.moment;
    answer_deadline(call, command[1], |deadline| deadline.wall_ms(moment).saturating_add(500) / 1000)
}

pub(crate) fn pexpiretime(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let moment = call.keys.moment;
    answer_deadline(call, command[1], |deadline| deadline.wall_ms(moment))
}

pub(crate) fn persist(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let index = call.keys.index(command[1]).filter(|&index| call.keys.deadline_at(index).is_some());
    if let Some(index) = index {
        call.keys.set_deadline_at(index, None);
        call.keys.changed_at(index, Class::Generic, "persist");
    }
    Ok(call.yes(index.is_some()))
}

/// Answers -2 for a key there is not, -1 for one that does not end.
fn answer_deadline(
    call: &mut Call<'_>,
    key: &[u8],
    number: impl FnOnce(Deadline) -> u64,
) -> Result<Flow, Failure> {
    let Some(index) = call.keys.index(key) else { return Ok(call.integer(-2)) };
    let value = call
        .keys
        .deadline_at(index)
        .map_or(-1, |deadline| i64::try_from(number(deadline)).unwrap_or(i64::MAX));
    Ok(call.integer(value))
}

/// When a new deadline is taken over.
#[derive(Debug, Default)]
struct Condition {
    only_without: bool,
    only_with: bool,
    only_later: bool,
    only_earlier: bool,
}

fn set(
    call: &mut Call<'_>,
    command: &[&[u8]],
    unit: Unit,
    is_date: bool,
    name: &'static str,
) -> Result<Flow, Failure> {
    let key = command[1];
    let condition = condition(&command[3..])?;
    let number = number::integer_argument(command[2])?;
    let deadline = lifetime::any_deadline(&call.keys, number, unit, is_date, name)?;
    let Some(index) = call.keys.index(key) else { return Ok(call.yes(false)) };
    let moment = call.keys.moment;
    // A key that does not end ends later than any other.
    let old = call.keys.deadline_at(index).map(|old| old.wall_ms(moment));
    let new = deadline.wall_ms(moment);
    let is_refused = (condition.only_without && old.is_some())
        || (condition.only_with && old.is_none())
        || (condition.only_later && old.is_none_or(|old| new <= old))
        || (condition.only_earlier && old.is_some_and(|old| new >= old));
    if !is_refused {
        lifetime::give(&mut call.keys, key, index, deadline);
    }
    Ok(call.yes(!is_refused))
}

fn condition(words: &[&[u8]]) -> Result<Condition, Failure> {
    let mut condition = Condition::default();
    for &word in words {
        match word {
            _ if is_word(word, "NX") => condition.only_without = true,
            _ if is_word(word, "XX") => condition.only_with = true,
            _ if is_word(word, "GT") => condition.only_later = true,
            _ if is_word(word, "LT") => condition.only_earlier = true,
            _ => {
                let word = String::from_utf8_lossy(word);
                return Err(Failure::Text(format!("ERR Unsupported option {word}").into()));
            }
        }
    }
    let Condition { only_without, only_with, only_later, only_earlier } = condition;
    if only_without && (only_with || only_later || only_earlier) {
        return Err(Failure::text("ERR NX and XX, GT or LT options at the same time are not compatible"));
    }
    if only_later && only_earlier {
        return Err(Failure::text("ERR GT and LT options at the same time are not compatible"));
    }
    Ok(condition)
}
