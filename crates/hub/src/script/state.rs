//! The one Lua state, and what runs in it.
//!
//! A run has a table of globals of its own, which goes when it ends; so nothing that a script sets is seen by another.
//! The count hook looks at the clock; after the time is over every error that a script catches is thrown again, until
//! it is out. Memory is Lua's own allocator's business.

mod native;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use mlua::chunk::ChunkMode;
use mlua::{Function, HookTriggers, Lua, LuaOptions, MultiValue, StdLib, Table, Value, VmState};

use super::answer::{CallMode, Host};
use super::bounds::Bounds;
use super::failure::{CHUNK, Failure, error_table};
use super::library::bytes;
use super::numbers::{number, precise, truncated};
use super::random::Random;
use super::reply::Reply;
use super::room::Room;
use super::{bits, json, msgpack, pack, redis};

/// Instructions between two looks at the clock: some microseconds. One instruction may last milliseconds, if it joins
/// or compares texts that fill the memory: a thousand of them are some seconds.
const INSTRUCTIONS: u32 = 1_000;
/// What scripts find of Lua's own functions, beside those that the sandbox makes anew.
const NAMES: [&str; 17] = [
    "assert",
    "error",
    "gcinfo",
    "getmetatable",
    "ipairs",
    "next",
    "pairs",
    "rawequal",
    "rawget",
    "rawset",
    "select",
    "setmetatable",
    "tonumber",
    "tostring",
    "type",
    "unpack",
    "_VERSION",
];
const SANDBOX: &str = include_str!("sandbox.lua");
/// Garbage is collected when memory has grown by half since the last time, not only when it has doubled: memory is
/// limited, and Lua 5.1 collects nothing when it runs out.
const PAUSE_PERCENT: i32 = 150;

/// The state.
#[derive(Debug)]
pub(super) struct State {
    lua: Lua,
    /// Runs a function: true and its value, or false and a table with `err` and `line`.
    run: Function,
    /// The metatable of every run's globals.
    globals: Table,
    redis: Table,
    bounds: Rc<Bounds>,
    resp: Rc<Cell<u8>>,
    random: Rc<Random>,
    memory_max_bytes: usize,
}

/// A part of the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Half,
    Quarter,
}

/// A word of a command.
enum Word {
    Text(mlua::string::BorrowedBytes),
    Number(String),
}

/// What a run is given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) keys: &'a [&'a [u8]],
    pub(super) arguments: &'a [&'a [u8]],
    pub(super) is_read_only: bool,
    pub(super) time_max: Duration,
}

/// An error that ended a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    /// With its code.
    pub(super) text: String,
    /// Where the script stood.
    pub(super) line: Option<usize>,
}

impl State {
    pub(super) fn new(memory_max_bytes: usize) -> mlua::Result<Self> {
        let libraries = StdLib::TABLE | StdLib::STRING | StdLib::MATH | StdLib::OS;
        let lua = Lua::new_with(libraries, LuaOptions::default())?;
        lua.gc_set_mode(mlua::state::GcMode::Incremental(
            mlua::state::GcIncParams::default().pause(PAUSE_PERCENT),
        ));
        let (bounds, random) = (Rc::new(Bounds::new(memory_max_bytes)), Rc::new(Random::default()));
        let resp = Rc::new(Cell::new(2));
        let native = native::native(&lua, &bounds, &random)?;
        let redis = redis::library(&lua, Rc::clone(&resp))?;
        let libraries = lua.create_table()?;
        libraries.raw_set("redis", &redis)?;
        libraries.raw_set("bit", bits::library(&lua)?)?;
        libraries.raw_set("cjson", json::library(&lua)?)?;
        libraries.raw_set("cmsgpack", msgpack::library(&lua)?)?;
        libraries.raw_set("struct", pack::library(&lua)?)?;
        let sandbox = lua.load(SANDBOX).set_name("=sandbox");
        let (run, globals) = sandbox.call((native, libraries, NAMES.to_vec()))?;
        watch(&lua, Rc::clone(&bounds))?;
        lua.set_memory_limit(memory_max_bytes)?;
        Ok(Self { lua, run, globals, redis, bounds, resp, random, memory_max_bytes })
    }

