//! The commands, a file for each family.
//!
//! A handler checks its arguments, then the type of the value, and only then changes anything, in the order in which
//! Redis does: of two errors clients see the same one. Every family has a table of its commands; the table of all is
//! made of these.

mod bits;
mod hashes;
mod keys;
mod lifetime;
mod lists;
mod random;
mod scan;
mod sets;
mod sorted_sets;
mod streams;
mod strings;
mod waiting;

use crate::command::Row;

/// The tables of all families.
pub(crate) const FAMILIES: &[&[Row]] = &[
    strings::ROWS,
    keys::ROWS,
    lists::ROWS,
    hashes::ROWS,
    sets::ROWS,
    sorted_sets::ROWS,
    streams::ROWS,
    bits::ROWS,
];

/// Whether an argument is that word, in any case.
pub(crate) fn is_word(argument: &[u8], word: &str) -> bool {
    argument.eq_ignore_ascii_case(word.as_bytes())
}
