//! The commands by name: found without an allocation and without a comparison too many.
//!
//! The table is made when the crate is compiled: open addressing over a hash of the name in small letters.

use crate::command::{CommandSpec, Row};
use crate::commands::FAMILIES;

/// Longest name, in bytes.
const NAME_MAX: usize = 16;
/// Places of the table, a power of two, several times as many as there are commands: most names are found at once.
const PLACES: usize = 1024;
/// What stands in a place without a command.
const EMPTY: u16 = u16::MAX;

/// Family and row of the command in each place.
static INDEX: [u16; PLACES] = index();

/// The command of that name, in any case.
#[must_use]
pub fn lookup(name: &[u8]) -> Option<&'static CommandSpec> {
    find(name).map(|row| &row.spec)
}

/// Every command of the store.
pub fn commands() -> impl Iterator<Item = &'static CommandSpec> {
    FAMILIES.iter().copied().flatten().map(|row| &row.spec)
}

pub(crate) fn find(name: &[u8]) -> Option<&'static Row> {
    let mut small = [0; NAME_MAX];
    let small = small.get_mut(..name.len())?;
    for (small, letter) in small.iter_mut().zip(name) {
        *small = letter.to_ascii_lowercase();
    }
    let mut place = hash(small);
    loop {
        let at = INDEX[place];
        if at == EMPTY {
            return None;
        }
        let row = &FAMILIES[usize::from(at >> 8)][usize::from(at & 0xFF)];
        if row.spec.name.as_bytes() == small {
            return Some(row);
        }
        place = (place + 1) % PLACES;
    }
}

const fn hash(name: &[u8]) -> usize {
    let mut hash: u32 = 0x811C_9DC5;
    let mut at = 0;
    while at < name.len() {
        hash = (hash ^ name[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    (hash ^ (hash >> 15)) as usize % PLACES
}

const fn index() -> [u16; PLACES] {
    let mut index = [EMPTY; PLACES];
    let mut family: u16 = 0;
    while (family as usize) < FAMILIES.len() {
        let rows = FAMILIES[family as usize];
        assert!(rows.len() < 256, "a family's rows are counted in a byte");
        let mut row: u16 = 0;
        while (row as usize) < rows.len() {
            let name = rows[row as usize].spec.name.as_bytes();
            assert!(name.len() <= NAME_MAX, "a name is longer than any was");
            let mut place = hash(name);
            while index[place] != EMPTY {
                place = (place + 1) % PLACES;
            }
            index[place] = family << 8 | row;
            row += 1;
        }
        family += 1;
    }
    index
}

#[cfg(test)]
mod tests;
