//! `cmsgpack`: MessagePack as lua-cmsgpack writes and reads it.
//!
//! Strings are raw bytes, integral numbers the shortest integer, others the shortest float that keeps them, and a table
//! with the keys 1 to n is an array, the empty one included.

mod pack;
#[cfg(test)]
mod tests;
mod unpack;

use mlua::{Lua, Table, Value};

use super::failure::Failure;
use super::library::{bytes, define, double};
use super::numbers::{length, truncated};
use super::room::Room;

/// Tables inside of tables that are packed; what is deeper becomes nil, as there.
const DEPTH_MAX: usize = 16;

/// The library.
pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let library = lua.create_table()?;
    library.raw_set("_NAME", "cmsgpack")?;
    library.raw_set("_VERSION", "lua-cmsgpack 0.4.0")?;
    define(lua, &library, "pack", |lua, arguments| {
        if arguments.is_empty() {
            return Err(Failure::text("bad argument #0 to 'pack' (MessagePack pack needs input.)"));
        }
        let (mut packed, mut room) = (Vec::new(), Room::new());
        for value in arguments {
            pack::pack(value, 0, &mut packed, &mut room)?;
        }
        Ok(vec![Value::String(lua.create_string(packed)?)])
    })?;
    define(lua, &library, "unpack", |lua, arguments| {
        let packed = bytes(arguments, 0, "unpack")?;
        Ok(unpack::unpack(lua, &packed, 0, usize::MAX)?.0)
    })?;
    define(lua, &library, "unpack_one", |lua, arguments| some(lua, arguments, 1, 1))?;
    define(lua, &library, "unpack_limit", |lua, arguments| {
        let limit = usize::try_from(truncated(double(arguments, 1, "unpack_limit")?)).unwrap_or_default();
        some(lua, arguments, limit, 2)
    })?;
    Ok(library)
}

/// The place to go on at (-1 at the end) and at most `limit` values.
fn some(lua: &Lua, arguments: &[Value], limit: usize, offset: usize) -> Result<Vec<Value>, Failure> {
    let packed = bytes(arguments, 0, "unpack_limit")?;
    let start =
        if arguments.len() > offset { truncated(double(arguments, offset, "unpack_limit")?) } else { 0 };
    let Some(start) = usize::try_from(start).ok().filter(|start| *start <= packed.len()) else {
        let (given, size) = (start, packed.len());
        return Err(Failure::Text(format!("Start offset {given} greater than input length {size}.")));
    };
    let (values, end) = unpack::unpack(lua, &packed, start, limit)?;
    let next = if end == packed.len() { Value::Number(-1.0) } else { length(end) };
    Ok(std::iter::once(next).chain(values).collect())
}
