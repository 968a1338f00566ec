//! Sets made of sets.

use crate::call::{Call, Flow};
use crate::change::Class;
use crate::commands::is_word;
use crate::failure::Failure;
use crate::keys::Keys;
use crate::number;
use crate::value::{Set, Value};

/// How sets are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Combination {
    Intersection,
    Union,
    Difference,
}

use Combination::{Difference, Intersection, Union};

pub(crate) fn sinter(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    answer(call, &command[1..], Intersection)
}

pub(crate) fn sunion(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    answer(call, &command[1..], Union)
}

pub(crate) fn sdiff(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    answer(call, &command[1..], Difference)
}

pub(crate) fn sinterstore(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    store(call, command, Intersection, "sinterstore")
}

pub(crate) fn sunionstore(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    store(call, command, Union, "sunionstore")
}

pub(crate) fn sdiffstore(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    store(call, command, Difference, "sdiffstore")
}

pub(crate) fn sintercard(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let number = number::integer(command[1]).and_then(|number| usize::try_from(number).ok());
    let number = number.filter(|&number| number > 0);
    let number = number.ok_or(Failure::text("ERR numkeys should be greater than 0"))?;
    let too_many = Failure::text("ERR Number of keys can't be greater than number of args");
    let names = command[2..].get(..number).ok_or(too_many)?;
    let max = match command[2 + number..] {
        [] => usize::MAX,
        [word, limit] if is_word(word, "LIMIT") => {
            let limit = number::integer(limit).and_then(|limit| usize::try_from(limit).ok());
            match limit.ok_or(Failure::text("ERR LIMIT can't be negative"))? {
                0 => usize::MAX,
                limit => limit,
            }
        }
        _ => return Err(Failure::Syntax),
    };
    let sets = sets(&mut call.keys, names)?;
    let count = members(&sets, Intersection).take(max).count();
    Ok(call.count(count))
}

fn answer(call: &mut Call<'_>, names: &[&[u8]], combination: Combination) -> Result<Flow, Failure> {
    if combination == Union {
        let union = union(&mut call.keys, names)?;
        call.answer.set(union.len());
        union.iter().for_each(|member| call.answer.bulk(member));
        return Ok(Flow::Done);
    }
    let sets = sets(&mut call.keys, names)?;
    let found: Vec<&[u8]> = members(&sets, combination).collect();
    call.answer.set(found.len());
    for member in found {
        call.answer.bulk(member);
    }
    Ok(Flow::Done)
}

fn store(
    call: &mut Call<'_>,
    command: &[&[u8]],
    combination: Combination,
    event: &'static str,
) -> Result<Flow, Failure> {
    let (target, names) = (command[1], &command[2..]);
    let result = if combination == Union {
        union(&mut call.keys, names)?
    } else {
        let mut result = Set::new(call.keys.store.hashing.clone());
        let sets = sets(&mut call.keys, names)?;
        for member in members(&sets, combination) {
            result.insert(member);
        }
        result
    };
    let len = result.len();
    if len > 0 {
        call.keys.put(target, Value::Set(Box::new(result)), Class::Set, event);
    } else {
        call.keys.remove(target, Class::Generic, "del");
    }
    Ok(call.count(len))
}

/// The sets of those names; none for a name there is not.
fn sets<'a>(keys: &'a mut Keys<'_>, names: &[&[u8]]) -> Result<Vec<Option<&'a Set>>, Failure> {
    for name in names {
        keys.exists(name);
    }
    let keys = &*keys;
    names.iter().map(|name| keys.look::<Set>(name)).collect()
}

fn union(keys: &mut Keys<'_>, names: &[&[u8]]) -> Result<Set, Failure> {
    let mut union = Set::new(keys.store.hashing.clone());
    for member in sets(keys, names)?.into_iter().flatten().flat_map(Set::iter) {
        union.insert(member);
    }
    Ok(union)
}

/// The members of an intersection, walked from the smallest set, or of a difference.
fn members<'a>(sets: &'a [Option<&'a Set>], combination: Combination) -> impl Iterator<Item = &'a [u8]> {
    let is_empty = combination == Intersection && sets.iter().any(Option::is_none);
    let walked = match combination {
        Intersection => sets.iter().enumerate().min_by_key(|(_, set)| set.map_or(0, Set::len)),
        Union | Difference => sets.iter().enumerate().next(),
    };
    let (at, walked) = walked.map_or((0, None), |(at, set)| (at, *set));
    let others =
        move || sets.iter().enumerate().filter(move |(each, _)| *each != at).filter_map(|(_, set)| *set);
    walked.filter(|_| !is_empty).into_iter().flat_map(Set::iter).filter(move |member| {
        if combination == Intersection {
            others().all(|set| set.contains(member))
        } else {
            !others().any(|set| set.contains(member))
        }
    })
}
