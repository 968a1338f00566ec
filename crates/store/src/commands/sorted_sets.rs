//! Commands of sorted sets.

mod add;
mod combine;
mod pop;
mod random;
mod ranges;
mod sources;

use crate::call::{Call, Flow};
use crate::change::Class;
use crate::command::Flag::{Blocking, DenyOom, Fast, MovableKeys, ReadOnly, Write};
use crate::command::{KeyRule, Row, row};
use crate::commands::is_word;
use crate::commands::scan::{Scan, answer_step};
use crate::failure::Failure;
use crate::sorted_set::SortedSet;
use crate::sorted_set::score::score_text;

/// Every argument but the last is a key: `BZPOPMIN`.
const ALL_BUT_TIMEOUT: KeyRule = KeyRule::Span { first: 1, last: -2, step: 1 };
/// `ZMPOP`, `ZUNION`.
const COUNTED: KeyRule = KeyRule::Counted { count: 1, also: 0 };
/// `BZMPOP`.
const COUNTED_AFTER_TIMEOUT: KeyRule = KeyRule::Counted { count: 2, also: 0 };
/// `ZUNIONSTORE`.
const COUNTED_WITH_TARGET: KeyRule = KeyRule::Counted { count: 2, also: 1 };

/// The commands of this family.
pub(crate) const ROWS: &[Row] = &[
    row("zadd", -4, &[Write, DenyOom, Fast], KeyRule::ONE, "1.2.0", add::zadd),
    row("zincrby", 4, &[Write, DenyOom, Fast], KeyRule::ONE, "1.2.0", add::zincrby),
    row("zrem", -3, &[Write, Fast], KeyRule::ONE, "1.2.0", zrem),
    row("zscore", 3, &[ReadOnly, Fast], KeyRule::ONE, "1.2.0", zscore),
    row("zmscore", -3, &[ReadOnly, Fast], KeyRule::ONE, "6.2.0", zmscore),
    row("zcard", 2, &[ReadOnly, Fast], KeyRule::ONE, "1.2.0", zcard),
    row("zrank", -3, &[ReadOnly, Fast], KeyRule::ONE, "2.0.0", zrank),
    row("zrevrank", -3, &[ReadOnly, Fast], KeyRule::ONE, "2.0.0", zrevrank),
    row("zscan", -3, &[ReadOnly], KeyRule::ONE, "2.8.0", zscan),
    row("zcount", 4, &[ReadOnly, Fast], KeyRule::ONE, "2.0.0", ranges::zcount),
    row("zlexcount", 4, &[ReadOnly, Fast], KeyRule::ONE, "2.8.9", ranges::zlexcount),
    row("zrange", -4, &[ReadOnly], KeyRule::ONE, "1.2.0", ranges::zrange),
    row("zrevrange", -4, &[ReadOnly], KeyRule::ONE, "1.2.0", ranges::zrevrange),
    row("zrangebyscore", -4, &[ReadOnly], KeyRule::ONE, "1.0.5", ranges::zrangebyscore),
    row("zrevrangebyscore", -4, &[ReadOnly], KeyRule::ONE, "2.2.0", ranges::zrevrangebyscore),
    row("zrangebylex", -4, &[ReadOnly], KeyRule::ONE, "2.8.9", ranges::zrangebylex),
    row("zrevrangebylex", -4, &[ReadOnly], KeyRule::ONE, "2.8.9", ranges::zrevrangebylex),
    row("zrangestore", -5, &[Write, DenyOom], KeyRule::TWO, "6.2.0", ranges::zrangestore),
    row("zremrangebyrank", 4, &[Write], KeyRule::ONE, "2.0.0", ranges::zremrangebyrank),
    row("zremrangebyscore", 4, &[Write], KeyRule::ONE, "1.2.0", ranges::zremrangebyscore),
    row("zremrangebylex", 4, &[Write], KeyRule::ONE, "2.8.9", ranges::zremrangebylex),
    row("zpopmin", -2, &[Write, Fast], KeyRule::ONE, "5.0.0", pop::zpopmin),
    row("zpopmax", -2, &[Write, Fast], KeyRule::ONE, "5.0.0", pop::zpopmax),
    row("bzpopmin", -3, &[Write, Blocking, Fast], ALL_BUT_TIMEOUT, "5.0.0", pop::bzpopmin),
    row("bzpopmax", -3, &[Write, Blocking, Fast], ALL_BUT_TIMEOUT, "5.0.0", pop::bzpopmax),
    row("zmpop", -4, &[Write, MovableKeys], COUNTED, "7.0.0", pop::zmpop),
    row("bzmpop", -5, &[Write, Blocking, MovableKeys], COUNTED_AFTER_TIMEOUT, "7.0.0", pop::bzmpop),
    row("zrandmember", -2, &[ReadOnly], KeyRule::ONE, "6.2.0", random::zrandmember),
    row("zunion", -3, &[ReadOnly, MovableKeys], COUNTED, "6.2.0", combine::zunion),
    row("zinter", -3, &[ReadOnly, MovableKeys], COUNTED, "6.2.0", combine::zinter),
    row("zdiff", -3, &[ReadOnly, MovableKeys], COUNTED, "6.2.0", combine::zdiff),
    row("zintercard", -3, &[ReadOnly, MovableKeys], COUNTED, "7.0.0", combine::zintercard),
    row(
        "zunionstore",
        -4,
        &[Write, DenyOom, MovableKeys],
        COUNTED_WITH_TARGET,
        "2.0.0",
        combine::zunionstore,
    ),
    row(
        "zinterstore",
        -4,
        &[Write, DenyOom, MovableKeys],
        COUNTED_WITH_TARGET,
        "2.0.0",
        combine::zinterstore,
    ),
    row("zdiffstore", -4, &[Write, DenyOom, MovableKeys], COUNTED_WITH_TARGET, "6.2.0", combine::zdiffstore),
];

