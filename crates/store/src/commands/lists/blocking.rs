//! Popping from the first of several lists that has something, and waiting until one has.

use crate::call::{Call, Flow};
use crate::change::Class;
use crate::commands::is_word;
use crate::commands::lists::{end_argument, pop_names};
use crate::commands::waiting::{timeout, wait_for};
use crate::failure::Failure;
use crate::number;
use crate::value::{Digits, End, Kind, List};

pub(crate) fn blpop(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    pop_or_wait(call, command, End::Left)
}

pub(crate) fn brpop(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    pop_or_wait(call, command, End::Right)
}

pub(crate) fn lmpop(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (keys, end, count) = many(command, 1)?;
    Ok(if pop_many(call, keys, end, count)? { Flow::Done } else { call.null_array() })
}

pub(crate) fn blmpop(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (keys, end, count) = many(command, 2)?;
    let deadline = timeout(&call.keys, command[1])?;
    if pop_many(call, keys, end, count)? {
        return Ok(Flow::Done);
    }
    if call.keys.may_block() {
        return Ok(Flow::Block(wait_for(keys, Kind::List, deadline)));
    }
    Ok(call.null_array())
}

fn pop_or_wait(call: &mut Call<'_>, command: &[&[u8]], end: End) -> Result<Flow, Failure> {
    let (keys, seconds) = (&command[1..command.len() - 1], command[command.len() - 1]);
    let deadline = timeout(&call.keys, seconds)?;
    let (name, event) = pop_names(end);
    for &key in keys {
        let Some(element) = call.keys.write::<List>(key)?.and_then(|list| list.pop(end)) else { continue };
        call.keys.changed(key, Class::List, event);
        call.keys.effect(&[name, key]);
        call.answer.array(2);
        call.answer.bulk(key);
        call.answer.bulk(&element);
        return Ok(Flow::Done);
    }
    if call.keys.may_block() {
        return Ok(Flow::Block(wait_for(keys, Kind::List, deadline)));
    }
    Ok(call.null_array())
}

/// Reads `numkeys key [key ...] LEFT|RIGHT [COUNT count]` from argument `at`.
fn many<'a>(command: &'a [&'a [u8]], at: usize) -> Result<(&'a [&'a [u8]], End, usize), Failure> {
    let number = number::integer(command[at]).and_then(|number| usize::try_from(number).ok());
    let number = number.filter(|&number| number > 0);
    let number = number.ok_or(Failure::text("ERR numkeys should be greater than 0"))?;
    let keys = command[at + 1..].get(..number).ok_or(Failure::Syntax)?;
    let rest = &command[at + 1 + number..];
    let (word, options) = rest.split_first().ok_or(Failure::Syntax)?;
    let end = end_argument(word)?;
    let count = match options {
        [] => 1,
        [option, count] if is_word(option, "COUNT") => {
            let count = number::integer(count).and_then(|count| usize::try_from(count).ok());
            let refused = Failure::text("ERR count should be greater than 0");
            count.filter(|&count| count > 0).ok_or(refused)?
        }
        _ => return Err(Failure::Syntax),
    };
    Ok((keys, end, count))
}

fn pop_many(call: &mut Call<'_>, keys: &[&[u8]], end: End, count: usize) -> Result<bool, Failure> {
    let (name, event) = pop_names(end);
    for &key in keys {
        let Some(list) = call.keys.write::<List>(key)? else { continue };
        let count = count.min(list.len());
        call.answer.array(2);
        call.answer.bulk(key);
        call.answer.array(count);
        for _ in 0..count {
            call.answer.bulk(&list.pop(end).unwrap_or_default());
        }
        call.keys.changed(key, Class::List, event);
        call.keys.effect(&[name, key, Digits::new().format(count).as_bytes()]);
        return Ok(true);
    }
    Ok(false)
}
