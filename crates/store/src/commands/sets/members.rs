//! Members of a set by name, all of them, or in steps.

use crate::call::{Call, Flow};
use crate::change::Class;
use crate::commands::scan::Scan;
use crate::failure::Failure;
use crate::value::{Digits, Set};

pub(crate) fn sadd(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let set = call.keys.ensure::<Set>(command[1])?;
    let added = command[2..].iter().filter(|member| set.insert(member)).count();
    if added > 0 {
        call.keys.changed(command[1], Class::Set, "sadd");
    }
    Ok(call.count(added))
}

pub(crate) fn srem(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let Some(set) = call.keys.write::<Set>(command[1])? else { return Ok(call.count(0)) };
    let removed = command[2..].iter().filter(|member| set.remove(member)).count();
    if removed > 0 {
        call.keys.changed(command[1], Class::Set, "srem");
    }
    Ok(call.count(removed))
}

pub(crate) fn smembers(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let set = call.keys.read::<Set>(command[1])?;
    call.answer.set(set.map_or(0, Set::len));
    for member in set.into_iter().flat_map(Set::iter) {
        call.answer.bulk(member);
    }
    Ok(Flow::Done)
}

pub(crate) fn sismember(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let is_member = call.keys.read::<Set>(command[1])?.is_some_and(|set| set.contains(command[2]));
    Ok(call.yes(is_member))
}

pub(crate) fn smismember(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let set = call.keys.read::<Set>(command[1])?;
    call.answer.array(command.len() - 2);
    for member in &command[2..] {
        call.answer.integer(i64::from(set.is_some_and(|set| set.contains(member))));
    }
    Ok(Flow::Done)
}

pub(crate) fn scard(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let len = call.keys.read::<Set>(command[1])?.map_or(0, Set::len);
    Ok(call.count(len))
}

pub(crate) fn smove(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (source, target, member) = (command[1], command[2], command[3]);
    let Some(is_member) = call.keys.read::<Set>(source)?.map(|set| set.contains(member)) else {
        return Ok(call.yes(false));
    };
    call.keys.read::<Set>(target)?;
    if source == target || !is_member {
        return Ok(call.yes(is_member));
    }
    if let Some(set) = call.keys.write::<Set>(source)? {
        set.remove(member);
    }
    call.keys.changed(source, Class::Set, "srem");
    if call.keys.ensure::<Set>(target)?.insert(member) {
        call.keys.changed(target, Class::Set, "sadd");
    }
    Ok(call.yes(true))
}

pub(crate) fn sscan(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let scan = Scan::new(command[2])?;
    let set = call.keys.read::<Set>(command[1])?;
    // Options are not looked at where there is nothing to walk.
    let scan = if set.is_some() { scan.options(&command[3..], false, false)? } else { scan };
    let (start, end) = scan.step_within(set.map_or(0, Set::len));
    let taken = |index: usize| set.and_then(|set| set.at(index)).filter(|member| scan.takes(member));
    call.answer.array(2);
    call.answer.bulk(Digits::new().format(start).as_bytes());
    call.answer.array((start..end).filter_map(taken).count());
    for member in (start..end).filter_map(taken) {
        call.answer.bulk(member);
    }
    Ok(Flow::Done)
}
