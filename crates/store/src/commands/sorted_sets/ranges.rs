//! Ranges of sorted sets: by rank, by score, by member; to answer, to store, to count, to remove.

use std::ops::Range;

use super::answer_members;
use crate::call::{Call, Flow};
use crate::change::Class;
use crate::commands::is_word;
use crate::failure::Failure;
use crate::number;
use crate::sorted_set::SortedSet;
use crate::sorted_set::bounds::{LexRange, ScoreRange};
use crate::value::Value;

const NOT_SCORES: Failure = Failure::text("ERR min or max is not a float");
const NOT_MEMBERS: Failure = Failure::text("ERR min or max not valid string range item");

/// What a range is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Lex,
}

/// Which members are meant.
#[derive(Debug, Clone, Copy)]
enum Span<'a> {
    Rank(i64, i64),
    Score(ScoreRange),
    Lex(LexRange<'a>),
}

/// What a command of the family says by its name: `None` where `ZRANGE` lets the arguments say it.
#[derive(Debug, Clone, Copy)]
struct Dialect {
    by: Option<By>,
    is_reversed: Option<bool>,
    stores: bool,
}

/// A range as a command asks for it.
#[derive(Debug, Clone, Copy)]
struct Query<'a> {
    span: Span<'a>,
    is_reversed: bool,
    with_scores: bool,
    /// Members to pass over, and members to give; a negative number gives all, and passes over all.
    limit: Option<(i64, i64)>,
}

pub(super) fn zrange(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    answer(call, command, Dialect { by: None, is_reversed: None, stores: false })
}

pub(super) fn zrevrange(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    answer(call, command, Dialect { by: Some(By::Rank), is_reversed: Some(true), stores: false })
}

pub(super) fn zrangebyscore(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    answer(call, command, Dialect { by: Some(By::Score), is_reversed: Some(false), stores: false })
}

pub(super) fn zrevrangebyscore(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    answer(call, command, Dialect { by: Some(By::Score), is_reversed: Some(true), stores: false })
}

pub(super) fn zrangebylex(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    answer(call, command, Dialect { by: Some(By::Lex), is_reversed: Some(false), stores: false })
}

pub(super) fn zrevrangebylex(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    answer(call, command, Dialect { by: Some(By::Lex), is_reversed: Some(true), stores: false })
}

fn answer(call: &mut Call<'_>, command: &[&[u8]], dialect: Dialect) -> Result<Flow, Failure> {
    let query = Query::parse(&command[2..], dialect)?;
    let Some(set) = call.keys.read::<SortedSet>(command[1])? else { return Ok(call.empty_array()) };
    let members = set.range(query.ranks(set));
    if query.is_reversed {
        answer_members(call.answer, members.rev(), query.with_scores);
    } else {
        answer_members(call.answer, members, query.with_scores);
    }
    Ok(Flow::Done)
}

pub(super) fn zrangestore(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let query = Query::parse(&command[3..], Dialect { by: None, is_reversed: None, stores: true })?;
    let mut found = SortedSet::new(call.keys.store.hashing.clone());
    if let Some(set) = call.keys.read::<SortedSet>(command[2])? {
        for (member, score) in set.range(query.ranks(set)) {
            found.insert(member, score);
        }
    }
    Ok(store(call, command[1], found, "zrangestore"))
}

/// Puts a result in the place of what `target` holds; an empty one removes it. Answers with its length.
pub(super) fn store(call: &mut Call<'_>, target: &[u8], found: SortedSet, event: &'static str) -> Flow {
    let len = found.len();
    if found.is_empty() {
        call.keys.remove(target, Class::Generic, "del");
    } else {
        call.keys.put(target, Value::SortedSet(Box::new(found)), Class::SortedSet, event);
    }
    call.count(len)
}

pub(super) fn zcount(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    count(call, command, By::Score)
}

pub(super) fn zlexcount(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    count(call, command, By::Lex)
}

fn count(call: &mut Call<'_>, command: &[&[u8]], by: By) -> Result<Flow, Failure> {
    let span = Span::parse(by, command[2], command[3])?;
    let count = call.keys.read::<SortedSet>(command[1])?.map_or(0, |set| span.ranks(set).len());
    Ok(call.count(count))
}

pub(super) fn zremrangebyrank(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    remove(call, command, By::Rank, "zremrangebyrank")
}

pub(super) fn zremrangebyscore(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    remove(call, command, By::Score, "zremrangebyscore")
}

pub(super) fn zremrangebylex(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    remove(call, command, By::Lex, "zremrangebylex")
}

