//! `redis`: what does not depend on the run. `call` and `pcall` are added by each run.

use std::cell::Cell;
use std::rc::Rc;

use mlua::{Lua, Table, Value};
use remuda_model::hub::to_hex;
use sha1::{Digest, Sha1};

use super::failure::{Failure, error_table};
use super::library::{bytes, define, double};
use super::numbers::truncated;

/// What scripts are told; see the hub's `INFO`.
const VERSION: &str = "7.4.0";
const VERSION_NUMBER: u32 = 0x0007_0400;

/// The library; `resp` is the version that the running script asked for.
pub(super) fn library(lua: &Lua, resp: Rc<Cell<u8>>) -> mlua::Result<Table> {
    let library = lua.create_table()?;
    for (level, name) in ["LOG_DEBUG", "LOG_VERBOSE", "LOG_NOTICE", "LOG_WARNING"].into_iter().enumerate() {
        library.raw_set(name, level)?;
    }
    for (value, name) in
        [(0, "REPL_NONE"), (1, "REPL_AOF"), (2, "REPL_SLAVE"), (2, "REPL_REPLICA"), (3, "REPL_ALL")]
    {
        library.raw_set(name, value)?;
    }
    library.raw_set("REDIS_VERSION", VERSION)?;
    library.raw_set("REDIS_VERSION_NUM", VERSION_NUMBER)?;
    define(lua, &library, "sha1hex", |lua, arguments| {
        let [_] = arguments else { return Err(Failure::code("wrong number of arguments")) };
        Ok(vec![Value::String(lua.create_string(to_hex(&Sha1::digest(bytes(arguments, 0, "sha1hex")?)))?)])
    })?;
    define(lua, &library, "error_reply", |lua, arguments| {
        let [Value::String(text)] = arguments else {
            return Ok(vec![Value::Table(error_table(lua, b"ERR wrong number or type of arguments")?)]);
        };
        let text = with_code(&text.to_string_lossy());
        Ok(vec![Value::Table(error_table(lua, text.as_bytes())?)])
    })?;
    define(lua, &library, "status_reply", |lua, arguments| {
        let [Value::String(text)] = arguments else {
            return Ok(vec![Value::Table(error_table(lua, b"ERR wrong number or type of arguments")?)]);
        };
        let table = lua.create_table_with_capacity(0, 1)?;
        table.raw_set("ok", text)?;
        Ok(vec![Value::Table(table)])
    })?;
    define(lua, &library, "setresp", move |_, arguments| {
        let [_] = arguments else {
            return Err(Failure::code("redis.setresp() requires one argument."));
        };
        match truncated(double(arguments, 0, "setresp")?) {
            2 => resp.set(2),
            3 => resp.set(3),
            _ => return Err(Failure::code("RESP version must be 2 or 3.")),
        }
        Ok(Vec::new())
    })?;
    // Scripts are recorded by their effects alone, which is what these ask for.
    define(lua, &library, "replicate_commands", |_, _| Ok(vec![Value::Boolean(true)]))?;
    define(lua, &library, "set_repl", |_, _| Ok(Vec::new()))?;
    define(lua, &library, "breakpoint", |_, _| Ok(vec![Value::Boolean(false)]))?;
    define(lua, &library, "debug", |_, _| Ok(Vec::new()))?;
    Ok(library)
}

/// As Redis has it: a leading dash is dropped, and a single word is no code.
fn with_code(text: &str) -> String {
    let text = text.strip_prefix('-').unwrap_or(text).trim_matches(['\r', '\n']);
    if text.contains(' ') { text.to_owned() } else { format!("ERR {text}") }
}