    /// Compiles a script; the message of what is wrong with it has its line.
    pub(super) fn compile(&self, source: &[u8]) -> Result<Function, String> {
        compile(&self.lua, source, CHUNK)
    }

    /// Runs a script, and gives what it returned to `use_value`, with the version of RESP that it asked for.
    pub(super) fn run<T>(
        &self,
        script: &Function,
        run: Run<'_>,
        host: &mut dyn Host,
        use_value: impl FnOnce(&Value, u8) -> mlua::Result<T>,
    ) -> Result<T, Ended> {
        self.bounds.begin(run.time_max);
        self.random.seed(0);
        self.resp.set(2);
        let outcome = self.enter(script, run, host);
        self.bounds.end();
        let result = match outcome {
            Ok(Ok(value)) => use_value(&value, self.resp.get()).map_err(|error| ended(&error)),
            Ok(Err(ended)) => Err(ended),
            Err(error) => Err(ended(&error)),
        };
        self.tidy();
        result
    }

    fn enter(
        &self,
        script: &Function,
        run: Run<'_>,
        host: &mut dyn Host,
    ) -> mlua::Result<Result<Value, Ended>> {
        let globals = self.lua.create_table_with_capacity(0, 3)?;
        globals.raw_set("KEYS", self.strings(run.keys)?)?;
        globals.raw_set("ARGV", self.strings(run.arguments)?)?;
        globals.raw_set("_G", &globals)?;
        globals.set_metatable(Some(self.globals.clone()))?;
        script.set_environment(globals)?;
        let host = RefCell::new(host);
        let result = self.lua.scope(|scope| {
            let (host, resp) = (&host, &self.resp);
            let call = move |lua: &Lua, arguments: &MultiValue| {
                let mode = CallMode { is_read_only: run.is_read_only, resp: resp.get() };
                call(lua, arguments, mode, &mut **host.borrow_mut())
            };
            let raising = scope.create_function(move |lua, arguments: MultiValue| {
                call(lua, &arguments).and_then(|value| value.map_err(|text| Failure::Code(text).raise(lua)))
            })?;
            let returning =
                scope.create_function(move |lua, arguments: MultiValue| match call(lua, &arguments)? {
                    Ok(value) => Ok(value),
                    Err(text) => Ok(Value::Table(error_table(lua, text.as_bytes())?)),
                })?;
            let log = scope.create_function(move |lua, arguments: MultiValue| {
                log(&arguments, &mut **host.borrow_mut()).map_err(|failure| failure.raise(lua))
            })?;
            self.redis.raw_set("call", raising)?;
            self.redis.raw_set("pcall", returning)?;
            self.redis.raw_set("log", log)?;
            self.run.call::<(bool, Value)>(script)
        });
        // The script is kept; what this run was given must not be kept with it.
        script.set_environment(self.globals.clone())?;
        Ok(match result? {
            (true, value) => Ok(value),
            (false, Value::Table(error)) => {
                let text = error.raw_get::<mlua::LuaString>("err")?.to_string_lossy();
                Err(Ended { text, line: error.raw_get("line")? })
            }
            // Without memory there is no message handler either.
            (false, Value::Error(error)) => Err(ended(&error)),
            (false, other) => Err(Ended { text: format!("ERR {}", other.to_string()?), line: None }),
        })
    }

    fn strings(&self, words: &[&[u8]]) -> mlua::Result<Table> {
        let table = self.lua.create_table_with_capacity(words.len(), 0)?;
        for (index, word) in words.iter().enumerate() {
            table.raw_seti(index + 1, self.lua.create_string(word)?)?;
        }
        Ok(table)
    }

