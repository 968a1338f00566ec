//! What a command did to its keys, as far as its words say: for those who tell other servers of it.
//!
//! It may say too much, never too little: a field that `HSET` names may have had that value before, but a field it does
//! not name was not touched. Effects are asked about, not what clients sent: chance and time are gone from them.

use crate::command::KeyPositions;
use crate::commands::is_word;
use crate::number;
use crate::table::find;

/// What a command did to each of its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touched<'a> {
    /// Anything.
    Whole,
    /// Set or removed elements of a collection: each `step`th of these words is one.
    Elements {
        /// The words from the first element on.
        words: &'a [&'a [u8]],
        /// Their distance, at least 1.
        step: usize,
    },
    /// Removed elements.
    Fewer,
    /// Added to an integer.
    Counted(i64),
    /// Changed when the key ends.
    Expiry,
}

impl<'a> Touched<'a> {
    /// The names of the elements.
    pub fn elements(self) -> impl Iterator<Item = &'a [u8]> {
        let (words, step) = match self {
            Self::Elements { words, step } => (words, step),
            _ => (&[][..], 1),
        };
        words.iter().step_by(step).copied()
    }
}

/// The keys of a command that ran, or of an effect, and what it did to them. None when it is no command of the store.
#[must_use]
pub fn touched<'a>(command: &'a [&'a [u8]]) -> Option<(KeyPositions<'a>, Touched<'a>)> {
    let row = find(command.first()?)?;
    let integer = |at: usize| command.get(at).and_then(|text| number::integer(text));
    let elements =
        |from: usize, step: usize| Touched::Elements { words: command.get(from..).unwrap_or(&[]), step };
    let touched = match row.spec.name {
        "incr" => Touched::Counted(1),
        "decr" => Touched::Counted(-1),
        "incrby" => integer(2).map_or(Touched::Whole, Touched::Counted),
        "decrby" => integer(2).and_then(i64::checked_neg).map_or(Touched::Whole, Touched::Counted),
        "hset" | "hmset" => elements(2, 2),
        "hdel" | "sadd" | "srem" | "zrem" => elements(2, 1),
        "hsetnx" | "hincrby" | "hincrbyfloat" => Touched::Elements { words: command.get(2..3)?, step: 1 },
        "smove" | "zincrby" => Touched::Elements { words: command.get(3..4)?, step: 1 },
        "zadd" => elements(first_score(command) + 1, 2),
        "zpopmin" | "zpopmax" | "zmpop" | "zremrangebyrank" | "zremrangebyscore" | "zremrangebylex" => {
            Touched::Fewer
        }
        "expire" | "pexpire" | "expireat" | "pexpireat" | "persist" => Touched::Expiry,
        _ => Touched::Whole,
    };
    Some((row.spec.keys_of(command), touched))
}

/// Where the scores of `ZADD` begin.
fn first_score(command: &[&[u8]]) -> usize {
    let options = ["NX", "XX", "GT", "LT", "CH", "INCR"];
    let is_option = |word: &&&[u8]| options.iter().any(|option| is_word(word, option));
    2 + command.iter().skip(2).take_while(is_option).count()
}

#[cfg(test)]
mod tests;
