//! Strings that are numbers.

use crate::call::{Call, Flow};
use crate::change::Class;
use crate::failure::Failure;
use crate::number;
use crate::value::{Digits, Text, Value};

pub(crate) fn incr(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    add(call, command[1], 1)
}

pub(crate) fn incrby(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let step = number::integer_argument(command[2])?;
    add(call, command[1], step)
}

pub(crate) fn decr(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    add(call, command[1], -1)
}

pub(crate) fn decrby(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let step = number::integer_argument(command[2])?;
    let step = step.checked_neg().ok_or(Failure::text("ERR decrement would overflow"))?;
    add(call, command[1], step)
}

pub(crate) fn incrbyfloat(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (key, step) = (command[1], command[2]);
    let mut digits = Digits::new();
    let old = call.keys.read::<Text>(key)?.map_or(&b"0"[..], |text| text.bytes(&mut digits));
    let sum = number::decimal_sum(old, step)?;
    replace(call, key, Text::new(sum.as_bytes()), "incrbyfloat");
    call.keys.effect(&[b"SET", key, sum.as_bytes(), b"KEEPTTL"]);
    Ok(call.bulk(sum.as_bytes()))
}

fn add(call: &mut Call<'_>, key: &[u8], step: i64) -> Result<Flow, Failure> {
    let old = match call.keys.read::<Text>(key)? {
        Some(text) => text.integer().ok_or(Failure::NotInteger)?,
        None => 0,
    };
    let sum = old.checked_add(step).ok_or(Failure::Overflow)?;
    replace(call, key, Text::Integer(sum), "incrby");
    Ok(call.integer(sum))
}

/// Puts `text`; the key keeps its lifetime.
fn replace(call: &mut Call<'_>, key: &[u8], text: Text, event: &'static str) {
    let index = match call.keys.index(key) {
        Some(index) => {
            *call.keys.value_at(index) = Value::Text(text);
            index
        }
        None => call.keys.add(key, Value::Text(text)),
    };
    call.keys.changed_at(index, Class::Text, event);
}