    /// Whether the scripts that are kept take more than this of the memory.
    pub(super) fn has_more_than(&self, part: Part) -> bool {
        let is_more = || self.lua.used_memory() > self.memory_max_bytes / part.divisor();
        // A collector that fails has freed nothing, and the memory is as full as it was.
        is_more() && (self.lua.gc_collect().is_err() || is_more())
    }

    /// What a script left is collected at once when it is much.
    fn tidy(&self) {
        if self.lua.used_memory() > self.memory_max_bytes / 4 {
            // A collector that fails has nothing that scripts need: the next one fails by the limit, and says so.
            let _ = self.lua.gc_collect();
        }
    }
}

impl Part {
    fn divisor(self) -> usize {
        match self {
            Self::Half => 2,
            Self::Quarter => 4,
        }
    }
}

impl Word {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text,
            Self::Number(text) => text.as_bytes(),
        }
    }
}

fn ended(error: &mlua::Error) -> Ended {
    let text = match Failure::of(error) {
        Failure::Text(text) => format!("ERR {text}"),
        Failure::Code(text) | Failure::End(text) => text,
        other @ (Failure::Argument { .. } | Failure::Raised) => format!("ERR {other}"),
    };
    Ended { text, line: None }
}

/// Executes a command of a script; an error of the command is inside.
fn call(
    lua: &Lua,
    arguments: &MultiValue,
    mode: CallMode,
    host: &mut dyn Host,
) -> mlua::Result<Result<Value, String>> {
    if arguments.is_empty() {
        return Ok(Err("ERR Please specify at least one argument for this redis lib call".into()));
    }
    let (mut words, mut room) = (Vec::with_capacity(arguments.len()), Room::new());
    for argument in arguments {
        let word = match argument {
            Value::String(text) => Word::Text(text.as_bytes()),
            Value::Integer(value) => Word::Number(value.to_string()),
            other => match number(other) {
                Some(value) => Word::Number(precise(value)),
                None => {
                    return Ok(Err("ERR Lua redis lib command arguments must be strings or integers".into()));
                }
            },
        };
        if room.take(word.bytes().len()).is_err() {
            return Ok(Err("ERR the command is too long".into()));
        }
        words.push(word);
    }
    let command: Vec<&[u8]> = words.iter().map(Word::bytes).collect();
    let mut reply = Reply::new(lua, mode.resp);
    host.call(&command, mode, &mut reply);
    reply.finish()
}

fn log(arguments: &MultiValue, host: &mut dyn Host) -> Result<(), Failure> {
    let arguments: Vec<Value> = arguments.iter().cloned().collect();
    if arguments.len() < 2 {
        return Err(Failure::code("redis.log() requires two arguments or more."));
    }
    let Some(level) = number(&arguments[0]) else {
        return Err(Failure::code("First argument must be a number (log level)."));
    };
    let level = u8::try_from(truncated(level)).ok().filter(|level| *level <= 3);
    let level = level.ok_or_else(|| Failure::code("Invalid debug level."))?;
    let words: Result<Vec<_>, _> =
        (1..arguments.len()).map(|index| bytes(&arguments, index, "log")).collect();
    host.log(level, &words?.join(&b' '));
    Ok(())
}

fn compile(lua: &Lua, source: &[u8], name: &str) -> Result<Function, String> {
    // Lua 5.1 takes byte code for a script, and runs it unverified.
    if source.first() == Some(&0x1b) {
        return Err("attempt to load chunk with wrong mode".into());
    }
    let chunk = lua.load(source).set_name(name).set_mode(ChunkMode::Text);
    chunk.into_function().map_err(|error| match error {
        mlua::Error::SyntaxError { message, .. } => message,
        other => Failure::of(&other).to_string(),
    })
}

/// Looks at the clock now and then.
fn watch(lua: &Lua, bounds: Rc<Bounds>) -> mlua::Result<()> {
    let triggers = HookTriggers::new().every_nth_instruction(INSTRUCTIONS);
    lua.set_global_hook(triggers, move |_, _| {
        bounds.look().map(|()| VmState::Continue).map_err(mlua::Error::external)
    })
}
