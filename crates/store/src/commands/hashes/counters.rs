//! Fields that are numbers.

use crate::call::{Call, Flow};
use crate::change::Class;
use crate::failure::Failure;
use crate::number;
use crate::value::{Digits, Hash};

pub(crate) fn hincrby(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (key, field) = (command[1], command[2]);
    let step = number::integer_argument(command[3])?;
    let old = match call.keys.read::<Hash>(key)?.and_then(|hash| hash.get(field)) {
        Some(text) => number::integer(text).ok_or(Failure::text("ERR hash value is not an integer"))?,
        None => 0,
    };
    let sum = old.checked_add(step).ok_or(Failure::Overflow)?;
    call.keys.ensure::<Hash>(key)?.set(field, Digits::new().format(sum).as_bytes());
    call.keys.changed(key, Class::Hash, "hincrby");
    Ok(call.integer(sum))
}

pub(crate) fn hincrbyfloat(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (key, field, step) = (command[1], command[2], command[3]);
    number::float(step).filter(|step| step.is_finite()).ok_or_else(|| match number::float(step) {
        Some(_) => Failure::text("ERR value is NaN or Infinity"),
        None => Failure::NotFloat,
    })?;
    let old = call.keys.read::<Hash>(key)?.and_then(|hash| hash.get(field)).unwrap_or(b"0");
    number::float(old).ok_or(Failure::text("ERR hash value is not a float"))?;
    let sum = number::decimal_sum(old, step)?;
    call.keys.ensure::<Hash>(key)?.set(field, sum.as_bytes());
    call.keys.changed(key, Class::Hash, "hincrbyfloat");
    call.keys.effect(&[b"HSET", key, field, sum.as_bytes()]);
    Ok(call.bulk(sum.as_bytes()))
}
