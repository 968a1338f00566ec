//! What a script returns, as an answer.

use mlua::{Table, Value};

use super::answer::Answer;
use super::numbers::truncated;

/// Tables inside of tables; deeper ones are answered as an error, as Redis does when its stack is full. Each takes a
/// piece of the thread's stack.
const DEPTH_MAX: usize = 128;

/// Writes `value` as Redis converts it: numbers lose their fraction, `false` and nothing are null, a table with one of
/// the known fields is what the field says, any other an array up to its first hole.
pub(super) fn write(value: &Value, resp: u8, answer: &mut dyn Answer) -> mlua::Result<()> {
    write_at(value, resp, 0, answer)
}

fn write_at(value: &Value, resp: u8, depth: usize, answer: &mut dyn Answer) -> mlua::Result<()> {
    match value {
        Value::String(text) => answer.bulk(&text.as_bytes()),
        Value::Integer(value) => answer.integer(*value),
        Value::Number(value) => answer.integer(truncated(*value)),
        Value::Boolean(value) if resp >= 3 => answer.boolean(*value),
        Value::Boolean(true) => answer.integer(1),
        Value::Table(_) if depth >= DEPTH_MAX => answer.error("ERR reached lua stack limit"),
        Value::Table(table) => return write_table(table, resp, depth + 1, answer),
        _ => answer.null(),
    }
    Ok(())
}

fn write_table(table: &Table, resp: u8, depth: usize, answer: &mut dyn Answer) -> mlua::Result<()> {
    if let Value::String(text) = table.raw_get("err")? {
        answer.error(text.to_string_lossy().trim_start_matches('-'));
    } else if let Value::String(text) = table.raw_get("ok")? {
        answer.simple(&text.to_string_lossy().replace(['\r', '\n'], " "));
    } else if let Some(value) = super::numbers::number(&table.raw_get("double")?) {
        answer.double(value);
    } else if let Value::Table(map) = table.raw_get("map")? {
        let pairs: Vec<(Value, Value)> = map.pairs().collect::<mlua::Result<_>>()?;
        answer.map(pairs.len());
        for (key, value) in &pairs {
            write_at(key, resp, depth, answer)?;
            write_at(value, resp, depth, answer)?;
        }
    } else if let Value::Table(set) = table.raw_get("set")? {
        let members: Vec<(Value, Value)> = set.pairs().collect::<mlua::Result<_>>()?;
        answer.set(members.len());
        for (member, _) in &members {
            write_at(member, resp, depth, answer)?;
        }
    } else if let Value::String(digits) = table.raw_get("big_number")? {
        answer.big_number(&digits.to_string_lossy().replace(['\r', '\n'], " "));
    } else if let Value::Table(text) = table.raw_get("verbatim_string")? {
        write_verbatim(&text, answer)?;
    } else {
        let values = values(table)?;
        answer.array(values.len());
        for value in &values {
            write_at(value, resp, depth, answer)?;
        }
    }
    Ok(())
}

fn write_verbatim(table: &Table, answer: &mut dyn Answer) -> mlua::Result<()> {
    let (format, text): (Value, Value) = (table.raw_get("format")?, table.raw_get("string")?);
    match (format, text) {
        (Value::String(format), Value::String(text)) => {
            answer.verbatim(&format.to_string_lossy(), &text.as_bytes());
        }
        _ => answer.null(),
    }
    Ok(())
}

/// Up to the first hole.
fn values(table: &Table) -> mlua::Result<Vec<Value>> {
    let mut values = Vec::with_capacity(table.raw_len());
    loop {
        let value: Value = table.raw_get(values.len() + 1)?;
        if value.is_nil() {
            return Ok(values);
        }
        values.push(value);
    }
}
