//! Several strings at once.

use crate::call::{Call, Flow};
use crate::change::Class;
use crate::command::KeyRule;
use crate::failure::Failure;
use crate::value::{Digits, Text, Value};

/// Keys and values in turn.
pub(crate) const PAIRS: KeyRule = KeyRule::Span { first: 1, last: -1, step: 2 };

pub(crate) fn mget(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    call.answer.array(command.len() - 1);
    for key in &command[1..] {
        match call.keys.value(key) {
            Some(Value::Text(text)) => call.answer.bulk(text.bytes(&mut Digits::new())),
            _ => call.answer.null(),
        }
    }
    Ok(Flow::Done)
}

pub(crate) fn mset(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    check(call, command)?;
    put_all(call, command);
    Ok(call.ok())
}

pub(crate) fn msetnx(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    check(call, command)?;
    let any_exists = command[1..].iter().step_by(2).any(|key| call.keys.exists(key));
    if !any_exists {
        put_all(call, command);
    }
    Ok(call.yes(!any_exists))
}

fn check(call: &Call<'_>, command: &[&[u8]]) -> Result<(), Failure> {
    if command.len().is_multiple_of(2) {
        return Err(Failure::Arguments(String::from_utf8_lossy(command[0]).to_lowercase()));
    }
    let max = call.keys.value_max_bytes();
    if command[1..].iter().any(|each| each.len() > max) { Err(Failure::TooLong) } else { Ok(()) }
}

fn put_all(call: &mut Call<'_>, command: &[&[u8]]) {
    for pair in command[1..].chunks_exact(2) {
        call.keys.put(pair[0], Value::Text(Text::new(pair[1])), Class::Text, "set");
    }
}
