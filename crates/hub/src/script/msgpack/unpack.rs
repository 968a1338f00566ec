//! From MessagePack to Lua.

use mlua::{Lua, Value};

use crate::script::failure::Failure;
use crate::script::numbers::double;

/// Values inside of values: each takes a piece of the thread's stack.
const DEPTH_MAX: usize = 128;

/// Reads at most `limit` values from `start` on; where it ended.
pub(super) fn unpack(
    lua: &Lua,
    packed: &[u8],
    start: usize,
    limit: usize,
) -> Result<(Vec<Value>, usize), Failure> {
    let mut reader = Reader { lua, packed, at: start };
    let mut values = Vec::new();
    while reader.at < packed.len() && values.len() < limit {
        values.push(reader.value(0)?);
    }
    Ok((values, reader.at))
}

struct Reader<'a> {
    lua: &'a Lua,
    packed: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Value, Failure> {
        if depth > DEPTH_MAX {
            return Err(Failure::text("Too many nested data structures in input."));
        }
        let [kind] = self.take()?;
        let number = match kind {
            0x00..=0x7f => f64::from(kind),
            0xe0.. => f64::from(kind.cast_signed()),
            0x80..=0x8f => return self.map(usize::from(kind & 15), depth),
            0x90..=0x9f => return self.array(usize::from(kind & 15), depth),
            0xa0..=0xbf => return self.string(usize::from(kind & 31)),
            0xc0 => return Ok(Value::Nil),
            0xc2 => return Ok(Value::Boolean(false)),
            0xc3 => return Ok(Value::Boolean(true)),
            0xca => f64::from(f32::from_be_bytes(self.take()?)),
            0xcb => f64::from_be_bytes(self.take()?),
            0xcc => f64::from(u8::from_be_bytes(self.take()?)),
            0xcd => f64::from(u16::from_be_bytes(self.take()?)),
            0xce => f64::from(u32::from_be_bytes(self.take()?)),
            0xcf => unsigned(u64::from_be_bytes(self.take()?)),
            0xd0 => f64::from(i8::from_be_bytes(self.take()?)),
            0xd1 => f64::from(i16::from_be_bytes(self.take()?)),
            0xd2 => f64::from(i32::from_be_bytes(self.take()?)),
            0xd3 => double(i64::from_be_bytes(self.take()?)),
            0xc4 | 0xd9 => return self.length_of_1().and_then(|length| self.string(length)),
            0xc5 | 0xda => return self.length_of_2().and_then(|length| self.string(length)),
            0xc6 | 0xdb => return self.length_of_4().and_then(|length| self.string(length)),
            0xdc => return self.length_of_2().and_then(|length| self.array(length, depth)),
            0xdd => return self.length_of_4().and_then(|length| self.array(length, depth)),
            0xde => return self.length_of_2().and_then(|length| self.map(length, depth)),
            0xdf => return self.length_of_4().and_then(|length| self.map(length, depth)),
            _ => return Err(Failure::text("Bad data format in input.")),
        };
        Ok(Value::Number(number))
    }

    fn array(&mut self, length: usize, depth: usize) -> Result<Value, Failure> {
        let table = self.lua.create_table()?;
        for index in 1..=length {
            table.raw_seti(index, self.value(depth + 1)?)?;
        }
        Ok(Value::Table(table))
    }

    fn map(&mut self, length: usize, depth: usize) -> Result<Value, Failure> {
        let table = self.lua.create_table()?;
        for _ in 0..length {
            let (key, value) = (self.value(depth + 1)?, self.value(depth + 1)?);
            let unusable = matches!(&key, Value::Nil) || matches!(&key, Value::Number(key) if key.is_nan());
            if unusable {
                return Err(Failure::text("Bad data format in input."));
            }
            table.raw_set(key, value)?;
        }
        Ok(Value::Table(table))
    }

    fn string(&mut self, length: usize) -> Result<Value, Failure> {
        let text = self.packed[self.at..].get(..length).ok_or_else(missing)?;
        self.at += length;
        Ok(Value::String(self.lua.create_string(text)?))
    }

    fn length_of_1(&mut self) -> Result<usize, Failure> {
        Ok(usize::from(u8::from_be_bytes(self.take()?)))
    }

    fn length_of_2(&mut self) -> Result<usize, Failure> {
        Ok(usize::from(u16::from_be_bytes(self.take()?)))
    }

    fn length_of_4(&mut self) -> Result<usize, Failure> {
        usize::try_from(u32::from_be_bytes(self.take()?)).ok().ok_or_else(missing)
    }

    fn take<const COUNT: usize>(&mut self) -> Result<[u8; COUNT], Failure> {
        let bytes = self.packed[self.at..].first_chunk().ok_or_else(missing)?;
        self.at += COUNT;
        Ok(*bytes)
    }
}

fn missing() -> Failure {
    Failure::text("Missing bytes in input.")
}

fn unsigned(value: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "all numbers of Lua 5.1 are doubles")]
    let double = value as f64;
    double
}
