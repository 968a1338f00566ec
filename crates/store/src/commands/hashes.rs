//! Commands of hashes.

mod counters;
mod fields;
mod listing;

use crate::command::Flag::{DenyOom, Fast, ReadOnly, Write};
use crate::command::{KeyRule, Row, row};

/// The commands of this family.
pub(crate) const ROWS: &[Row] = &[
    row("hset", -4, &[Write, DenyOom, Fast], KeyRule::ONE, "2.0.0", fields::hset),
    row("hmset", -4, &[Write, DenyOom, Fast], KeyRule::ONE, "2.0.0", fields::hmset),
    row("hsetnx", 4, &[Write, DenyOom, Fast], KeyRule::ONE, "2.0.0", fields::hsetnx),
    row("hget", 3, &[ReadOnly, Fast], KeyRule::ONE, "2.0.0", fields::hget),
    row("hmget", -3, &[ReadOnly, Fast], KeyRule::ONE, "2.0.0", fields::hmget),
    row("hdel", -3, &[Write, Fast], KeyRule::ONE, "2.0.0", fields::hdel),
    row("hexists", 3, &[ReadOnly, Fast], KeyRule::ONE, "2.0.0", fields::hexists),
    row("hlen", 2, &[ReadOnly, Fast], KeyRule::ONE, "2.0.0", fields::hlen),
    row("hstrlen", 3, &[ReadOnly, Fast], KeyRule::ONE, "3.2.0", fields::hstrlen),
    row("hincrby", 4, &[Write, DenyOom, Fast], KeyRule::ONE, "2.0.0", counters::hincrby),
    row("hincrbyfloat", 4, &[Write, DenyOom, Fast], KeyRule::ONE, "2.6.0", counters::hincrbyfloat),
    row("hgetall", 2, &[ReadOnly], KeyRule::ONE, "2.0.0", listing::hgetall),
    row("hkeys", 2, &[ReadOnly], KeyRule::ONE, "2.0.0", listing::hkeys),
    row("hvals", 2, &[ReadOnly], KeyRule::ONE, "2.0.0", listing::hvals),
    row("hscan", -3, &[ReadOnly], KeyRule::ONE, "2.8.0", listing::hscan),
    row("hrandfield", -2, &[ReadOnly], KeyRule::ONE, "6.2.0", listing::hrandfield),
];
