//! What the sandbox needs of us: functions of Lua's own that are not Lua's.

use std::rc::Rc;

use mlua::{Lua, Table, Value};

use super::super::bounds::{Bounds, over};
use super::super::failure::{Failure, error_table, line};
use super::super::library::{Given, bytes, define, double, function};
use super::super::numbers::truncated;
use super::super::random::Random;
use super::super::{patterns, tables, text};
use super::{compile, ended};

/// What the sandbox needs of us.
pub(super) fn native(lua: &Lua, bounds: &Rc<Bounds>, random: &Rc<Random>) -> mlua::Result<Table> {
    let native = lua.create_table()?;
    let at = Rc::clone(bounds);
    native.raw_set(
        "failure",
        lua.create_function(move |lua, value: Value| match value {
            _ if at.is_over() => Err(mlua::Error::external(over())),
            Value::Error(error) => Failure::of(&error).value(lua),
            other => Ok(other),
        })?,
    )?;
    let at = Rc::clone(bounds);
    native.raw_set("go_on", lua.create_function(move |_, ()| at.look().map_err(mlua::Error::external))?)?;
    native.raw_set("patterns", patterns::library(lua, bounds)?)?;
    native.raw_set("sort", tables::sort(lua)?)?;
    native.raw_set("texts", text::library(lua, bounds)?)?;
    native.raw_set("trace", lua.create_function(trace)?)?;
    define(lua, &native, "compile", |lua, arguments| {
        let source = bytes(arguments, 0, "load")?;
        let is_named = arguments.get(1).is_some_and(|name| !name.is_nil());
        let name = if is_named { bytes(arguments, 1, "load")? } else { source.clone() };
        let name = String::from_utf8_lossy(&name).replace('\0', " ");
        Ok(match compile(lua, &source, &name) {
            Ok(function) => vec![Value::Function(function)],
            Err(message) => vec![Value::Nil, Value::String(lua.create_string(message)?)],
        })
    })?;
    let sequence = Rc::clone(random);
    native.raw_set("random", function(lua, move |_, arguments| draw(&sequence, arguments))?)?;
    let sequence = Rc::clone(random);
    define(lua, &native, "randomseed", move |_, arguments| {
        let low = truncated(double(arguments, 0, "randomseed")?).rem_euclid(1 << 32);
        sequence.seed(u32::try_from(low).unwrap_or_default());
        Ok(Vec::new())
    })?;
    Ok(native)
}

/// The error that ends a script: a table with its text and the line.
fn trace(lua: &Lua, cause: Value) -> mlua::Result<Table> {
    let table = match cause {
        Value::Table(table) => match table.raw_get("err")? {
            Value::String(text) => error_table(lua, &text.as_bytes())?,
            _ => error_table(lua, b"ERR unknown error")?,
        },
        Value::Error(error) => match Failure::of(&error) {
            raised @ Failure::Raised => return trace(lua, raised.value(lua)?),
            _ => error_table(lua, ended(&error).text.as_bytes())?,
        },
        Value::String(text) => error_table(lua, &[b"ERR ", &*text.as_bytes()].concat())?,
        other => error_table(lua, format!("ERR {}", other.to_string()?).as_bytes())?,
    };
    table.raw_set("line", line(lua))?;
    Ok(table)
}

fn draw(random: &Random, arguments: &[Value]) -> Given {
    let drawn = random.next();
    let (low, high) = match arguments.len() {
        0 => return Ok(vec![Value::Number(drawn)]),
        1 => (1.0, double(arguments, 0, "random")?.trunc()),
        2 => (double(arguments, 0, "random")?.trunc(), double(arguments, 1, "random")?.trunc()),
        _ => return Err(Failure::text("wrong number of arguments")),
    };
    if low > high {
        let position = arguments.len();
        return Err(Failure::Text(format!("bad argument #{position} to 'random' (interval is empty)")));
    }
    Ok(vec![Value::Number((drawn * (high - low + 1.0)).floor() + low)])
}
