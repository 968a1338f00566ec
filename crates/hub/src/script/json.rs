//! `cjson`: JSON as lua-cjson writes and reads it with its default settings.
//!
//! An empty table is an object, a table whose keys are 1 to n an array (holes become null, unless they are most of
//! it), `cjson.null` is null, and numbers have 14 digits.

mod decode;
mod encode;
mod number;
#[cfg(test)]
mod tests;

use mlua::{Lua, Table, Value};

use super::failure::Failure;
use super::library::{bytes, define};

/// Values inside of values, both ways. Each takes a piece of the thread's stack; lua-cjson has 1,000.
const DEPTH_MAX: usize = 128;

/// The library.
pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let library = lua.create_table()?;
    library.raw_set("null", Value::NULL)?;
    library.raw_set("_NAME", "cjson")?;
    library.raw_set("_VERSION", "2.1.0")?;
    define(lua, &library, "encode", |lua, arguments| {
        let [value] = arguments else {
            return Err(Failure::text("bad argument #1 to 'encode' (expected 1 argument)"));
        };
        let mut text = Vec::new();
        encode::encode(value, &mut text)?;
        Ok(vec![Value::String(lua.create_string(text)?)])
    })?;
    define(lua, &library, "decode", |lua, arguments| {
        let text = bytes(arguments, 0, "decode")?;
        Ok(vec![decode::decode(lua, &text)?])
    })?;
    Ok(library)
}
