//! Errors inside of scripts.
//!
//! A native function fails with a [`Failure`]; it travels through Lua as mlua's own error value, so that the frame of
//! the caller is kept, and becomes a string or a table when a script catches it.

use mlua::{Error, Lua, Table, Value};

/// The name under which scripts are compiled; it stands in messages and in the trace.
pub(super) const CHUNK: &str = "@user_script";

/// Where Lua keeps the value of [`Failure::Raised`].
const RAISED: &str = "remuda.raised";
/// What the sandbox's own functions are compiled under: no script stands there.
const SANDBOX: &str = "sandbox";
/// Frames of ours, of the library and of tail calls that may stand above the script's own.
const FRAMES_MAX: usize = 16;

/// What a native function says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// A message that gets the caller's line in front.
    #[error("{0}")]
    Text(String),
    /// An error with its code, as commands answer: scripts see a table with it.
    #[error("{0}")]
    Code(String),
    /// The argument `index`, from 0, is not what it has to be; the function's name is asked of Lua.
    #[error("bad argument #{} ({why})", index + 1)]
    Argument {
        /// Which one, from 0.
        index: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A value that a script raised and that has to go on: Lua keeps it, under [`RAISED`]. There is one at most: it goes
    /// straight to whoever catches it.
    #[error("an error that is no text")]
    Raised,
    /// The script has to end, whatever it catches.
    #[error("{0}")]
    End(String),
}

impl Failure {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// With the code that has no meaning.
    pub(super) fn code(text: &str) -> Self {
        Self::Code(format!("ERR {text}"))
    }

    /// As an error of mlua; a text is given the place where the script calls.
    pub(super) fn raise(self, lua: &Lua) -> Error {
        match self {
            Self::Text(text) => Error::external(Self::Text(format!("{}{text}", place(lua)))),
            Self::Argument { index, why } => Self::Text(bad_argument(lua, index, &why)).raise(lua),
            other => Error::external(other),
        }
    }

    /// What is behind an error of mlua.
    pub(super) fn of(error: &Error) -> Self {
        match error {
            Error::CallbackError { cause, .. } | Error::BadArgument { cause, .. } => Self::of(cause),
            Error::ExternalError(cause) => match cause.downcast_ref::<Self>() {
                Some(failure) => failure.clone(),
                None => Self::Text(cause.to_string()),
            },
            Error::RuntimeError(text) => Self::Text(text.clone()),
            Error::MemoryError(_) => Self::Text("not enough memory".into()),
            other => Self::Text(other.to_string()),
        }
    }

    /// As scripts see it.
    pub(super) fn value(self, lua: &Lua) -> mlua::Result<Value> {
        match self {
            Self::Text(text) => Ok(Value::String(lua.create_string(text)?)),
            Self::Code(text) => Ok(Value::Table(error_table(lua, text.as_bytes())?)),
            Self::Argument { .. } => Ok(Value::String(lua.create_string(self.to_string())?)),
            Self::Raised => {
                let value = lua.named_registry_value(RAISED)?;
                lua.unset_named_registry_value(RAISED)?;
                Ok(value)
            }
            end @ Self::End(_) => Err(Error::external(end)),
        }
    }
}

impl Failure {
    /// An error that came out of a function of the script, on its way through a native one.
    pub(super) fn raised(lua: &Lua, cause: Value) -> Self {
        let cause = match cause {
            Value::Error(error) => match Self::of(&error) {
                // It has its place already.
                Self::Text(text) => match lua.create_string(text) {
                    Ok(text) => Value::String(text),
                    Err(error) => return Self::of(&error),
                },
                other => return other,
            },
            value => value,
        };
        match lua.set_named_registry_value(RAISED, cause) {
            Ok(()) => Self::Raised,
            Err(error) => Self::of(&error),
        }
    }
}

/// Where the script calls, to stand before a message: nothing, if it is no script that does.
fn place(lua: &Lua) -> String {
    for level in 1..FRAMES_MAX {
        let found = lua.inspect_stack(level, |frame| {
            (frame.source().short_src.map(|name| name.into_owned()), frame.current_line())
        });
        match found {
            Some((Some(name), _)) if name == SANDBOX => {}
            Some((Some(name), Some(line))) => return format!("{name}:{line}: "),
            _ => break,
        }
    }
    String::new()
}

/// As `luaL_argerror` of Lua 5.1 says it: the function has the name by which it was called, and its first argument is
/// not counted if that was a method's name.
fn bad_argument(lua: &Lua, index: usize, why: &str) -> String {
    let names = lua.inspect_stack(0, |frame| {
        let names = frame.names();
        (names.name.map(|name| name.into_owned()), names.name_what == Some("method"))
    });
    let (name, is_method) = names.unwrap_or_default();
    let name = name.unwrap_or_else(|| "?".into());
    match index + usize::from(!is_method) {
        0 => format!("calling '{name}' on bad self ({why})"),
        number => format!("bad argument #{number} to '{name}' ({why})"),
    }
}

/// `{err = text}`.
pub(super) fn error_table(lua: &Lua, text: &[u8]) -> mlua::Result<Table> {
    let table = lua.create_table_with_capacity(0, 1)?;
    table.raw_set("err", lua.create_string(text)?)?;
    Ok(table)
}

/// The line at which the script stands.
pub(super) fn line(lua: &Lua) -> Option<usize> {
    (0..FRAMES_MAX).find_map(|level| {
        let found = lua.inspect_stack(level, |frame| {
            let ours = frame.source().source.is_some_and(|source| source == CHUNK);
            ours.then(|| frame.current_line()).flatten()
        });
        found.flatten()
    })
}
