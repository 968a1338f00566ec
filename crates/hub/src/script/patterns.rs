//! `string.find`, `match`, `gmatch` and `gsub` of Lua 5.1, in our own hands: Lua's own can hang the hub, or end it.
//!
//! The semantics and the texts of errors are those of Lua 5.1.5, compared with it in the tests. What is not: a pattern
//! with more open choices than fit a list of fixed length is `pattern too complex`, where Lua's own overflows the
//! thread's stack; a result beyond the memory of scripts is refused before Lua is asked for it.

mod classes;
mod matcher;
mod replace;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use mlua::{Function, Lua, Table, Value};

use super::bounds::Bounds;
use super::failure::Failure;
use super::library::{Given, function};
use super::numbers::{length, truncated};
use super::text::{Text, number_at, text};
use matcher::{Found, Matcher};

/// Characters that make a pattern of a text.
const SPECIALS: &[u8] = b"^$*+?.([%-";
/// The function that `gmatch` gives. Where it stands is remembered by Lua, whose memory has a limit.
const EACH: &str = "
local next_match = ...
return function(subject, pattern)
    local at = 0
    local function go_on(after, ...)
        at = after
        return ...
    end
    return function()
        return go_on(next_match(subject, pattern, at))
    end
end";

/// The functions, by the names they have in `string`.
pub(super) fn library(lua: &Lua, bounds: &Rc<Bounds>) -> mlua::Result<Table> {
    let library = lua.create_table()?;
    let define = |name: &str, native: fn(&Lua, &[Value], &Bounds) -> Given| {
        library.raw_set(name, bounded(lua, bounds, native)?)
    };
    define("find", |lua, arguments, bounds| search(lua, arguments, bounds, true))?;
    define("match", |lua, arguments, bounds| search(lua, arguments, bounds, false))?;
    let next_match = bounded(lua, bounds, next_match)?;
    let each: Function = lua.load(EACH).set_name("=sandbox").call(next_match)?;
    let gmatch = function(lua, move |_, arguments| {
        text(arguments, 0)?;
        text(arguments, 1)?;
        Ok(vec![Value::Function(each.call((&arguments[0], &arguments[1]))?)])
    })?;
    library.raw_set("gfind", &gmatch)?;
    library.raw_set("gmatch", gmatch)?;
    library.raw_set("gsub", replace::function(lua, bounds)?)?;
    Ok(library)
}

/// A function of Lua that knows the bounds.
fn bounded(
    lua: &Lua,
    bounds: &Rc<Bounds>,
    native: impl Fn(&Lua, &[Value], &Bounds) -> Given + 'static,
) -> mlua::Result<Function> {
    let bounds = Rc::clone(bounds);
    function(lua, move |lua, arguments| {
        let given = native(lua, arguments, &bounds)?;
        // A call costs more than the instruction that the count hook sees.
        bounds.look()?;
        Ok(given)
    })
}

fn search(lua: &Lua, arguments: &[Value], bounds: &Bounds, is_find: bool) -> Given {
    let (subject, pattern) = (text(arguments, 0)?, text(arguments, 1)?);
    let start = start(arguments, subject.len())?;
    if is_find && (is_true(arguments.get(3)) || is_plain(&pattern)) {
        let found = memchr::memmem::find(&subject[start..], &pattern);
        return Ok(found.map_or(vec![Value::Nil], |at| {
            vec![length(start + at + 1), length(start + at + pattern.len())]
        }));
    }
    let (pattern, anchored) = anchor(&pattern);
    let mut matcher = Matcher::new(&subject, pattern, bounds);
    let Some((from, to)) = matcher.find(start, anchored)? else { return Ok(vec![Value::Nil]) };
    let mut given = if is_find { vec![length(from + 1), length(to)] } else { Vec::new() };
    captures(lua, &matcher, &subject, (from, to), !is_find, &mut given)?;
    Ok(given)
}

/// Where to go on after the next match, and its captures; nothing when there is none. Here `^` is no anchor.
fn next_match(lua: &Lua, arguments: &[Value], bounds: &Bounds) -> Given {
    let [subject, pattern, Value::Number(_) | Value::Integer(_)] = arguments else { return Ok(Vec::new()) };
    let both = [subject.clone(), pattern.clone()];
    let (subject, pattern) = (text(&both, 0)?, text(&both, 1)?);
    let at = usize::try_from(truncated(number_at(arguments, 2)?)).unwrap_or(usize::MAX);
    let mut matcher = Matcher::new(&subject, &pattern, bounds);
    if at > subject.len() {
        return Ok(Vec::new());
    }
    let Some((from, to)) = matcher.find(at, false)? else { return Ok(Vec::new()) };
    let mut given = vec![length(if to == from { to + 1 } else { to })];
    captures(lua, &matcher, &subject, (from, to), true, &mut given)?;
    Ok(given)
}

fn captures(
    lua: &Lua,
    matcher: &Matcher<'_>,
    subject: &[u8],
    (from, to): (usize, usize),
    or_whole: bool,
    given: &mut Vec<Value>,
) -> Result<(), Failure> {
    for index in 0..matcher.captures(or_whole) {
        given.push(value(lua, subject, matcher.capture(index, from, to)?)?);
    }
    Ok(())
}

fn value(lua: &Lua, subject: &[u8], found: Found) -> Result<Value, Failure> {
    Ok(match found {
        Found::Position(at) => length(at + 1),
        Found::Piece(from, to) => Value::String(lua.create_string(&subject[from..to])?),
    })
}

/// Where to begin, from 0: `init`, which is counted from the end if it is negative.
fn start(arguments: &[Value], subject: usize) -> Result<usize, Failure> {
    let init = match arguments.get(2) {
        None | Some(Value::Nil) => 1,
        Some(_) => truncated(number_at(arguments, 2)?),
    };
    let back = usize::try_from(init.unsigned_abs()).unwrap_or(usize::MAX);
    Ok(if init < 0 { subject.saturating_sub(back) } else { back.saturating_sub(1).min(subject) })
}

fn is_true(value: Option<&Value>) -> bool {
    !matches!(value, None | Some(Value::Nil | Value::Boolean(false)))
}

/// Whether there is nothing special in it, as far as C looks, which is up to a zero byte.
fn is_plain(pattern: &Text) -> bool {
    !pattern.iter().take_while(|byte| **byte != 0).any(|byte| SPECIALS.contains(byte))
}

/// Without its anchor, and whether there was one.
fn anchor(pattern: &[u8]) -> (&[u8], bool) {
    match pattern.strip_prefix(b"^") {
        Some(rest) => (rest, true),
        None => (pattern, false),
    }
}
