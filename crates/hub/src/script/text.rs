//! Texts and numbers among arguments, looked at as Lua's own library does it; and functions of `string` whose time or
//! memory has no limit in Lua's own form.

use std::ops::Deref;
use std::rc::Rc;

use mlua::{Lua, Table, Value};

use super::bounds::Bounds;
use super::failure::Failure;
use super::library::{Given, function};
use super::numbers::{self, number, truncated};

/// The bytes of a string, or of a number as Lua writes it.
#[derive(Debug)]
pub(super) enum Text {
    /// As Lua holds it.
    Held(mlua::string::BorrowedBytes),
    /// Written for the occasion.
    Written(String),
}

impl Deref for Text {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Held(bytes) => bytes,
            Self::Written(text) => text.as_bytes(),
        }
    }
}

/// A value as text, if it is one for Lua.
pub(super) fn convert(value: &Value) -> Option<Text> {
    match value {
        Value::String(text) => Some(Text::Held(text.as_bytes())),
        other => number(other).map(|value| Text::Written(numbers::text(value))),
    }
}

/// The argument `index`, from 0, which has to be a text.
pub(super) fn text(arguments: &[Value], index: usize) -> Result<Text, Failure> {
    arguments.get(index).and_then(convert).ok_or_else(|| wrong(arguments, index, "string"))
}

/// The argument `index`, from 0, which has to be a number.
pub(super) fn number_at(arguments: &[Value], index: usize) -> Result<f64, Failure> {
    let value = arguments.get(index);
    let found = match value {
        Some(Value::String(text)) => text.to_string_lossy().trim().parse().ok(),
        Some(value) => number(value),
        None => None,
    };
    found.ok_or_else(|| wrong(arguments, index, "number"))
}

/// The argument `index` is something else than a `wanted`.
pub(super) fn wrong(arguments: &[Value], index: usize, wanted: &str) -> Failure {
    let found = arguments.get(index).map_or("no value", kind);
    Failure::Argument { index, why: format!("{wanted} expected, got {found}") }
}

/// The type of a value, in Lua's words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value.type_name() {
        "integer" => "number",
        "lightuserdata" | "error" => "userdata",
        name => name,
    }
}

/// `rep`, `lower`, `upper` and `reverse`.
pub(super) fn library(lua: &Lua, bounds: &Rc<Bounds>) -> mlua::Result<Table> {
    let library = lua.create_table()?;
    let define = |name: &str, native: fn(&[Value], &Bounds) -> Result<Vec<u8>, Failure>| {
        let bounds = Rc::clone(bounds);
        let given = move |lua: &Lua, arguments: &[Value]| -> Given {
            let made = native(arguments, &bounds)?;
            bounds.look()?;
            Ok(vec![Value::String(lua.create_string(made)?)])
        };
        library.raw_set(name, function(lua, given)?)
    };
    define("lower", |arguments, _| Ok(text(arguments, 0)?.to_ascii_lowercase()))?;
    define("upper", |arguments, _| Ok(text(arguments, 0)?.to_ascii_uppercase()))?;
    define("reverse", |arguments, _| Ok(text(arguments, 0)?.iter().rev().copied().collect()))?;
    define("rep", |arguments, bounds| {
        let piece = text(arguments, 0)?;
        let times = usize::try_from(truncated(number_at(arguments, 1)?).max(0)).unwrap_or(usize::MAX);
        bounds.weigh(piece.len().saturating_mul(times))?;
        Ok(if piece.is_empty() { Vec::new() } else { piece.repeat(times) })
    })?;
    Ok(library)
}
