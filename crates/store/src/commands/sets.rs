//! Commands of sets.

mod combine;
mod members;
mod random;

use crate::command::Flag::{DenyOom, Fast, MovableKeys, ReadOnly, Write};
use crate::command::{KeyRule, Row, row};

/// The commands of this family.
pub(crate) const ROWS: &[Row] = &[
    row("sadd", -3, &[Write, DenyOom, Fast], KeyRule::ONE, "1.0.0", members::sadd),
    row("srem", -3, &[Write, Fast], KeyRule::ONE, "1.0.0", members::srem),
    row("smembers", 2, &[ReadOnly], KeyRule::ONE, "1.0.0", members::smembers),
    row("sismember", 3, &[ReadOnly, Fast], KeyRule::ONE, "1.0.0", members::sismember),
    row("smismember", -3, &[ReadOnly, Fast], KeyRule::ONE, "6.2.0", members::smismember),
    row("scard", 2, &[ReadOnly, Fast], KeyRule::ONE, "1.0.0", members::scard),
    row("smove", 4, &[Write, Fast], KeyRule::TWO, "1.0.0", members::smove),
    row("sscan", -3, &[ReadOnly], KeyRule::ONE, "2.8.0", members::sscan),
    row("spop", -2, &[Write, Fast], KeyRule::ONE, "1.0.0", random::spop),
    row("srandmember", -2, &[ReadOnly], KeyRule::ONE, "1.0.0", random::srandmember),
    row("sinter", -2, &[ReadOnly], KeyRule::ALL, "1.0.0", combine::sinter),
    row("sunion", -2, &[ReadOnly], KeyRule::ALL, "1.0.0", combine::sunion),
    row("sdiff", -2, &[ReadOnly], KeyRule::ALL, "1.0.0", combine::sdiff),
    row("sinterstore", -3, &[Write, DenyOom], KeyRule::ALL, "1.0.0", combine::sinterstore),
    row("sunionstore", -3, &[Write, DenyOom], KeyRule::ALL, "1.0.0", combine::sunionstore),
    row("sdiffstore", -3, &[Write, DenyOom], KeyRule::ALL, "1.0.0", combine::sdiffstore),
    row(
        "sintercard",
        -3,
        &[ReadOnly, MovableKeys],
        KeyRule::Counted { count: 1, also: 0 },
        "7.0.0",
        combine::sintercard,
    ),
];