/// Answers with members in the order given: names alone, or with scores in pairs (RESP3) or one after the other.
fn answer_members<'a>(
    call: &mut dyn crate::answer::Answer,
    members: impl ExactSizeIterator<Item = (&'a [u8], f64)>,
    with_scores: bool,
) {
    let are_pairs = with_scores && call.is_resp3();
    let len = members.len();
    call.array(if with_scores && !are_pairs { len * 2 } else { len });
    for (member, score) in members {
        if are_pairs {
            call.array(2);
        }
        call.bulk(member);
        if with_scores {
            call.double(score);
        }
    }
}

fn zrem(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let key = command[1];
    let Some(set) = call.keys.write::<SortedSet>(key)? else { return Ok(call.integer(0)) };
    let removed = command[2..].iter().filter(|member| set.remove(member).is_some()).count();
    if removed > 0 {
        call.keys.changed(key, Class::SortedSet, "zrem");
    }
    Ok(call.count(removed))
}

fn zscore(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let set = call.keys.read::<SortedSet>(command[1])?;
    match set.and_then(|set| set.score(command[2])) {
        Some(score) => call.answer.double(score),
        None => call.answer.null(),
    }
    Ok(Flow::Done)
}

fn zmscore(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let set = call.keys.read::<SortedSet>(command[1])?;
    call.answer.array(command.len() - 2);
    for member in &command[2..] {
        match set.and_then(|set| set.score(member)) {
            Some(score) => call.answer.double(score),
            None => call.answer.null(),
        }
    }
    Ok(Flow::Done)
}

fn zcard(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let len = call.keys.read::<SortedSet>(command[1])?.map_or(0, SortedSet::len);
    Ok(call.count(len))
}

fn zrank(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    answer_rank(call, command, false)
}

fn zrevrank(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    answer_rank(call, command, true)
}

fn answer_rank(call: &mut Call<'_>, command: &[&[u8]], is_reversed: bool) -> Result<Flow, Failure> {
    let with_score = match command.get(3..) {
        Some([]) | None => false,
        Some([word]) if is_word(word, "WITHSCORE") => true,
        Some(_) => return Err(Failure::Syntax),
    };
    let member = command[2];
    let found = call.keys.read::<SortedSet>(command[1])?.and_then(|set| {
        let rank = set.rank(member)?;
        let rank = if is_reversed { set.len() - 1 - rank } else { rank };
        Some((rank, set.score(member)?))
    });
    Ok(match found {
        None if with_score => call.null_array(),
        None => call.null(),
        Some((rank, score)) if with_score => {
            call.answer.array(2);
            call.count(rank);
            call.answer.double(score);
            Flow::Done
        }
        Some((rank, _)) => call.count(rank),
    })
}

fn zscan(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let scan = Scan::new(command[2])?;
    let Some(set) = call.keys.read::<SortedSet>(command[1])? else {
        return Ok(answer_step(call, 0, 0));
    };
    let scan = scan.options(&command[3..], false, false)?;
    let (start, end) = scan.step_within(set.len());
    // A set answered in one step is answered in its order, as by Redis; one that takes several has none.
    let is_whole = start == 0 && end == set.len();
    let at = |index: usize| if is_whole { set.range(index..index + 1).next() } else { set.by_index(index) };
    let mut found = Vec::new();
    for (member, score) in (start..end).filter_map(at).filter(|(member, _)| scan.takes(member)) {
        found.push((member.to_vec(), score));
    }
    answer_step(call, start, found.len() * 2);
    for (member, score) in found {
        call.answer.bulk(&member);
        call.answer.bulk(score_text(score).as_bytes());
    }
    Ok(Flow::Done)
}
