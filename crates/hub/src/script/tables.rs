//! `table.sort` that can be ended: Lua's own looks at no clock while it compares by itself, which takes for ever if the
//! table is long and was made for it, or if its texts are.

use mlua::{Function, Lua, Table, Value};

use super::failure::Failure;
use super::library::function;
use super::text::wrong;

/// In place of Lua's own comparison, with instructions that the count hook sees.
const LESS: &str = "local a, b = ... return a < b";
/// In place of a native function, for the same reason.
const ASKING: &str = "local f = ... return function(a, b) return (f(a, b)) end";
/// What [`LESS`] puts before its errors, and Lua's own does not.
const PLACE: &str = "sort:1: ";
const INVALID_ORDER: &str = "invalid order function for sorting";

/// The function.
pub(super) fn sort(lua: &Lua) -> mlua::Result<Function> {
    let raw: Function = lua.globals().get::<Table>("table")?.get("sort")?;
    let pcall: Function = lua.globals().get("pcall")?;
    let less = lua.load(LESS).set_name("=sort").into_function()?;
    let asking = lua.load(ASKING).set_name("=sandbox").into_function()?;
    function(lua, move |lua, arguments| {
        let Some(Value::Table(table)) = arguments.first() else {
            return Err(wrong(arguments, 0, "table"));
        };
        let order = match arguments.get(1) {
            None | Some(Value::Nil) => less.clone(),
            Some(Value::Function(order)) if order.info().what == "C" => asking.call(order)?,
            Some(Value::Function(order)) => order.clone(),
            Some(_) => return Err(wrong(arguments, 1, "function")),
        };
        let (is_sorted, cause): (bool, Value) = pcall.call((&raw, table, order))?;
        match cause {
            _ if is_sorted => Ok(Vec::new()),
            Value::String(text) if text == INVALID_ORDER => Err(Failure::text(INVALID_ORDER)),
            Value::String(text) if text.as_bytes().starts_with(PLACE.as_bytes()) => {
                let text = lua.create_string(&text.as_bytes()[PLACE.len()..])?;
                Err(Failure::raised(lua, Value::String(text)))
            }
            cause => Err(Failure::raised(lua, cause)),
        }
    })
}
