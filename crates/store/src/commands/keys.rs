//! Commands of keys, whatever they hold.

mod expire;
mod listing;
mod moving;
mod object;
mod sort;

use crate::call::{Call, Flow};
use crate::change::Class;
use crate::command::Flag::{DenyOom, Fast, MovableKeys, ReadOnly, Write};
use crate::command::{KeyRule, Row, row};
use crate::failure::Failure;

/// The second argument is the key, after the word of what is asked.
const AFTER_WORD: KeyRule = KeyRule::Span { first: 2, last: 2, step: 1 };

/// The commands of this family.
pub(crate) const ROWS: &[Row] = &[
    row("del", -2, &[Write], KeyRule::ALL, "1.0.0", del),
    row("unlink", -2, &[Write, Fast], KeyRule::ALL, "4.0.0", del),
    row("exists", -2, &[ReadOnly, Fast], KeyRule::ALL, "1.0.0", exists),
    row("touch", -2, &[ReadOnly, Fast], KeyRule::ALL, "3.2.1", exists),
    row("type", 2, &[ReadOnly, Fast], KeyRule::ONE, "1.0.0", kind),
    row("expire", -3, &[Write, Fast], KeyRule::ONE, "1.0.0", expire::expire),
    row("pexpire", -3, &[Write, Fast], KeyRule::ONE, "2.6.0", expire::pexpire),
    row("expireat", -3, &[Write, Fast], KeyRule::ONE, "1.2.0", expire::expireat),
    row("pexpireat", -3, &[Write, Fast], KeyRule::ONE, "2.6.0", expire::pexpireat),
    row("ttl", 2, &[ReadOnly, Fast], KeyRule::ONE, "1.0.0", expire::ttl),
    row("pttl", 2, &[ReadOnly, Fast], KeyRule::ONE, "2.6.0", expire::pttl),
    row("expiretime", 2, &[ReadOnly, Fast], KeyRule::ONE, "7.0.0", expire::expiretime),
    row("pexpiretime", 2, &[ReadOnly, Fast], KeyRule::ONE, "7.0.0", expire::pexpiretime),
    row("persist", 2, &[Write, Fast], KeyRule::ONE, "2.2.0", expire::persist),
    row("keys", 2, &[ReadOnly], KeyRule::None, "1.0.0", listing::keys),
    row("scan", -2, &[ReadOnly], KeyRule::None, "2.8.0", listing::scan),
    row("randomkey", 1, &[ReadOnly], KeyRule::None, "1.0.0", listing::randomkey),
    row("dbsize", 1, &[ReadOnly, Fast], KeyRule::None, "1.0.0", listing::dbsize),
    row("rename", 3, &[Write], KeyRule::TWO, "1.0.0", moving::rename),
    row("renamenx", 3, &[Write, Fast], KeyRule::TWO, "1.0.0", moving::renamenx),
    row("copy", -3, &[Write, DenyOom], KeyRule::TWO, "6.2.0", moving::copy),
    row("move", 3, &[Write, Fast], KeyRule::ONE, "1.0.0", moving::to_database),
    row("swapdb", 3, &[Write, Fast], KeyRule::None, "4.0.0", moving::swapdb),
    row("flushdb", -1, &[Write], KeyRule::None, "1.0.0", moving::flushdb),
    row("flushall", -1, &[Write], KeyRule::None, "1.0.0", moving::flushall),
    row("object", -2, &[ReadOnly], AFTER_WORD, "2.2.3", object::object),
    row("memory", -2, &[ReadOnly], AFTER_WORD, "4.0.0", object::memory),
    row("sort", -2, &[Write, DenyOom, MovableKeys], KeyRule::SortStore, "1.0.0", sort::sort),
    row("sort_ro", -2, &[ReadOnly, MovableKeys], KeyRule::ONE, "7.0.0", sort::sort_ro),
];

fn del(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let removed = command[1..].iter().filter(|key| call.keys.remove(key, Class::Generic, "del")).count();
    Ok(call.count(removed))
}

fn exists(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let there = command[1..].iter().filter(|key| call.keys.exists(key)).count();
    Ok(call.count(there))
}

fn kind(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let name = call.keys.value(command[1]).map_or("none", |value| value.kind().name());
    call.answer.simple(name);
    Ok(Flow::Done)
}
