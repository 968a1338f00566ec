//! From Lua to JSON.

use mlua::{Table, Value};

use super::DEPTH_MAX;
use crate::script::failure::Failure;
use crate::script::numbers::{self, integral, number};
use crate::script::room::Room;

/// An array may have holes if it is short, or if at least every second place is taken.
const SPARSE_SAFE: i64 = 10;
const SPARSE_RATIO: i64 = 2;
/// What a value takes beside its text, and a number at least.
const VALUE_BYTES: usize = 4;
/// Bytes of a text that are paid for at once, so that escapes are seen before they are many.
const PIECE_BYTES: usize = 4096;

/// Writes a value.
pub(super) fn encode(value: &Value, out: &mut Vec<u8>) -> Result<(), Failure> {
    encode_at(value, 0, out, &mut Room::new())
}

fn encode_at(value: &Value, depth: usize, out: &mut Vec<u8>, room: &mut Room) -> Result<(), Failure> {
    room.take(VALUE_BYTES)?;
    match value {
        Value::Nil => out.extend_from_slice(b"null"),
        Value::LightUserData(pointer) if pointer.0.is_null() => out.extend_from_slice(b"null"),
        Value::Boolean(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Value::String(text) => string(&text.as_bytes(), out, room)?,
        Value::Table(table) => return encode_table(table, depth + 1, out, room),
        other => match number(other) {
            Some(value) => out.extend_from_slice(finite(value)?.as_bytes()),
            None => {
                return Err(Failure::Text(format!(
                    "Cannot serialise {}: type not supported",
                    other.type_name()
                )));
            }
        },
    }
    Ok(())
}

fn encode_table(table: &Table, depth: usize, out: &mut Vec<u8>, room: &mut Room) -> Result<(), Failure> {
    if depth > DEPTH_MAX {
        return Err(Failure::Text(format!("Cannot serialise, excessive depth ({depth})")));
    }
    match array_length(table)? {
        Some(length) => {
            out.push(b'[');
            for index in 1..=length {
                if index > 1 {
                    out.push(b',');
                }
                encode_at(&table.raw_get(index)?, depth, out, room)?;
            }
            out.push(b']');
        }
        None => {
            out.push(b'{');
            let mut is_first = true;
            for pair in table.pairs::<Value, Value>() {
                let (key, value) = pair?;
                if !std::mem::take(&mut is_first) {
                    out.push(b',');
                }
                encode_key(&key, out, room)?;
                out.push(b':');
                encode_at(&value, depth, out, room)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn encode_key(key: &Value, out: &mut Vec<u8>, room: &mut Room) -> Result<(), Failure> {
    match key {
        Value::String(text) => string(&text.as_bytes(), out, room)?,
        other => match number(other) {
            Some(value) => {
                out.push(b'"');
                out.extend_from_slice(finite(value)?.as_bytes());
                out.push(b'"');
            }
            None => {
                let kind = other.type_name();
                return Err(Failure::Text(format!(
                    "Cannot serialise {kind}: table key must be a number or string"
                )));
            }
        },
    }
    Ok(())
}

/// The largest key, when all keys are positive integers and there is one.
fn array_length(table: &Table) -> Result<Option<i64>, Failure> {
    let (mut largest, mut count) = (0, 0);
    for pair in table.pairs::<Value, Value>() {
        let Some(key) = number(&pair?.0).and_then(integral).filter(|key| *key > 0) else { return Ok(None) };
        largest = largest.max(key);
        count += 1;
    }
    if largest > SPARSE_SAFE && largest > count * SPARSE_RATIO {
        return Err(Failure::text("Cannot serialise table: excessively sparse array"));
    }
    Ok((largest > 0).then_some(largest))
}

fn finite(value: f64) -> Result<String, Failure> {
    if value.is_finite() {
        return Ok(numbers::text(value));
    }
    Err(Failure::text("Cannot serialise number: must not be NaN or Inf"))
}

fn string(text: &[u8], out: &mut Vec<u8>, room: &mut Room) -> Result<(), Failure> {
    out.push(b'"');
    for piece in text.chunks(PIECE_BYTES) {
        let before = out.len();
        escape(piece, out);
        room.take_more(out.len() - before)?;
    }
    out.push(b'"');
    Ok(())
}

fn escape(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | b'/' | 0..0x20 | 0x7f)) {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        match special[0] {
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            byte @ (0..0x20 | 0x7f) => {
                let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 0xf)]);
            }
            byte => out.extend_from_slice(&[b'\\', byte]),
        }
        rest = &special[1..];
    }
    out.extend_from_slice(rest);
}
