//! `string.gsub`: what is found is replaced by a text, by what a table has, or by what a function says.

use std::rc::Rc;

use mlua::{Function, Lua, MultiValue, Table, Value};

use super::matcher::{Found, Matcher};
use super::{anchor, bounded, captures, value};
use crate::script::bounds::{Bounds, Making};
use crate::script::failure::Failure;
use crate::script::library::Given;
use crate::script::numbers::{length, truncated};
use crate::script::text::{Text, convert, kind, number_at, text};

/// What a match becomes.
enum Replacement<'a> {
    Text(Text),
    Table(&'a Table),
    Function(&'a Function),
}

/// How Lua is called back: an error that is no text would not survive mlua's own calls.
#[derive(Debug)]
struct Back {
    pcall: Function,
    index: Function,
}

/// The function.
pub(super) fn function(lua: &Lua, bounds: &Rc<Bounds>) -> mlua::Result<Function> {
    let back = Back {
        pcall: lua.globals().get("pcall")?,
        index: lua.load("local t, k = ... return t[k]").set_name("=sandbox").into_function()?,
    };
    bounded(lua, bounds, move |lua, arguments, bounds| gsub(lua, arguments, bounds, &back))
}

fn gsub(lua: &Lua, arguments: &[Value], bounds: &Bounds, back: &Back) -> Given {
    let (subject, pattern) = (text(arguments, 0)?, text(arguments, 1)?);
    let most = match arguments.get(3) {
        None | Some(Value::Nil) => usize::MAX,
        Some(_) => usize::try_from(truncated(number_at(arguments, 3)?).max(0)).unwrap_or(usize::MAX),
    };
    let replacement = match arguments.get(2) {
        Some(Value::Table(table)) => Replacement::Table(table),
        Some(Value::Function(function)) => Replacement::Function(function),
        Some(value) if convert(value).is_some() => Replacement::Text(text(arguments, 2)?),
        _ => return Err(Failure::Argument { index: 2, why: "string/function/table expected".into() }),
    };
    let (pattern, anchored) = anchor(&pattern);
    let mut matcher = Matcher::new(&subject, pattern, bounds);
    let (mut out, mut at, mut times) = (Making::new(bounds), 0, 0);
    while times < most {
        let found = matcher.find(at, anchored)?;
        let Some((from, to)) = found else { break };
        times += 1;
        out.add(&subject[at..from])?;
        replace(lua, &matcher, &subject, (from, to), &replacement, back, &mut out)?;
        at = to;
        if to == from {
            // Something has to be left behind.
            let Some(byte) = subject.get(from) else { break };
            out.add(&[*byte])?;
            at = from + 1;
        }
        if anchored {
            break;
        }
    }
    out.add(subject.get(at..).unwrap_or_default())?;
    Ok(vec![Value::String(lua.create_string(out.bytes())?), length(times)])
}

fn replace(
    lua: &Lua,
    matcher: &Matcher<'_>,
    subject: &[u8],
    (from, to): (usize, usize),
    replacement: &Replacement<'_>,
    back: &Back,
    out: &mut Making<'_>,
) -> Result<(), Failure> {
    let given = match replacement {
        Replacement::Text(text) => return expand(matcher, subject, (from, to), text, out),
        Replacement::Table(table) => {
            let key = value(lua, subject, matcher.capture(0, from, to)?)?;
            if table.metatable().is_none() {
                table.raw_get(key)?
            } else {
                back.call(lua, &back.index, vec![Value::Table((*table).clone()), key])?
            }
        }
        Replacement::Function(function) => {
            let mut words = Vec::new();
            captures(lua, matcher, subject, (from, to), true, &mut words)?;
            back.call(lua, function, words)?
        }
    };
    match &given {
        Value::Nil | Value::Boolean(false) => out.add(&subject[from..to]),
        value => match convert(value) {
            Some(text) => out.add(&text),
            None => {
                let kind = kind(value);
                Err(Failure::text(format!("invalid replacement value (a {kind})")))
            }
        },
    }
}

/// `%0` is the match, `%1` its first capture, `%` before anything else nothing.
fn expand(
    matcher: &Matcher<'_>,
    subject: &[u8],
    (from, to): (usize, usize),
    text: &[u8],
    out: &mut Making<'_>,
) -> Result<(), Failure> {
    let mut rest = text;
    while let Some(escape) = memchr::memchr(b'%', rest) {
        out.add(&rest[..escape])?;
        // After a percent sign at the end comes the zero that ends a string of C.
        let what = rest.get(escape + 1).copied().unwrap_or(0);
        rest = rest.get(escape + 2..).unwrap_or_default();
        match what {
            b'0' => out.add(&subject[from..to])?,
            b'1'..=b'9' => match matcher.capture(usize::from(what - b'1'), from, to)? {
                Found::Piece(from, to) => out.add(&subject[from..to])?,
                Found::Position(at) => out.add((at + 1).to_string().as_bytes())?,
            },
            other => out.add(&[other])?,
        }
    }
    out.add(rest)
}

impl Back {
    fn call(&self, lua: &Lua, function: &Function, mut arguments: Vec<Value>) -> Result<Value, Failure> {
        arguments.insert(0, Value::Function(function.clone()));
        match self.pcall.call::<(bool, Value)>(MultiValue::from_vec(arguments))? {
            (true, value) => Ok(value),
            (false, cause) => Err(Failure::raised(lua, cause)),
        }
    }
}
