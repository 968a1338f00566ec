//! What a script returns, as an answer.

use mlua::{LuaString, Table, Value};
use remuda_store::Unread;

use super::answer::Answer;
use super::numbers::truncated;
use super::room::{Room, TooLong};

/// Tables inside of tables; deeper ones are answered as an error, as Redis does when its stack is full. Each takes a
/// piece of the thread's stack.
const DEPTH_MAX: usize = 128;
/// What a value takes beside its text: its sign, its length, the ends of its lines.
const VALUE_BYTES: usize = 8;

/// Writes `value` as Redis converts it: numbers lose their fraction, `false` and nothing are null, a table with one of
/// the known fields is what the field says, any other an array up to its first hole.
///
/// An answer that was begun cannot be taken back, so a table is walked once to see that it fits and holds no surprise;
/// then it is written.
pub(super) fn write(value: &Value, resp: u8, answer: &mut dyn Answer) -> mlua::Result<()> {
    if value.is_table() {
        Outcome { resp, answer: &mut Unread::default(), room: Room::new() }.value(value, 0)?;
    }
    Outcome { resp, answer, room: Room::new() }.value(value, 0)
}

struct Outcome<'a> {
    resp: u8,
    answer: &'a mut dyn Answer,
    room: Room,
}

impl Outcome<'_> {
    fn value(&mut self, value: &Value, depth: usize) -> mlua::Result<()> {
        self.room.take(VALUE_BYTES).map_err(too_long)?;
        match value {
            Value::String(text) => self.bytes(text, |answer, text| answer.bulk(text))?,
            Value::Integer(value) => self.answer.integer(*value),
            Value::Number(value) => self.answer.integer(truncated(*value)),
            Value::Boolean(value) if self.resp >= 3 => self.answer.boolean(*value),
            Value::Boolean(true) => self.answer.integer(1),
            Value::Table(_) if depth >= DEPTH_MAX => self.answer.error("ERR reached lua stack limit"),
            Value::Table(table) => return self.table(table, depth + 1),
            _ => self.answer.null(),
        }
        Ok(())
    }

    fn table(&mut self, table: &Table, depth: usize) -> mlua::Result<()> {
        if let Value::String(text) = table.raw_get("err")? {
            self.text(&text, |answer, text| answer.error(text.trim_start_matches('-')))?;
        } else if let Value::String(text) = table.raw_get("ok")? {
            self.text(&text, |answer, text| answer.simple(&text.replace(['\r', '\n'], " ")))?;
        } else if let Some(value) = super::numbers::number(&table.raw_get("double")?) {
            self.answer.double(value);
        } else if let Value::Table(map) = table.raw_get("map")? {
            self.answer.map(count(&map)?);
            for pair in map.pairs::<Value, Value>() {
                let (key, value) = pair?;
                self.value(&key, depth)?;
                self.value(&value, depth)?;
            }
        } else if let Value::Table(set) = table.raw_get("set")? {
            self.answer.set(count(&set)?);
            for pair in set.pairs::<Value, Value>() {
                self.value(&pair?.0, depth)?;
            }
        } else if let Value::String(digits) = table.raw_get("big_number")? {
            self.text(&digits, |answer, digits| answer.big_number(&digits.replace(['\r', '\n'], " ")))?;
        } else if let Value::Table(text) = table.raw_get("verbatim_string")? {
            self.verbatim(&text)?;
        } else {
            let length = length(table)?;
            self.answer.array(length);
            for index in 1..=length {
                self.value(&table.raw_get(index)?, depth)?;
            }
        }
        Ok(())
    }

    fn verbatim(&mut self, table: &Table) -> mlua::Result<()> {
        let (format, text): (Value, Value) = (table.raw_get("format")?, table.raw_get("string")?);
        match (format, text) {
            (Value::String(format), Value::String(text)) => {
                let format = format.to_string_lossy();
                self.bytes(&text, |answer, text| answer.verbatim(&format, text))
            }
            _ => {
                self.answer.null();
                Ok(())
            }
        }
    }

    fn text(&mut self, text: &LuaString, write: impl FnOnce(&mut dyn Answer, &str)) -> mlua::Result<()> {
        self.bytes(text, |answer, bytes| write(answer, &String::from_utf8_lossy(bytes)))
    }

    fn bytes(&mut self, text: &LuaString, write: impl FnOnce(&mut dyn Answer, &[u8])) -> mlua::Result<()> {
        let bytes = text.as_bytes();
        self.room.take_more(bytes.len()).map_err(too_long)?;
        write(self.answer, &bytes);
        Ok(())
    }
}

fn too_long(_: TooLong) -> mlua::Error {
    mlua::Error::runtime("the script's answer is too long")
}

fn count(table: &Table) -> mlua::Result<usize> {
    table.pairs::<Value, Value>().try_fold(0, |count, pair| pair.map(|_| count + 1))
}

/// Up to the first hole.
fn length(table: &Table) -> mlua::Result<usize> {
    let mut length = 0;
    while !table.raw_get::<Value>(length + 1)?.is_nil() {
        length += 1;
    }
    Ok(length)
}
