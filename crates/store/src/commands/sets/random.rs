//! Members by chance.

use crate::call::{Call, Flow};
use crate::change::Class;
use crate::commands::random::{Wanted, nothing};
use crate::failure::Failure;
use crate::number;
use crate::value::{DUMP_ITEMS, Set};

pub(crate) fn spop(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let key = command[1];
    let count = match command[2..] {
        [] => None,
        [count] => {
            let count = number::integer(count).and_then(|count| usize::try_from(count).ok());
            Some(count.ok_or(Failure::NotPositive)?)
        }
        _ => return Err(Failure::Syntax),
    };
    let mut random = call.keys.store.random.clone();
    let Some(set) = call.keys.write::<Set>(key)? else {
        match count {
            Some(_) => call.answer.set(0),
            None => call.answer.null(),
        }
        return Ok(Flow::Done);
    };
    let wanted = count.unwrap_or(1).min(set.len());
    let popped: Vec<Box<[u8]>> = (0..wanted).filter_map(|_| set.take_random(&mut random)).collect();
    call.keys.store.random = random;
    if count.is_some() {
        call.answer.set(popped.len());
    }
    for member in &popped {
        call.answer.bulk(member);
    }
    if !popped.is_empty() {
        call.keys.changed(key, Class::Set, "spop");
        for some in popped.chunks(DUMP_ITEMS) {
            let mut effect: Vec<&[u8]> = vec![b"SREM", key];
            effect.extend(some.iter().map(AsRef::as_ref));
            call.keys.effect(&effect);
        }
    }
    Ok(Flow::Done)
}

pub(crate) fn srandmember(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let wanted = match command[2..] {
        [] => None,
        [count] => Some(Wanted::new(count)?),
        _ => return Err(Failure::Syntax),
    };
    let len = call.keys.read::<Set>(command[1])?.map_or(0, Set::len);
    if len == 0 {
        return Ok(nothing(call, wanted.is_some()));
    }
    let chosen = wanted.unwrap_or(Wanted::Different(1)).indices(len, &mut call.keys.store.random);
    let Some(set) = call.keys.read::<Set>(command[1])? else { return Ok(Flow::Done) };
    if wanted.is_some() {
        call.answer.array(chosen.len());
    }
    for member in chosen.into_iter().filter_map(|index| set.at(index)) {
        call.answer.bulk(member);
    }
    Ok(Flow::Done)
}
