//! Commands of streams.

mod add;
mod answers;
mod claim;
mod describe;
mod groups;
mod pending;
mod ranges;
mod read;
mod remove;

use crate::command::Flag::{Blocking, DenyOom, Fast, MovableKeys, ReadOnly, Write};
use crate::command::{KeyRule, Row, row};
use crate::failure::Failure;

/// The key is the argument behind the subcommand.
const SECOND: KeyRule = KeyRule::Span { first: 2, last: 2, step: 1 };

/// The commands of this family.
pub(crate) const ROWS: &[Row] = &[
    row("xadd", -5, &[Write, DenyOom, Fast], KeyRule::ONE, "5.0.0", add::xadd),
    row("xtrim", -4, &[Write], KeyRule::ONE, "5.0.0", remove::xtrim),
    row("xdel", -3, &[Write, Fast], KeyRule::ONE, "5.0.0", remove::xdel),
    row("xsetid", -3, &[Write, DenyOom, Fast], KeyRule::ONE, "5.0.0", add::xsetid),
    row("xlen", 2, &[ReadOnly, Fast], KeyRule::ONE, "5.0.0", ranges::xlen),
    row("xrange", -4, &[ReadOnly], KeyRule::ONE, "5.0.0", ranges::xrange),
    row("xrevrange", -4, &[ReadOnly], KeyRule::ONE, "5.0.0", ranges::xrevrange),
    row("xread", -4, &[ReadOnly, Blocking, MovableKeys], KeyRule::AfterStreams, "5.0.0", read::xread),
    row("xreadgroup", -7, &[Write, Blocking, MovableKeys], KeyRule::AfterStreams, "5.0.0", read::xreadgroup),
    row("xgroup", -2, &[Write], SECOND, "5.0.0", groups::xgroup),
    row("xack", -4, &[Write, Fast], KeyRule::ONE, "5.0.0", groups::xack),
    row("xpending", -3, &[ReadOnly], KeyRule::ONE, "5.0.0", pending::xpending),
    row("xclaim", -6, &[Write, Fast], KeyRule::ONE, "5.0.0", claim::xclaim),
    row("xautoclaim", -6, &[Write, Fast], KeyRule::ONE, "6.2.0", claim::xautoclaim),
    row("xinfo", -2, &[ReadOnly], SECOND, "5.0.0", describe::xinfo),
];

/// A key or a group that is not there, as most commands of groups put it; one adds a
/// suffix.
fn no_group(key: &[u8], group: &[u8], suffix: &str) -> Failure {
    let (key, group) = (String::from_utf8_lossy(key), String::from_utf8_lossy(group));
    Failure::Text(format!("NOGROUP No such key '{key}' or consumer group '{group}'{suffix}").into())
}

/// A number of the log's commands as text.
fn decimal(value: u64) -> String {
    itoa::Buffer::new().format(value).to_owned()
}
