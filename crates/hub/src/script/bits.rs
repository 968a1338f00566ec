//! `bit`: operations on 32 bits, with signed results, as LuaBitOp has them.

use mlua::{Lua, Table, Value};

use super::failure::Failure;
use super::library::{define, double};
use super::numbers::truncated;

/// The library.
pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let library = lua.create_table()?;
    fold(lua, &library, "band", |a, b| a & b)?;
    fold(lua, &library, "bor", |a, b| a | b)?;
    fold(lua, &library, "bxor", |a, b| a ^ b)?;
    shift(lua, &library, "lshift", |value, by| value << by)?;
    shift(lua, &library, "rshift", |value, by| value >> by)?;
    shift(lua, &library, "arshift", |value, by| (value.cast_signed() >> by).cast_unsigned())?;
    shift(lua, &library, "rol", u32::rotate_left)?;
    shift(lua, &library, "ror", u32::rotate_right)?;
    one(lua, &library, "tobit", |value| value)?;
    one(lua, &library, "bnot", |value| !value)?;
    one(lua, &library, "bswap", u32::swap_bytes)?;
    define(lua, &library, "tohex", |lua, arguments| {
        let digits = if arguments.len() > 1 { word(arguments, 1, "tohex")?.cast_signed() } else { 8 };
        let count = usize::try_from(digits.unsigned_abs()).unwrap_or(8).min(8);
        let text = format!("{:08x}", word(arguments, 0, "tohex")?);
        let text = if digits < 0 { text.to_uppercase() } else { text };
        Ok(vec![Value::String(lua.create_string(&text[8 - count..])?)])
    })?;
    Ok(library)
}

fn one(lua: &Lua, library: &Table, name: &'static str, apply: fn(u32) -> u32) -> mlua::Result<()> {
    define(lua, library, name, move |_, arguments| Ok(signed(apply(word(arguments, 0, name)?))))
}

fn fold(lua: &Lua, library: &Table, name: &'static str, apply: fn(u32, u32) -> u32) -> mlua::Result<()> {
    define(lua, library, name, move |_, arguments| {
        let mut value = word(arguments, 0, name)?;
        for index in 1..arguments.len() {
            value = apply(value, word(arguments, index, name)?);
        }
        Ok(signed(value))
    })
}

fn shift(lua: &Lua, library: &Table, name: &'static str, apply: fn(u32, u32) -> u32) -> mlua::Result<()> {
    define(lua, library, name, move |_, arguments| {
        Ok(signed(apply(word(arguments, 0, name)?, word(arguments, 1, name)? & 31)))
    })
}

fn signed(value: u32) -> Vec<Value> {
    vec![Value::Number(f64::from(value.cast_signed()))]
}

/// The lowest 32 bits of a number, rounded to even.
fn word(arguments: &[Value], index: usize, name: &str) -> Result<u32, Failure> {
    let value = double(arguments, index, name)?;
    if !value.is_finite() {
        return Ok(0);
    }
    let low = truncated(value.round_ties_even().rem_euclid(4_294_967_296.0));
    Ok(u32::try_from(low).unwrap_or_default())
}