fn remove(call: &mut Call<'_>, command: &[&[u8]], by: By, event: &'static str) -> Result<Flow, Failure> {
    let span = Span::parse(by, command[2], command[3])?;
    let key = command[1];
    let Some(set) = call.keys.write::<SortedSet>(key)? else { return Ok(call.integer(0)) };
    let removed = set.remove_ranks(span.ranks(set));
    if removed > 0 {
        call.keys.changed(key, Class::SortedSet, event);
    }
    Ok(call.count(removed))
}

impl<'a> Span<'a> {
    fn parse(by: By, min: &'a [u8], max: &'a [u8]) -> Result<Self, Failure> {
        match by {
            By::Rank => Ok(Self::Rank(number::integer_argument(min)?, number::integer_argument(max)?)),
            By::Score => ScoreRange::parse(min, max).map(Self::Score).ok_or(NOT_SCORES),
            By::Lex => LexRange::parse(min, max).map(Self::Lex).ok_or(NOT_MEMBERS),
        }
    }

    /// The ranks from the lowest score up.
    fn ranks(&self, set: &SortedSet) -> Range<usize> {
        match self {
            Self::Rank(start, end) => rank_range(set.len(), *start, *end),
            Self::Score(range) => set.ranks_by_score(range),
            Self::Lex(range) => set.ranks_by_lex(range),
        }
    }
}

impl<'a> Query<'a> {
    /// Reads the two ends and the options.
    fn parse(words: &[&'a [u8]], dialect: Dialect) -> Result<Self, Failure> {
        let (mut by, mut is_reversed) =
            (dialect.by.unwrap_or(By::Rank), dialect.is_reversed.unwrap_or(false));
        let (mut with_scores, mut limit) = (false, None);
        let mut rest = &words[2..];
        while let Some((word, after)) = rest.split_first() {
            rest = after;
            match (word, after) {
                (word, _) if !dialect.stores && is_word(word, "WITHSCORES") => with_scores = true,
                (word, [skipped, given, after @ ..]) if is_word(word, "LIMIT") => {
                    limit = Some((number::integer_argument(skipped)?, number::integer_argument(given)?));
                    rest = after;
                }
                (word, _) if dialect.is_reversed.is_none() && !is_reversed && is_word(word, "REV") => {
                    is_reversed = true;
                }
                (word, _) if dialect.by.is_none() && by == By::Rank && is_word(word, "BYLEX") => by = By::Lex,
                (word, _) if dialect.by.is_none() && by == By::Rank && is_word(word, "BYSCORE") => {
                    by = By::Score;
                }
                _ => return Err(Failure::Syntax),
            }
        }
        if limit.is_some_and(|(_, given)| given != -1) && by == By::Rank {
            let text =
                "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX";
            return Err(Failure::text(text));
        }
        if with_scores && by == By::Lex {
            let text = "ERR syntax error, WITHSCORES not supported in combination with BYLEX";
            return Err(Failure::text(text));
        }
        // The higher end comes first in a reversed range, except among ranks, which count from the other end.
        let (min, max) =
            if is_reversed && by != By::Rank { (words[1], words[0]) } else { (words[0], words[1]) };
        Ok(Self { span: Span::parse(by, min, max)?, is_reversed, with_scores, limit })
    }

    /// The ranks from the lowest score up, whichever way they are to be given.
    fn ranks(&self, set: &SortedSet) -> Range<usize> {
        let ranks = self.span.ranks(set);
        if let Span::Rank(..) = self.span {
            let len = set.len();
            return if self.is_reversed { len - ranks.end..len - ranks.start } else { ranks };
        }
        let Some((skipped, given)) = self.limit else { return ranks };
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX).min(ranks.len());
        let given = usize::try_from(given).unwrap_or(usize::MAX).min(ranks.len() - skipped);
        if self.is_reversed {
            let end = ranks.end - skipped;
            end - given..end
        } else {
            let start = ranks.start + skipped;
            start..start + given
        }
    }
}

/// The ranks from `start` to `end`, both included, negative ones counted from the end.
fn rank_range(len: usize, start: i64, end: i64) -> Range<usize> {
    let signed = i64::try_from(len).unwrap_or(i64::MAX);
    let from_start = |rank: i64| if rank < 0 { rank.saturating_add(signed) } else { rank };
    let start = usize::try_from(from_start(start).max(0)).unwrap_or(usize::MAX);
    let end = usize::try_from(from_start(end).saturating_add(1).max(0)).unwrap_or(usize::MAX).min(len);
    start.min(end)..end
}
