//! Fields of a hash by name.

use crate::call::{Call, Flow};
use crate::change::Class;
use crate::failure::Failure;
use crate::value::Hash;

pub(crate) fn hset(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let added = set(call, command, "hset")?;
    Ok(call.count(added))
}

pub(crate) fn hmset(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    set(call, command, "hmset")?;
    Ok(call.ok())
}

pub(crate) fn hsetnx(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (key, field, value) = (command[1], command[2], command[3]);
    if call.keys.read::<Hash>(key)?.is_some_and(|hash| hash.get(field).is_some()) {
        return Ok(call.yes(false));
    }
    call.keys.ensure::<Hash>(key)?.set(field, value);
    call.keys.changed(key, Class::Hash, "hset");
    Ok(call.yes(true))
}

pub(crate) fn hget(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    match call.keys.read::<Hash>(command[1])?.and_then(|hash| hash.get(command[2])) {
        Some(value) => call.answer.bulk(value),
        None => call.answer.null(),
    }
    Ok(Flow::Done)
}

pub(crate) fn hmget(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let hash = call.keys.read::<Hash>(command[1])?;
    call.answer.array(command.len() - 2);
    for field in &command[2..] {
        match hash.and_then(|hash| hash.get(field)) {
            Some(value) => call.answer.bulk(value),
            None => call.answer.null(),
        }
    }
    Ok(Flow::Done)
}

pub(crate) fn hdel(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let Some(hash) = call.keys.write::<Hash>(command[1])? else { return Ok(call.count(0)) };
    let removed = command[2..].iter().filter(|field| hash.remove(field)).count();
    if removed > 0 {
        call.keys.changed(command[1], Class::Hash, "hdel");
    }
    Ok(call.count(removed))
}

pub(crate) fn hexists(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let exists = call.keys.read::<Hash>(command[1])?.is_some_and(|hash| hash.get(command[2]).is_some());
    Ok(call.yes(exists))
}

pub(crate) fn hlen(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let len = call.keys.read::<Hash>(command[1])?.map_or(0, Hash::len);
    Ok(call.count(len))
}

pub(crate) fn hstrlen(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let value = call.keys.read::<Hash>(command[1])?.and_then(|hash| hash.get(command[2]));
    let len = value.map_or(0, <[u8]>::len);
    Ok(call.count(len))
}

/// Sets fields in pairs. Returns how many are new.
fn set(call: &mut Call<'_>, command: &[&[u8]], name: &'static str) -> Result<usize, Failure> {
    if !command.len().is_multiple_of(2) {
        return Err(Failure::Arguments(name.to_owned()));
    }
    let hash = call.keys.ensure::<Hash>(command[1])?;
    let added = command[2..].chunks_exact(2).filter(|pair| hash.set(pair[0], pair[1])).count();
    call.keys.changed(command[1], Class::Hash, "hset");
    Ok(added)
}
