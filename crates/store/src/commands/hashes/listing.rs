//! Hashes as a whole, in steps, or by chance.

use crate::call::{Call, Flow};
use crate::commands::is_word;
use crate::commands::random::{Wanted, nothing};
use crate::commands::scan::Scan;
use crate::failure::Failure;
use crate::value::{Digits, Hash};

pub(crate) fn hgetall(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let hash = call.keys.read::<Hash>(command[1])?;
    call.answer.map(hash.map_or(0, Hash::len));
    for (field, value) in hash.into_iter().flat_map(Hash::iter) {
        call.answer.bulk(field);
        call.answer.bulk(value);
    }
    Ok(Flow::Done)
}

pub(crate) fn hkeys(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let hash = call.keys.read::<Hash>(command[1])?;
    call.answer.array(hash.map_or(0, Hash::len));
    for (field, _) in hash.into_iter().flat_map(Hash::iter) {
        call.answer.bulk(field);
    }
    Ok(Flow::Done)
}

pub(crate) fn hvals(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let hash = call.keys.read::<Hash>(command[1])?;
    call.answer.array(hash.map_or(0, Hash::len));
    for (_, value) in hash.into_iter().flat_map(Hash::iter) {
        call.answer.bulk(value);
    }
    Ok(Flow::Done)
}

pub(crate) fn hscan(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let scan = Scan::new(command[2])?;
    let hash = call.keys.read::<Hash>(command[1])?;
    // Options are not looked at where there is nothing to walk.
    let scan = if hash.is_some() { scan.options(&command[3..], false, true)? } else { scan };
    let (start, end) = scan.step_within(hash.map_or(0, Hash::len));
    let taken = |index: usize| hash.and_then(|hash| hash.at(index)).filter(|(field, _)| scan.takes(field));
    call.answer.array(2);
    call.answer.bulk(Digits::new().format(start).as_bytes());
    let count = (start..end).filter_map(taken).count();
    call.answer.array(if scan.only_names { count } else { 2 * count });
    for (field, value) in (start..end).filter_map(taken) {
        call.answer.bulk(field);
        if !scan.only_names {
            call.answer.bulk(value);
        }
    }
    Ok(Flow::Done)
}

pub(crate) fn hrandfield(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let wanted = command.get(2).map(|count| Wanted::new(count)).transpose()?;
    let with_values = match command.get(3..) {
        None | Some([]) => false,
        Some([word]) if is_word(word, "WITHVALUES") => true,
        Some(_) => return Err(Failure::Syntax),
    };
    if with_values && matches!(wanted, Some(Wanted::Different(count)) if count > usize::MAX / 4) {
        return Err(Failure::text("ERR value is out of range"));
    }
    let len = call.keys.read::<Hash>(command[1])?.map_or(0, Hash::len);
    if len == 0 {
        return Ok(nothing(call, wanted.is_some()));
    }
    let chosen = wanted.unwrap_or(Wanted::Different(1)).indices(len, &mut call.keys.store.random);
    let is_paired = with_values && call.answer.is_resp3();
    let Some(hash) = call.keys.read::<Hash>(command[1])? else { return Ok(Flow::Done) };
    if wanted.is_some() {
        call.answer.array(if with_values && !is_paired { 2 * chosen.len() } else { chosen.len() });
    }
    for (field, value) in chosen.into_iter().filter_map(|index| hash.at(index)) {
        if is_paired {
            call.answer.array(2);
        }
        call.answer.bulk(field);
        if with_values {
            call.answer.bulk(value);
        }
    }
    Ok(Flow::Done)
}
