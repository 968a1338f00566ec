//! The answer of a command, as a value of Lua.
//!
//! With RESP 2 a script sees numbers, strings, arrays, `false` for nothing, `{ok=…}` and `{err=…}`; after
//! `redis.setresp(3)` the other types too, as tables with one field that names them.

use mlua::{Lua, Table, Value};

use super::answer::Answer;
use super::failure::error_table;
use super::numbers::{double, precise};

/// Answers inside of answers; no command of Redis has more than a handful.
const DEPTH_MAX: usize = 32;

/// Builds one value.
#[derive(Debug)]
pub(super) struct Reply<'lua> {
    lua: &'lua Lua,
    resp: u8,
    open: Vec<Frame>,
    value: Option<Value>,
    /// The text of an error that is the whole answer.
    error: Option<String>,
    failed: Option<mlua::Error>,
}

#[derive(Debug)]
struct Frame {
    outer: Table,
    inner: Table,
    kind: Kind,
    left: usize,
    filled: usize,
    key: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Array,
    Map,
    Set,
}

impl<'lua> Reply<'lua> {
    pub(super) fn new(lua: &'lua Lua, resp: u8) -> Self {
        Self { lua, resp, open: Vec::new(), value: None, error: None, failed: None }
    }

    /// The value, or the text of the error that it is. A host that answered nothing gives nothing.
    pub(super) fn finish(self) -> mlua::Result<Result<Value, String>> {
        match (self.failed, self.error) {
            (Some(failed), _) => Err(failed),
            (None, Some(error)) => Ok(Err(error)),
            (None, None) => Ok(Ok(self.value.unwrap_or(Value::Boolean(false)))),
        }
    }

    fn is_third(&self) -> bool {
        self.resp >= 3
    }

    fn put(&mut self, value: mlua::Result<Value>) {
        if self.failed.is_some() {
            return;
        }
        if let Err(error) = value.and_then(|value| self.place(value)) {
            self.failed = Some(error);
        }
    }

    fn place(&mut self, value: Value) -> mlua::Result<()> {
        let mut value = value;
        while let Some(frame) = self.open.last_mut() {
            frame.add(value)?;
            if frame.left > 0 {
                return Ok(());
            }
            let Some(done) = self.open.pop() else { return Ok(()) };
            value = Value::Table(done.outer);
        }
        self.value = Some(value);
        Ok(())
    }

    fn begin(&mut self, kind: Kind, length: usize) {
        let made = self.make(kind, length);
        match made {
            Ok(frame) if frame.left == 0 => self.put(Ok(Value::Table(frame.outer))),
            Ok(frame) if self.open.len() < DEPTH_MAX => self.open.push(frame),
            Ok(_) => self.failed = Some(mlua::Error::runtime("an answer is nested too deeply")),
            Err(error) => self.failed = Some(error),
        }
    }

    fn make(&self, kind: Kind, length: usize) -> mlua::Result<Frame> {
        let inner = self.lua.create_table()?;
        let outer = match kind {
            Kind::Array => inner.clone(),
            Kind::Map | Kind::Set => {
                self.named(if kind == Kind::Map { "map" } else { "set" }, inner.clone())?
            }
        };
        let left = if kind == Kind::Map { length.saturating_mul(2) } else { length };
        Ok(Frame { outer, inner, kind, left, filled: 0, key: None })
    }

    fn named(&self, name: &str, value: impl mlua::IntoLua) -> mlua::Result<Table> {
        let table = self.lua.create_table_with_capacity(0, 1)?;
        table.raw_set(name, value)?;
        Ok(table)
    }

    fn string(&self, bytes: &[u8]) -> mlua::Result<Value> {
        Ok(Value::String(self.lua.create_string(bytes)?))
    }
}

impl Frame {
    fn add(&mut self, value: Value) -> mlua::Result<()> {
        self.left -= 1;
        match self.kind {
            Kind::Array => {
                self.filled += 1;
                self.inner.raw_seti(self.filled, value)
            }
            Kind::Set => self.inner.raw_set(value, true),
            Kind::Map => match self.key.take() {
                None => {
                    self.key = Some(value);
                    Ok(())
                }
                // A table cannot have nothing as its key; no command answers such a map.
                Some(Value::Nil) => Ok(()),
                Some(key) => self.inner.raw_set(key, value),
            },
        }
    }
}

impl Answer for Reply<'_> {
    fn simple(&mut self, text: &str) {
        let value = self.string(text.as_bytes()).and_then(|text| Ok(Value::Table(self.named("ok", text)?)));
        self.put(value);
    }

    fn error(&mut self, text: &str) {
        if self.open.is_empty() {
            self.error = Some(text.to_owned());
            return;
        }
        let value = error_table(self.lua, text.as_bytes()).map(Value::Table);
        self.put(value);
    }

    fn integer(&mut self, value: i64) {
        self.put(Ok(Value::Number(double(value))));
    }

    fn bulk(&mut self, bytes: &[u8]) {
        let value = self.string(bytes);
        self.put(value);
    }

    fn null(&mut self) {
        let value = if self.is_third() { Value::Nil } else { Value::Boolean(false) };
        self.put(Ok(value));
    }

    fn null_array(&mut self) {
        self.null();
    }

    fn array(&mut self, length: usize) {
        self.begin(Kind::Array, length);
    }

    fn map(&mut self, length: usize) {
        if self.is_third() {
            self.begin(Kind::Map, length);
        } else {
            self.begin(Kind::Array, length.saturating_mul(2));
        }
    }

    fn set(&mut self, length: usize) {
        self.begin(if self.is_third() { Kind::Set } else { Kind::Array }, length);
    }

    fn push(&mut self, length: usize) {
        self.begin(Kind::Array, length);
    }

    fn double(&mut self, value: f64) {
        let value = if self.is_third() {
            self.named("double", value).map(Value::Table)
        } else {
            self.string(precise(value).as_bytes())
        };
        self.put(value);
    }

    fn boolean(&mut self, value: bool) {
        let value =
            if self.is_third() { Value::Boolean(value) } else { Value::Number(f64::from(u8::from(value))) };
        self.put(Ok(value));
    }

    fn verbatim(&mut self, format: &str, text: &[u8]) {
        let value = if self.is_third() {
            self.verbatim_table(format, text).map(Value::Table)
        } else {
            self.string(text)
        };
        self.put(value);
    }

    fn is_resp3(&self) -> bool {
        self.is_third()
    }

    fn big_number(&mut self, digits: &str) {
        let value = self.string(digits.as_bytes());
        let value = match value {
            Ok(value) if self.is_third() => self.named("big_number", value).map(Value::Table),
            value => value,
        };
        self.put(value);
    }
}

impl Reply<'_> {
    fn verbatim_table(&self, format: &str, text: &[u8]) -> mlua::Result<Table> {
        let inner = self.lua.create_table_with_capacity(0, 2)?;
        inner.raw_set("format", format)?;
        inner.raw_set("string", self.lua.create_string(text)?)?;
        self.named("verbatim_string", inner)
    }
}
