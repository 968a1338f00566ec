//! Command lines, of services and of hooks.

use remuda_model::HookFailure;
use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess};
use serde::{Deserialize, Serialize};

use super::shape::{Shape, read_by_shape};
use super::{Duration, Field, Located};

/// A command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Command {
    /// One text, split into words as a shell does, but not run by one.
    Line(String),
    /// Program and arguments, one by one.
    Words(Vec<Located<String>>),
}

/// A program that is run at a step of life: a command line, or a table.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Hook {
    /// Only the command.
    Command(Command),
    /// With its settings.
    Table(HookTable),
}

/// A hook with its settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HookTable {
    /// What is run; it gets a JSON object on its standard input. Required.
    pub command: Field<Command>,
    /// It is killed, and has failed, after this long. Default: "10s".
    pub timeout: Field<Duration>,
    /// Its failure prevents or undoes the step (`abort`), or is only told (`ignore`). Default: `abort` for
    /// `before_start`, `after_start`, `before_spawn` and `after_spawn`, else `ignore`.
    pub on_failure: Field<HookFailure>,
}

/// Programs told about, or asked before, the steps of a service's life: `[service.NAME.hooks]`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Hooks {
    /// Before the first worker of the service is spawned.
    pub before_start: Field<Hook>,
    /// When all its workers are ready.
    pub after_start: Field<Hook>,
    /// Before each worker is spawned.
    pub before_spawn: Field<Hook>,
    /// When a worker's program runs.
    pub after_spawn: Field<Hook>,
    /// Before its workers are told to stop.
    pub before_stop: Field<Hook>,
    /// When its last worker is gone.
    pub after_stop: Field<Hook>,
    /// When a worker has ended and its pid is still its own.
    pub before_reap: Field<Hook>,
    /// When a worker's end has been recorded.
    pub after_reap: Field<Hook>,
}

impl Shape for Command {
    const EXPECTED: &'static str = "a command line, or a list of its words";
    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        Ok(Self::Line(text.to_owned()))
    }
    fn from_list<'de, A: SeqAccess<'de>>(list: A) -> Result<Self, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(Self::Words)
    }
}

impl Shape for Hook {
    const EXPECTED: &'static str = "a command line, a list of its words, or { command = …, timeout = … }";
    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        Command::from_text(text).map(Self::Command)
    }
    fn from_list<'de, A: SeqAccess<'de>>(list: A) -> Result<Self, A::Error> {
        Command::from_list(list).map(Self::Command)
    }
    fn from_table<'de, A: MapAccess<'de>>(table: A) -> Result<Self, A::Error> {
        HookTable::deserialize(MapAccessDeserializer::new(table)).map(Self::Table)
    }
}

read_by_shape!(Command, Hook);
