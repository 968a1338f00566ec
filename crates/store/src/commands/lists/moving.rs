//! Moving an element from one list to another in one step, so that it is never in neither.

use crate::call::{Call, Flow};
use crate::change::Class;
use crate::commands::lists::ends::push_event;
use crate::commands::lists::{end_argument, pop_names};
use crate::commands::waiting::{timeout, wait_for};
use crate::failure::Failure;
use crate::value::{End, Kind, List};

pub(crate) fn lmove(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (from, to) = (end_argument(command[3])?, end_argument(command[4])?);
    if !move_one(call, command[1], command[2], from, to)? {
        call.null();
    }
    Ok(Flow::Done)
}

pub(crate) fn rpoplpush(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    if !move_one(call, command[1], command[2], End::Right, End::Left)? {
        call.null();
    }
    Ok(Flow::Done)
}

pub(crate) fn blmove(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (from, to) = (end_argument(command[3])?, end_argument(command[4])?);
    move_or_wait(call, command[1], command[2], (from, to), command[5])
}

pub(crate) fn brpoplpush(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    move_or_wait(call, command[1], command[2], (End::Right, End::Left), command[3])
}

fn move_or_wait(
    call: &mut Call<'_>,
    source: &[u8],
    target: &[u8],
    (from, to): (End, End),
    seconds: &[u8],
) -> Result<Flow, Failure> {
    let deadline = timeout(&call.keys, seconds)?;
    if move_one(call, source, target, from, to)? {
        call.keys.effect(&[b"LMOVE", source, target, word(from), word(to)]);
        return Ok(Flow::Done);
    }
    if call.keys.may_block() {
        return Ok(Flow::Block(wait_for(&[source], Kind::List, deadline)));
    }
    Ok(call.null())
}

/// Moves an element and answers with it. Returns whether there was one; else nothing is answered.
fn move_one(call: &mut Call<'_>, source: &[u8], target: &[u8], from: End, to: End) -> Result<bool, Failure> {
    if call.keys.read::<List>(source)?.is_none() {
        return Ok(false);
    }
    call.keys.read::<List>(target)?;
    let Some(element) = call.keys.write::<List>(source)?.and_then(|list| list.pop(from)) else {
        return Ok(false);
    };
    call.answer.bulk(&element);
    call.keys.ensure::<List>(target)?.push(to, element);
    // Redis tells of the push first. The list that was taken from is told of last, which may remove it.
    call.keys.changed(target, Class::List, push_event(to));
    call.keys.changed(source, Class::List, pop_names(from).1);
    Ok(true)
}

fn word(end: End) -> &'static [u8] {
    match end {
        End::Left => b"LEFT",
        End::Right => b"RIGHT",
    }
}
