//! How a service's workers are reloaded, stopped, retried, woken, scheduled and logged.

use remuda_model::{Overlap, Signal, StopScope};
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess};
use serde::{Deserialize, Serialize};

use super::shape::{Shape, read_by_shape};
use super::{Duration, Field, Size};

/// How a reload goes.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Reload {
    /// `"hup"` or `"signal:USR2"`: the workers reload themselves on this signal. `"replace"`: new for old.
    Word(String),
    /// With its settings.
    Table(ReloadTable),
}

/// A reload with its settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReloadTable {
    /// Workers above the wanted number while a reload lasts, at least 1. Default: 1.
    pub surge: Field<u32>,
    /// One worker goes first, alone. Default: true.
    pub canary: Field<bool>,
    /// A replacement must stay alive this long after it is ready. Default: "1s" for `ready = "started"`, else "0s".
    pub bake: Field<Duration>,
    /// A replacement that is not ready after this long ends the reload. Default: `ready_timeout`.
    pub timeout: Field<Duration>,
    /// Instead of replacing workers, send them this signal. Default: none.
    pub signal: Field<Signal>,
}

/// How a worker is stopped.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Stop {
    /// Only the signal.
    Signal(Signal),
    /// With its settings.
    Table(StopTable),
}

/// A stop with its settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StopTable {
    /// The worker is asked with this signal. Default: `TERM`.
    pub signal: Field<Signal>,
    /// After this long its whole tree is killed. Default: "30s".
    pub timeout: Field<Duration>,
    /// Who gets the signal: the `main` process, its `group`, or the whole `tree`. Default: `main`.
    pub scope: Field<StopScope>,
}

/// How fast failing workers are retried: a delay of `rand(0.5..1) * min(cap, base * 2^n)`. A worker fails when it ends
/// unasked and its slot is not done by that, whatever its exit code.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Backoff {
    /// Delay the doubling begins with. Default: "100ms".
    pub base: Field<Duration>,
    /// Longest delay. Default: "1m".
    pub cap: Field<Duration>,
    /// A worker that was ready for this long ends the row of failures. Default: "10s".
    pub healthy_after: Field<Duration>,
    /// So many failures in a row, with no worker healthy in between, are a crash loop. Default: 10.
    pub crash_loop_after: Field<u32>,
    /// So many failures in a row end the retries. Default: never.
    pub give_up_after: Field<u32>,
}

/// Start on the first connection.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum OnDemand {
    /// Whether.
    Flag(bool),
    /// And stop again.
    Table(OnDemandTable),
}

/// When a service that starts on demand stops again.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OnDemandTable {
    /// Stop after this long without a connection. Default: stay.
    pub idle: Field<Duration>,
}

/// Run at times.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Schedule {
    /// A cron expression.
    Cron(String),
    /// With its settings.
    Table(ScheduleTable),
}

/// A schedule with its settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleTable {
    /// Cron expression of five fields, or six with seconds first, or `@daily` and its like. Required.
    pub cron: Field<String>,
    /// Time zone by its IANA name, such as `Europe/Paris`. Default: the system's.
    pub timezone: Field<String>,
    /// When a run is due and the last one goes on: `skip` the new one, `queue` it, or `replace` the old one.
    /// Default: `skip`.
    pub overlap: Field<Overlap>,
}

/// Where log lines go besides the arbiter's memory.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Log {
    /// A file, relative to the config file.
    File(String),
    /// With its settings.
    Table(LogTable),
}

/// A log file with its settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogTable {
    /// The file, relative to the config file. Required.
    pub file: Field<String>,
    /// Rotated when it would grow beyond this; 0 never rotates. Default: "64MiB".
    pub max_size: Field<Size>,
    /// Rotated files kept. Default: 5.
    pub keep: Field<u32>,
}

impl Shape for Reload {
    const EXPECTED: &'static str = "\"hup\", \"signal:NAME\" or { surge = …, timeout = … }";
    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        Ok(Self::Word(text.to_owned()))
    }
    fn from_table<'de, A: MapAccess<'de>>(table: A) -> Result<Self, A::Error> {
        ReloadTable::deserialize(MapAccessDeserializer::new(table)).map(Self::Table)
    }
}

impl Shape for Stop {
    const EXPECTED: &'static str = "a signal, or { signal = …, timeout = …, scope = … }";
    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        text.parse().map(Self::Signal).map_err(E::custom)
    }
    fn from_table<'de, A: MapAccess<'de>>(table: A) -> Result<Self, A::Error> {
        StopTable::deserialize(MapAccessDeserializer::new(table)).map(Self::Table)
    }
}

impl Shape for OnDemand {
    const EXPECTED: &'static str = "true, false or { idle = \"10m\" }";
    fn from_flag<E: Error>(flag: bool) -> Result<Self, E> {
        Ok(Self::Flag(flag))
    }
    fn from_table<'de, A: MapAccess<'de>>(table: A) -> Result<Self, A::Error> {
        OnDemandTable::deserialize(MapAccessDeserializer::new(table)).map(Self::Table)
    }
}

impl Shape for Schedule {
    const EXPECTED: &'static str = "a cron expression, or { cron = …, timezone = … }";
    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        Ok(Self::Cron(text.to_owned()))
    }
    fn from_table<'de, A: MapAccess<'de>>(table: A) -> Result<Self, A::Error> {
        ScheduleTable::deserialize(MapAccessDeserializer::new(table)).map(Self::Table)
    }
}

impl Shape for Log {
    const EXPECTED: &'static str = "a file, or { file = …, max_size = …, keep = … }";
    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        Ok(Self::File(text.to_owned()))
    }
    fn from_table<'de, A: MapAccess<'de>>(table: A) -> Result<Self, A::Error> {
        LogTable::deserialize(MapAccessDeserializer::new(table)).map(Self::Table)
    }
}

read_by_shape!(Reload, Stop, OnDemand, Schedule, Log);
