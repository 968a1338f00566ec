//! Native functions for scripts, and how their arguments are looked at.

use mlua::{Function, Lua, MultiValue, Table, Value};

use super::failure::Failure;
use super::numbers::{number, text};

/// What a native function gives.
pub(super) type Given = Result<Vec<Value>, Failure>;

/// Makes a function of Lua.
pub(super) fn function(
    lua: &Lua,
    native: impl Fn(&Lua, &[Value]) -> Given + 'static,
) -> mlua::Result<Function> {
    lua.create_function(move |lua, mut arguments: MultiValue| {
        native(lua, arguments.make_contiguous())
            .map(MultiValue::from_vec)
            .map_err(|failure| failure.raise(lua))
    })
}

/// Adds a function to a library.
pub(super) fn define(
    lua: &Lua,
    library: &Table,
    name: &str,
    native: impl Fn(&Lua, &[Value]) -> Given + 'static,
) -> mlua::Result<()> {
    library.raw_set(name, function(lua, native)?)
}

impl From<mlua::Error> for Failure {
    fn from(error: mlua::Error) -> Self {
        Self::of(&error)
    }
}

/// Bytes of an argument: strings as they are, numbers as Lua writes them.
pub(super) fn bytes(arguments: &[Value], index: usize, name: &str) -> Result<Vec<u8>, Failure> {
    match arguments.get(index) {
        Some(Value::String(bytes)) => Ok(bytes.as_bytes().to_vec()),
        Some(value) if number(value).is_some() => Ok(text(number(value).unwrap_or_default()).into_bytes()),
        other => Err(wrong(index, name, "string", other)),
    }
}

/// A number of an argument; strings that are numbers too, as Lua has it.
pub(super) fn double(arguments: &[Value], index: usize, name: &str) -> Result<f64, Failure> {
    let value = arguments.get(index);
    let text = match value {
        Some(Value::String(text)) => text.to_string_lossy().trim().parse().ok(),
        Some(value) => number(value),
        None => None,
    };
    text.ok_or_else(|| wrong(index, name, "number", value))
}

fn wrong(index: usize, name: &str, wanted: &str, found: Option<&Value>) -> Failure {
    let found = found.map_or("no value", Value::type_name);
    let found = if found == "integer" { "number" } else { found };
    Failure::Text(format!("bad argument #{} to '{name}' ({wanted} expected, got {found})", index + 1))
}
