//! Unions, intersections and differences of sorted sets, and of sets, whose members count with the score one.

use super::answer_members;
use super::ranges::store;
use super::sources::{Dialect, Source, Sources, weighted};
use crate::call::{Call, Flow};
use crate::failure::Failure;
use crate::sorted_set::SortedSet;

/// Which members of several sets are in the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Union,
    Inter,
    Diff,
}

pub(super) fn zunion(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    answer(call, command, Operation::Union, "zunion")
}

pub(super) fn zinter(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    answer(call, command, Operation::Inter, "zinter")
}

pub(super) fn zdiff(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    answer(call, command, Operation::Diff, "zdiff")
}

pub(super) fn zunionstore(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    keep(call, command, Operation::Union, "zunionstore")
}

pub(super) fn zinterstore(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    keep(call, command, Operation::Inter, "zinterstore")
}

pub(super) fn zdiffstore(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    keep(call, command, Operation::Diff, "zdiffstore")
}

pub(super) fn zintercard(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let dialect = Dialect { name: "zintercard", has_weights: false, has_scores: false, has_limit: true };
    let sources = Sources::parse(&command[1..], dialect, &mut call.keys)?;
    let mut sets = sources.fetch(&call.keys)?;
    sets.sort_by_key(|(set, _)| set.len());
    let ((first, _), others) = sets.split_first().expect("there is one key at least");
    let is_everywhere = |member: &[u8]| others.iter().all(|(set, _)| set.score(member).is_some());
    let limit = if sources.limit == 0 { usize::MAX } else { sources.limit };
    let count = first.iter().filter(|(member, _)| is_everywhere(member)).take(limit).count();
    Ok(call.count(count))
}

fn answer(
    call: &mut Call<'_>,
    command: &[&[u8]],
    operation: Operation,
    name: &'static str,
) -> Result<Flow, Failure> {
    let has_weights = operation != Operation::Diff;
    let dialect = Dialect { name, has_weights, has_scores: true, has_limit: false };
    let sources = Sources::parse(&command[1..], dialect, &mut call.keys)?;
    let found = combine(call, &sources, operation)?;
    answer_members(call.answer, found.iter(), sources.with_scores);
    Ok(Flow::Done)
}

fn keep(
    call: &mut Call<'_>,
    command: &[&[u8]],
    operation: Operation,
    name: &'static str,
) -> Result<Flow, Failure> {
    let has_weights = operation != Operation::Diff;
    let dialect = Dialect { name, has_weights, has_scores: false, has_limit: false };
    let sources = Sources::parse(&command[2..], dialect, &mut call.keys)?;
    let found = combine(call, &sources, operation)?;
    Ok(store(call, command[1], found, name))
}

fn combine(call: &Call<'_>, sources: &Sources<'_>, operation: Operation) -> Result<SortedSet, Failure> {
    let mut sets = sources.fetch(&call.keys)?;
    let mut found = SortedSet::new(call.keys.store.hashing.clone());
    match operation {
        Operation::Diff => {
            let ((first, _), others) = sets.split_first().expect("there is one key at least");
            for (member, score) in first.iter() {
                if others.iter().all(|(set, _)| set.score(member).is_none()) {
                    found.insert(member, score);
                }
            }
        }
        Operation::Union => {
            for (set, weight) in by_len(&mut sets) {
                for (member, score) in set.iter() {
                    let score = weighted(score, *weight);
                    let known = found.score(member);
                    found.insert(member, known.map_or(score, |known| sources.aggregate.of(known, score)));
                }
            }
        }
        Operation::Inter => {
            let ((first, weight), others) =
                by_len(&mut sets).split_first().expect("there is one key at least");
            for (member, score) in first.iter() {
                // As in Redis only the first score is made zero when its weight makes it none; a sum of such is zero.
                let mut scores = others.iter().map(|(set, weight)| Some(set.score(member)? * weight));
                let score = scores.try_fold(weighted(score, *weight), |known, score| {
                    score.map(|score| sources.aggregate.of(known, score))
                });
                if let Some(score) = score {
                    found.insert(member, score);
                }
            }
        }
    }
    Ok(found)
}

/// The smallest first: the order in which Redis adds scores up, which shows in the last digit of a sum.
fn by_len<'s, 'a>(sets: &'s mut [(Source<'a>, f64)]) -> &'s [(Source<'a>, f64)] {
    sets.sort_by_key(|(set, _)| set.len());
    sets
}
