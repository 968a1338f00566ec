//! Commands of bits: strings as arrays of them, the first one the highest of the first byte.

mod count;
mod fields;
mod operate;

use crate::call::{Call, Flow};
use crate::change::Class;
use crate::command::Flag::{DenyOom, Fast, ReadOnly, Write};
use crate::command::{KeyRule, Row, row};
use crate::failure::Failure;
use crate::number;
use crate::value::{Digits, Text};

/// `BITOP`: the target and the sources, behind the operation.
const FROM_SECOND: KeyRule = KeyRule::Span { first: 2, last: -1, step: 1 };

/// The commands of this family.
pub(crate) const ROWS: &[Row] = &[
    row("setbit", 4, &[Write, DenyOom], KeyRule::ONE, "2.2.0", setbit),
    row("getbit", 3, &[ReadOnly, Fast], KeyRule::ONE, "2.2.0", getbit),
    row("bitcount", -2, &[ReadOnly], KeyRule::ONE, "2.6.0", count::bitcount),
    row("bitpos", -3, &[ReadOnly], KeyRule::ONE, "2.8.7", count::bitpos),
    row("bitop", -4, &[Write, DenyOom], FROM_SECOND, "2.6.0", operate::bitop),
    row("bitfield", -2, &[Write, DenyOom], KeyRule::ONE, "3.2.0", fields::bitfield),
    row("bitfield_ro", -2, &[ReadOnly, Fast], KeyRule::ONE, "6.0.0", fields::bitfield_ro),
];

/// Bit number `offset` of `bytes`; zeros follow the end.
fn bit(bytes: &[u8], offset: usize) -> bool {
    bytes.get(offset / 8).is_some_and(|byte| byte >> (7 - offset % 8) & 1 == 1)
}

/// Sets bit number `offset`, which must be within `bytes`.
fn put_bit(bytes: &mut [u8], offset: usize, value: bool) {
    let mask = 1 << (7 - offset % 8);
    if value {
        bytes[offset / 8] |= mask;
    } else {
        bytes[offset / 8] &= !mask;
    }
}

/// A bit's number, if a string may be so long.
fn offset(text: &[u8], value_max_bytes: usize) -> Result<usize, Failure> {
    let offset = number::integer(text).and_then(|offset| usize::try_from(offset).ok());
    offset
        .filter(|offset| offset / 8 < value_max_bytes)
        .ok_or(Failure::text("ERR bit offset is not an integer or out of range"))
}

/// The string as long as `len` bytes at least, to be changed; [`Keys::changed`](crate::keys::Keys::changed) has to
/// follow.
fn string_of<'c>(call: &'c mut Call<'_>, key: &[u8], len: usize) -> Result<&'c mut Vec<u8>, Failure> {
    let bytes = call.keys.ensure::<Text>(key)?.bytes_mut();
    if bytes.len() < len {
        bytes.resize(len, 0);
    }
    Ok(bytes)
}

fn setbit(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let key = command[1];
    let offset = offset(command[2], call.keys.value_max_bytes())?;
    let value = match command[3] {
        b"0" => false,
        b"1" => true,
        _ => return Err(Failure::text("ERR bit is not an integer or out of range")),
    };
    call.keys.read::<Text>(key)?;
    let bytes = string_of(call, key, offset / 8 + 1)?;
    let before = bit(bytes, offset);
    put_bit(bytes, offset, value);
    call.keys.changed(key, Class::Text, "setbit");
    Ok(call.yes(before))
}

fn getbit(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let offset = offset(command[2], call.keys.value_max_bytes())?;
    let mut digits = Digits::new();
    let text = call.keys.read::<Text>(command[1])?;
    let value = text.is_some_and(|text| bit(text.bytes(&mut digits), offset));
    Ok(call.yes(value))
}
