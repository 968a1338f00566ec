//! Errors inside of scripts.
//!
//! A native function fails with a [`Failure`]; it travels through Lua as mlua's own error value, so that the frame of
//! the caller is kept, and becomes a string or a table when a script catches it.

use mlua::{Error, Lua, Table, Value};

/// The name under which scripts are compiled; it stands in messages and in the trace.
pub(super) const CHUNK: &str = "@user_script";

/// What a native function says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// A message that gets the caller's line in front.
    #[error("{0}")]
    Text(String),
    /// An error with its code, as commands answer: scripts see a table with it.
    #[error("{0}")]
    Code(String),
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
            Self::Text(text) => {
                let place = lua.inspect_stack(1, |frame| {
                    let line = frame.current_line()?;
                    let source = frame.source();
                    source.short_src.map(|source| format!("{source}:{line}: "))
                });
                Error::external(Self::Text(format!("{}{text}", place.flatten().unwrap_or_default())))
            }
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
            end @ Self::End(_) => Err(Error::external(end)),
        }
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
    /// Frames of ours, of the library and of tail calls that may stand above the script's own.
    const FRAMES_MAX: usize = 16;
    (0..FRAMES_MAX).find_map(|level| {
        let found = lua.inspect_stack(level, |frame| {
            let ours = frame.source().source.is_some_and(|source| source == CHUNK);
            ours.then(|| frame.current_line()).flatten()
        });
        found.flatten()
    })
}
