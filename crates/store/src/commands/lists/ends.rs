//! Pushing and popping.

use crate::call::{Call, Flow};
use crate::change::Class;
use crate::commands::lists::pop_names;
use crate::failure::Failure;
use crate::number;
use crate::value::{End, List};

pub(crate) fn lpush(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    push(call, command, End::Left, false)
}

pub(crate) fn rpush(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    push(call, command, End::Right, false)
}

pub(crate) fn lpushx(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    push(call, command, End::Left, true)
}

pub(crate) fn rpushx(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    push(call, command, End::Right, true)
}

pub(crate) fn lpop(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    pop(call, command, End::Left)
}

pub(crate) fn rpop(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    pop(call, command, End::Right)
}

fn push(call: &mut Call<'_>, command: &[&[u8]], end: End, only_old: bool) -> Result<Flow, Failure> {
    let key = command[1];
    if call.keys.read::<List>(key)?.is_none() && only_old {
        return Ok(call.count(0));
    }
    let list = call.keys.ensure::<List>(key)?;
    for &element in &command[2..] {
        list.push(end, element.into());
    }
    let len = list.len();
    call.keys.changed(key, Class::List, push_event(end));
    Ok(call.count(len))
}

pub(crate) fn push_event(end: End) -> &'static str {
    match end {
        End::Left => "lpush",
        End::Right => "rpush",
    }
}

fn pop(call: &mut Call<'_>, command: &[&[u8]], end: End) -> Result<Flow, Failure> {
    let key = command[1];
    let (name, event) = pop_names(end);
    let max = match command[2..] {
        [] => None,
        [count] => {
            let count = number::integer(count).and_then(|count| usize::try_from(count).ok());
            Some(count.ok_or(Failure::NotPositive)?)
        }
        _ => return Err(Failure::Arguments(String::from_utf8_lossy(name).to_lowercase())),
    };
    let Some(list) = call.keys.write::<List>(key)? else {
        return Ok(if max.is_some() { call.null_array() } else { call.null() });
    };
    match max {
        None => {
            let element = list.pop(end).unwrap_or_default();
            call.answer.bulk(&element);
        }
        Some(0) => return Ok(call.empty_array()),
        Some(max) => {
            let len = max.min(list.len());
            call.answer.array(len);
            for _ in 0..len {
                call.answer.bulk(&list.pop(end).unwrap_or_default());
            }
        }
    }
    call.keys.changed(key, Class::List, event);
    Ok(Flow::Done)
}
