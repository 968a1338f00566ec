//! `ZADD` and `ZINCRBY`: members and scores in, under conditions.

use crate::call::{Call, Flow};
use crate::change::Class;
use crate::commands::is_word;
use crate::failure::Failure;
use crate::number;
use crate::sorted_set::SortedSet;

/// The options of `ZADD`.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent word of the command")]
struct Options {
    only_new: bool,
    only_old: bool,
    only_greater: bool,
    only_less: bool,
    counts_changes: bool,
    increments: bool,
}

/// What came of one member.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Effect {
    /// It stays as it was, or out.
    None,
    /// It is new.
    Added(f64),
    /// It was there; it has this score now, another one perhaps.
    Kept { score: f64, is_changed: bool },
}

pub(super) fn zadd(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (options, pairs) = options(&command[2..]);
    if pairs.is_empty() || pairs.len() % 2 == 1 {
        return Err(Failure::Syntax);
    }
    options.check(pairs.len() / 2)?;
    add(call, command[1], pairs, options)
}

pub(super) fn zincrby(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let options = Options { increments: true, ..Options::default() };
    add(call, command[1], &command[2..], options)
}

fn options<'a>(words: &'a [&'a [u8]]) -> (Options, &'a [&'a [u8]]) {
    let mut options = Options::default();
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        match () {
            () if is_word(word, "NX") => options.only_new = true,
            () if is_word(word, "XX") => options.only_old = true,
            () if is_word(word, "GT") => options.only_greater = true,
            () if is_word(word, "LT") => options.only_less = true,
            () if is_word(word, "CH") => options.counts_changes = true,
            () if is_word(word, "INCR") => options.increments = true,
            () => break,
        }
        rest = after;
    }
    (options, rest)
}

impl Options {
    fn check(self, pairs: usize) -> Result<(), Failure> {
        if self.only_new && self.only_old {
            return Err(Failure::text("ERR XX and NX options at the same time are not compatible"));
        }
        let of_order = usize::from(self.only_greater) + usize::from(self.only_less);
        if of_order + usize::from(self.only_new) > 1 && of_order > 0 {
            return Err(Failure::text("ERR GT, LT, and/or NX options at the same time are not compatible"));
        }
        if self.increments && pairs > 1 {
            return Err(Failure::text("ERR INCR option supports a single increment-element pair"));
        }
        Ok(())
    }

    /// What is to become of a member whose score is `old`. Refused when an increment gives no number.
    fn effect(self, old: Option<f64>, given: f64) -> Result<Effect, Failure> {
        let Some(old) = old else {
            return Ok(if self.only_old { Effect::None } else { Effect::Added(given) });
        };
        if self.only_new {
            return Ok(Effect::None);
        }
        let score = if self.increments { old + given } else { given };
        if score.is_nan() {
            return Err(Failure::text("ERR resulting score is not a number (NaN)"));
        }
        if (self.only_less && score >= old) || (self.only_greater && score <= old) {
            return Ok(Effect::None);
        }
        Ok(Effect::Kept { score, is_changed: score != old })
    }
}

fn add(call: &mut Call<'_>, key: &[u8], pairs: &[&[u8]], options: Options) -> Result<Flow, Failure> {
    let pairs: Vec<(f64, &[u8])> = pairs
        .chunks_exact(2)
        .map(|pair| number::float(pair[0]).map(|score| (score, pair[1])).ok_or(Failure::NotFloat))
        .collect::<Result<_, _>>()?;
    let known = call.keys.read::<SortedSet>(key)?;
    if options.increments {
        let old = known.and_then(|set| set.score(pairs[0].1));
        options.effect(old, pairs[0].0)?;
    }
    if known.is_none() && options.only_old {
        return Ok(if options.increments { call.null() } else { call.integer(0) });
    }
    let set = call.keys.ensure::<SortedSet>(key)?;
    let (mut added, mut updated, mut last) = (0, 0, None);
    for (given, member) in pairs {
        match options.effect(set.score(member), given)? {
            Effect::None => {}
            Effect::Added(score) => {
                set.insert(member, score);
                added += 1;
                last = Some(score);
            }
            Effect::Kept { score, is_changed } => {
                if is_changed {
                    set.insert(member, score);
                    updated += 1;
                }
                last = Some(score);
            }
        }
    }
    if added + updated > 0 {
        call.keys.changed(key, Class::SortedSet, if options.increments { "zincr" } else { "zadd" });
    }
    Ok(match last {
        Some(score) if options.increments => {
            call.answer.double(score);
            Flow::Done
        }
        None if options.increments => call.null(),
        _ => call.count(if options.counts_changes { added + updated } else { added }),
    })
}
