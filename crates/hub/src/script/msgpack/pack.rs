//! From Lua to MessagePack.

use mlua::{Table, Value};

use super::DEPTH_MAX;
use crate::script::failure::Failure;
use crate::script::numbers::{integral, number};
use crate::script::room::Room;

/// The longest number, and more than the length of a text or a table.
const VALUE_BYTES: usize = 9;

/// Writes a value.
pub(super) fn pack(value: &Value, depth: usize, out: &mut Vec<u8>, room: &mut Room) -> Result<(), Failure> {
    room.take(VALUE_BYTES)?;
    match value {
        Value::Boolean(value) => out.push(if *value { 0xc3 } else { 0xc2 }),
        Value::String(text) => {
            room.take_more(text.as_bytes().len())?;
            string(&text.as_bytes(), out);
        }
        Value::Table(_) if depth >= DEPTH_MAX => out.push(0xc0),
        Value::Table(table) => return pack_table(table, depth + 1, out, room),
        other => match number(other) {
            Some(value) => pack_number(value, out),
            None => out.push(0xc0),
        },
    }
    Ok(())
}

fn pack_table(table: &Table, depth: usize, out: &mut Vec<u8>, room: &mut Room) -> Result<(), Failure> {
    // The largest key while all are positive integers. Walked twice: values that are held take Lua's memory.
    let (mut len, mut largest) = (0, Some(0));
    for pair in table.pairs::<Value, Value>() {
        let key = number(&pair?.0).and_then(integral).filter(|key| *key > 0);
        largest = largest.and_then(|largest| Some(key?.max(largest)));
        len += 1;
    }
    if largest.and_then(|largest| usize::try_from(largest).ok()) == Some(len) {
        length(len, (0x90, 15), [None, Some(0xdc), Some(0xdd)], out);
        for index in 1..=len {
            pack(&table.raw_get(index)?, depth, out, room)?;
        }
    } else {
        length(len, (0x80, 15), [None, Some(0xde), Some(0xdf)], out);
        for pair in table.pairs::<Value, Value>() {
            let (key, value) = pair?;
            pack(&key, depth, out, room)?;
            pack(&value, depth, out, room)?;
        }
    }
    Ok(())
}

fn string(text: &[u8], out: &mut Vec<u8>) {
    length(text.len(), (0xa0, 31), [Some(0xd9), Some(0xda), Some(0xdb)], out);
    out.extend_from_slice(text);
}

/// A length within its type's byte, or behind the type's byte for one, two or four of them.
fn length(length: usize, (short, short_max): (u8, u8), wide: [Option<u8>; 3], out: &mut Vec<u8>) {
    let [one, two, four] = wide;
    if let Ok(small) = u8::try_from(length) {
        if small <= short_max {
            return out.push(short | small);
        }
        if let Some(kind) = one {
            return out.extend_from_slice(&[kind, small]);
        }
    }
    if let (Ok(middle), Some(kind)) = (u16::try_from(length), two) {
        out.push(kind);
        return out.extend_from_slice(&middle.to_be_bytes());
    }
    out.extend(four);
    // Lua's memory is limited far below four gigabytes.
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
}

fn pack_number(value: f64, out: &mut Vec<u8>) {
    let Some(integer) = integral(value) else {
        #[expect(clippy::cast_possible_truncation, reason = "taken only when nothing is lost")]
        let single = value as f32;
        if f64::from(single).to_bits() == value.to_bits() {
            out.push(0xca);
            out.extend_from_slice(&single.to_be_bytes());
        } else {
            out.push(0xcb);
            out.extend_from_slice(&value.to_be_bytes());
        }
        return;
    };
    if let Ok(positive) = u64::try_from(integer) {
        pack_positive(positive, out);
    } else {
        pack_negative(integer, out);
    }
}

fn pack_positive(value: u64, out: &mut Vec<u8>) {
    if let Ok(byte) = u8::try_from(value) {
        if byte > 0x7f {
            out.push(0xcc);
        }
        out.push(byte);
    } else if let Ok(word) = u16::try_from(value) {
        out.push(0xcd);
        out.extend_from_slice(&word.to_be_bytes());
    } else if let Ok(word) = u32::try_from(value) {
        out.push(0xce);
        out.extend_from_slice(&word.to_be_bytes());
    } else {
        out.push(0xcf);
        out.extend_from_slice(&value.to_be_bytes());
    }
}

fn pack_negative(value: i64, out: &mut Vec<u8>) {
    if let Ok(byte) = i8::try_from(value) {
        if byte < -32 {
            out.push(0xd0);
        }
        out.push(byte.cast_unsigned());
    } else if let Ok(word) = i16::try_from(value) {
        out.push(0xd1);
        out.extend_from_slice(&word.to_be_bytes());
    } else if let Ok(word) = i32::try_from(value) {
        out.push(0xd2);
        out.extend_from_slice(&word.to_be_bytes());
    } else {
        out.push(0xd3);
        out.extend_from_slice(&value.to_be_bytes());
    }
}
