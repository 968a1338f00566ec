//! Taking the members with the lowest or highest scores out, and waiting for one.

use remuda_model::Tick;

use crate::call::{Call, Flow};
use crate::change::Class;
use crate::commands::is_word;
use crate::commands::waiting::{timeout, wait_for};
use crate::failure::Failure;
use crate::number;
use crate::sorted_set::SortedSet;
use crate::value::Kind;

/// From which end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Lowest,
    Highest,
}

/// The shape of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// The member and its score.
    One,
    /// All members and scores: pairs where the client speaks RESP3.
    Many,
    /// The key, the member and its score.
    OneOfKey,
    /// The key, and pairs always.
    ManyOfKey,
}

type Popped = Vec<(Box<[u8]>, f64)>;

impl End {
    fn event(self) -> &'static str {
        if self == Self::Lowest { "zpopmin" } else { "zpopmax" }
    }

    fn pop(self, set: &mut SortedSet) -> Option<(Box<[u8]>, f64)> {
        if self == Self::Lowest { set.pop_first() } else { set.pop_last() }
    }
}

pub(super) fn zpopmin(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    pop(call, command, End::Lowest)
}

pub(super) fn zpopmax(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    pop(call, command, End::Highest)
}

pub(super) fn bzpopmin(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    pop_or_wait(call, command, End::Lowest)
}

pub(super) fn bzpopmax(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    pop_or_wait(call, command, End::Highest)
}

pub(super) fn zmpop(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (keys, end, count) = several(&command[1..])?;
    match pop_first_filled(call, keys, end, count, Shape::ManyOfKey)? {
        Some(flow) => Ok(flow),
        None => Ok(call.null_array()),
    }
}

pub(super) fn bzmpop(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (keys, end, count) = several(&command[2..])?;
    let deadline = timeout(&call.keys, command[1])?;
    match pop_first_filled(call, keys, end, count, Shape::ManyOfKey)? {
        Some(flow) => Ok(flow),
        None => Ok(wait(call, keys, deadline)),
    }
}

fn pop(call: &mut Call<'_>, command: &[&[u8]], end: End) -> Result<Flow, Failure> {
    let count = match command[2..] {
        [] => None,
        [count] => {
            let count = number::integer(count).and_then(|count| usize::try_from(count).ok());
            Some(count.ok_or(Failure::NotPositive)?)
        }
        _ => return Err(Failure::Syntax),
    };
    let popped = take(call, command[1], end, count.unwrap_or(1))?;
    if popped.is_empty() {
        return Ok(call.empty_array());
    }
    Ok(answer(call, command[1], &popped, if count.is_some() { Shape::Many } else { Shape::One }))
}

fn pop_or_wait(call: &mut Call<'_>, command: &[&[u8]], end: End) -> Result<Flow, Failure> {
    let (seconds, keys) = command[1..].split_last().expect("its arity is three or more");
    let deadline = timeout(&call.keys, seconds)?;
    match pop_first_filled(call, keys, end, 1, Shape::OneOfKey)? {
        Some(flow) => Ok(flow),
        None => Ok(wait(call, keys, deadline)),
    }
}

fn wait(call: &mut Call<'_>, keys: &[&[u8]], deadline: Option<Tick>) -> Flow {
    if call.keys.may_block() {
        return Flow::Block(wait_for(keys, Kind::SortedSet, deadline));
    }
    call.null_array()
}

/// Reads a number of keys, the keys, the end, and `COUNT`.
fn several<'a>(words: &'a [&'a [u8]]) -> Result<(&'a [&'a [u8]], End, usize), Failure> {
    const NO_KEYS: Failure = Failure::text("ERR numkeys should be greater than 0");
    const NO_COUNT: Failure = Failure::text("ERR count should be greater than 0");
    let positive = |text: &[u8]| {
        let number = number::integer(text).and_then(|number| usize::try_from(number).ok());
        number.filter(|&number| number > 0)
    };
    let count = positive(words[0]).ok_or(NO_KEYS)?;
    let (keys, rest) = words[1..].split_at_checked(count).ok_or(Failure::Syntax)?;
    let (end, rest) = rest.split_first().ok_or(Failure::Syntax)?;
    let end = match end {
        word if is_word(word, "MIN") => End::Lowest,
        word if is_word(word, "MAX") => End::Highest,
        _ => return Err(Failure::Syntax),
    };
    match rest {
        [] => Ok((keys, end, 1)),
        [word, count] if is_word(word, "COUNT") => Ok((keys, end, positive(count).ok_or(NO_COUNT)?)),
        _ => Err(Failure::Syntax),
    }
}

/// Takes members out of the first key that has some, and answers; none when none has.
fn pop_first_filled(
    call: &mut Call<'_>,
    keys: &[&[u8]],
    end: End,
    count: usize,
    shape: Shape,
) -> Result<Option<Flow>, Failure> {
    for key in keys {
        let popped = take(call, key, end, count)?;
        if !popped.is_empty() {
            return Ok(Some(answer(call, key, &popped, shape)));
        }
    }
    Ok(None)
}

fn take(call: &mut Call<'_>, key: &[u8], end: End, count: usize) -> Result<Popped, Failure> {
    let Some(set) = call.keys.write::<SortedSet>(key)? else { return Ok(Vec::new()) };
    let count = count.min(set.len());
    let popped: Popped = (0..count).filter_map(|_| end.pop(set)).collect();
    if !popped.is_empty() {
        call.keys.changed(key, Class::SortedSet, end.event());
        // Which members went, so that nobody who is told has to look for them.
        let mut effect: Vec<&[u8]> = vec![b"ZREM", key];
        effect.extend(popped.iter().map(|(member, _)| member.as_ref()));
        call.keys.effect(&effect);
    }
    Ok(popped)
}

fn answer(call: &mut Call<'_>, key: &[u8], popped: &Popped, shape: Shape) -> Flow {
    let are_pairs = shape == Shape::ManyOfKey || (shape == Shape::Many && call.answer.is_resp3());
    match shape {
        Shape::OneOfKey => {
            call.answer.array(3);
            call.answer.bulk(key);
        }
        Shape::ManyOfKey => {
            call.answer.array(2);
            call.answer.bulk(key);
            call.answer.array(popped.len());
        }
        Shape::One | Shape::Many => call.answer.array(popped.len() * if are_pairs { 1 } else { 2 }),
    }
    for (member, score) in popped {
        if are_pairs {
            call.answer.array(2);
        }
        call.answer.bulk(member);
        call.answer.double(*score);
    }
    Flow::Done
}
