//! Commands of strings.

mod counters;
mod many;
mod ranges;
mod set;

use crate::call::{Call, Flow};
use crate::change::Class;
use crate::command::Flag::{DenyOom, Fast, ReadOnly, Write};
use crate::command::{KeyRule, Row, row};
use crate::failure::Failure;
use crate::value::{Digits, Text};

/// The commands of this family.
pub(crate) const ROWS: &[Row] = &[
    row("get", 2, &[ReadOnly, Fast], KeyRule::ONE, "1.0.0", get),
    row("set", -3, &[Write, DenyOom], KeyRule::ONE, "1.0.0", set::set),
    row("setex", 4, &[Write, DenyOom], KeyRule::ONE, "2.0.0", set::setex),
    row("psetex", 4, &[Write, DenyOom], KeyRule::ONE, "2.6.0", set::psetex),
    row("setnx", 3, &[Write, DenyOom, Fast], KeyRule::ONE, "1.0.0", set::setnx),
    row("getset", 3, &[Write, DenyOom, Fast], KeyRule::ONE, "1.0.0", set::getset),
    row("getdel", 2, &[Write, Fast], KeyRule::ONE, "6.2.0", getdel),
    row("getex", -2, &[Write, Fast], KeyRule::ONE, "6.2.0", set::getex),
    row("mget", -2, &[ReadOnly, Fast], KeyRule::ALL, "1.0.0", many::mget),
    row("mset", -3, &[Write, DenyOom], many::PAIRS, "1.0.1", many::mset),
    row("msetnx", -3, &[Write, DenyOom], many::PAIRS, "1.0.1", many::msetnx),
    row("incr", 2, &[Write, DenyOom, Fast], KeyRule::ONE, "1.0.0", counters::incr),
    row("incrby", 3, &[Write, DenyOom, Fast], KeyRule::ONE, "1.0.0", counters::incrby),
    row("incrbyfloat", 3, &[Write, DenyOom, Fast], KeyRule::ONE, "2.6.0", counters::incrbyfloat),
    row("decr", 2, &[Write, DenyOom, Fast], KeyRule::ONE, "1.0.0", counters::decr),
    row("decrby", 3, &[Write, DenyOom, Fast], KeyRule::ONE, "1.0.0", counters::decrby),
    row("append", 3, &[Write, DenyOom, Fast], KeyRule::ONE, "2.0.0", ranges::append),
    row("strlen", 2, &[ReadOnly, Fast], KeyRule::ONE, "2.2.0", strlen),
    row("getrange", 4, &[ReadOnly], KeyRule::ONE, "2.4.0", ranges::getrange),
    row("substr", 4, &[ReadOnly], KeyRule::ONE, "1.0.0", ranges::getrange),
    row("setrange", 4, &[Write, DenyOom], KeyRule::ONE, "2.2.0", ranges::setrange),
];

fn get(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    match call.keys.read::<Text>(command[1])? {
        Some(text) => call.answer.bulk(text.bytes(&mut Digits::new())),
        None => call.answer.null(),
    }
    Ok(Flow::Done)
}

fn getdel(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let flow = get(call, command)?;
    if call.keys.remove(command[1], Class::Generic, "del") {
        call.keys.effect(&[b"DEL", command[1]]);
    }
    Ok(flow)
}

fn strlen(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let len = call.keys.read::<Text>(command[1])?.map_or(0, Text::len);
    Ok(call.count(len))
}
