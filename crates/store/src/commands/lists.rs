//! Commands of lists.

mod blocking;
mod ends;
mod inner;
mod moving;
mod position;

use crate::command::Flag::{Blocking, DenyOom, Fast, MovableKeys, ReadOnly, Write};
use crate::command::{KeyRule, Row, row};
use crate::commands::is_word;
use crate::failure::Failure;
use crate::value::End;

/// Keys, and a timeout after them.
const BEFORE_TIMEOUT: KeyRule = KeyRule::Span { first: 1, last: -2, step: 1 };

/// The commands of this family.
pub(crate) const ROWS: &[Row] = &[
    row("lpush", -3, &[Write, DenyOom, Fast], KeyRule::ONE, "1.0.0", ends::lpush),
    row("rpush", -3, &[Write, DenyOom, Fast], KeyRule::ONE, "1.0.0", ends::rpush),
    row("lpushx", -3, &[Write, DenyOom, Fast], KeyRule::ONE, "2.2.0", ends::lpushx),
    row("rpushx", -3, &[Write, DenyOom, Fast], KeyRule::ONE, "2.2.0", ends::rpushx),
    row("lpop", -2, &[Write, Fast], KeyRule::ONE, "1.0.0", ends::lpop),
    row("rpop", -2, &[Write, Fast], KeyRule::ONE, "1.0.0", ends::rpop),
    row("llen", 2, &[ReadOnly, Fast], KeyRule::ONE, "1.0.0", inner::llen),
    row("lrange", 4, &[ReadOnly], KeyRule::ONE, "1.0.0", inner::lrange),
    row("lrem", 4, &[Write], KeyRule::ONE, "1.0.0", inner::lrem),
    row("ltrim", 4, &[Write], KeyRule::ONE, "1.0.0", inner::ltrim),
    row("lindex", 3, &[ReadOnly], KeyRule::ONE, "1.0.0", inner::lindex),
    row("lset", 4, &[Write, DenyOom], KeyRule::ONE, "1.0.0", inner::lset),
    row("linsert", 5, &[Write, DenyOom], KeyRule::ONE, "2.2.0", inner::linsert),
    row("lpos", -3, &[ReadOnly], KeyRule::ONE, "6.0.6", position::lpos),
    row("lmove", 5, &[Write, DenyOom], KeyRule::TWO, "6.2.0", moving::lmove),
    row("rpoplpush", 3, &[Write, DenyOom], KeyRule::TWO, "1.2.0", moving::rpoplpush),
    row("blmove", 6, &[Write, DenyOom, Blocking], KeyRule::TWO, "6.2.0", moving::blmove),
    row("brpoplpush", 4, &[Write, DenyOom, Blocking], KeyRule::TWO, "2.2.0", moving::brpoplpush),
    row("blpop", -3, &[Write, Blocking, Fast], BEFORE_TIMEOUT, "2.0.0", blocking::blpop),
    row("brpop", -3, &[Write, Blocking, Fast], BEFORE_TIMEOUT, "2.0.0", blocking::brpop),
    row("lmpop", -4, &[Write, MovableKeys], KeyRule::Counted { count: 1, also: 0 }, "7.0.0", blocking::lmpop),
    row(
        "blmpop",
        -5,
        &[Write, Blocking, MovableKeys],
        KeyRule::Counted { count: 2, also: 0 },
        "7.0.0",
        blocking::blmpop,
    ),
];

/// The end a word names.
fn end_argument(word: &[u8]) -> Result<End, Failure> {
    match word {
        _ if is_word(word, "LEFT") => Ok(End::Left),
        _ if is_word(word, "RIGHT") => Ok(End::Right),
        _ => Err(Failure::Syntax),
    }
}

/// The command that takes from an end, and the event of its doing so.
fn pop_names(end: End) -> (&'static [u8], &'static str) {
    match end {
        End::Left => (b"LPOP", "lpop"),
        End::Right => (b"RPOP", "rpop"),
    }
}
