//! Elements within a list.

use crate::call::{Call, Flow};
use crate::change::Class;
use crate::commands::is_word;
use crate::failure::Failure;
use crate::number;
use crate::value::{End, List};

pub(crate) fn llen(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let len = call.keys.read::<List>(command[1])?.map_or(0, List::len);
    Ok(call.count(len))
}

/// From where to before where two indices reach, negative ones counted from the end; none when that is nothing. Unlike
/// those of a string, an end before the first element is before it.
fn range(len: usize, start: i64, end: i64) -> Option<(usize, usize)> {
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    let from_start = |index: i64| if index < 0 { index.saturating_add(len) } else { index };
    let (from, to) = (from_start(start).max(0), from_start(end).min(len - 1));
    if from > to {
        return None;
    }
    Some((usize::try_from(from).ok()?, usize::try_from(to + 1).ok()?))
}

pub(crate) fn lrange(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (start, end) = (number::integer_argument(command[2])?, number::integer_argument(command[3])?);
    let list = call.keys.read::<List>(command[1])?;
    let Some((list, (start, end))) = list.and_then(|list| Some((list, range(list.len(), start, end)?)))
    else {
        return Ok(call.empty_array());
    };
    call.answer.array(end - start);
    for element in list.range(start, end) {
        call.answer.bulk(element);
    }
    Ok(Flow::Done)
}

pub(crate) fn lrem(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (key, element) = (command[1], command[3]);
    let count = number::integer_argument(command[2])?;
    let Some(list) = call.keys.write::<List>(key)? else { return Ok(call.count(0)) };
    let max = match usize::try_from(count.unsigned_abs()) {
        Ok(0) | Err(_) => usize::MAX,
        Ok(max) => max,
    };
    let removed = list.remove(element, if count < 0 { End::Right } else { End::Left }, max);
    if removed > 0 {
        call.keys.changed(key, Class::List, "lrem");
    }
    Ok(call.count(removed))
}

pub(crate) fn ltrim(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (start, end) = (number::integer_argument(command[2])?, number::integer_argument(command[3])?);
    if let Some(list) = call.keys.write::<List>(command[1])? {
        let (start, end) = range(list.len(), start, end).unwrap_or((0, 0));
        list.trim(start, end);
        call.keys.changed(command[1], Class::List, "ltrim");
    }
    Ok(call.ok())
}

pub(crate) fn lindex(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let Some(list) = call.keys.read::<List>(command[1])? else { return Ok(call.null()) };
    let index = number::integer_argument(command[2])?;
    match list.index(index).and_then(|index| list.get(index)) {
        Some(element) => call.answer.bulk(element),
        None => call.answer.null(),
    }
    Ok(Flow::Done)
}

pub(crate) fn lset(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let list = call.keys.write::<List>(command[1])?.ok_or(Failure::NoSuchKey)?;
    let index = list.index(number::integer_argument(command[2])?).ok_or(Failure::IndexOutOfRange)?;
    list.replace(index, command[3]);
    call.keys.changed(command[1], Class::List, "lset");
    Ok(call.ok())
}

pub(crate) fn linsert(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (key, word, pivot, element) = (command[1], command[2], command[3], command[4]);
    let is_after = is_word(word, "AFTER");
    if !is_after && !is_word(word, "BEFORE") {
        return Err(Failure::Syntax);
    }
    let Some(list) = call.keys.write::<List>(key)? else { return Ok(call.count(0)) };
    let Some(at) = list.iter().position(|each| **each == *pivot) else { return Ok(call.integer(-1)) };
    list.insert(at + usize::from(is_after), element);
    let len = list.len();
    call.keys.changed(key, Class::List, "linsert");
    Ok(call.count(len))
}
