//! `[service.NAME]`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use remuda_model::{NotifyAccess, Restart, Session};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Serialize};

use super::shape::{Shape, read_by_shape};
use super::{
    Backoff, Command, Duration, Field, FileMode, Hooks, Limits, Located, Log, OnDemand, Percent, Reload,
    Schedule, Stop, Workers,
};

/// A named group of identical workers: `[service.NAME]`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Service {
    /// What its workers are: `command`, any program, or `gateway`, which serves the web in front of the others by the
    /// routes of the file. Default: `command`.
    pub kind: Field<Kind>,
    /// What its workers run: one text that is split like a shell does (but not run by one), or a list of words.
    /// Placeholders such as `$(socket.web)` are filled in when a worker is spawned. Required,
    /// but not of a gateway.
    pub command: Field<Command>,
    /// Run the text of `command` with `/bin/sh -c`. Default: false.
    pub shell: Field<bool>,
    /// The sockets its workers inherit, in the order of their descriptors from 3 up. Default: none.
    pub sockets: Field<Vec<Located<String>>>,
    /// Descriptor 0: `null`, `hold` (a pipe nobody writes to) or `socket:NAME`. Default: `null`.
    pub stdin: Field<String>,
    /// Number of workers: 4, "cpus" or "cpus*2"; or { min = 2, max = 16, on = "backlog" }, and it follows the load.
    /// Default: 1.
    pub workers: Field<Workers>,
    /// At most one worker lives at any moment: reloads stop before they start. Default: false.
    pub singleton: Field<bool>,
    /// The worker is a task with an end: exit 0 means done. Default: false; true with a `schedule`.
    pub oneshot: Field<bool>,
    /// It starts with the arbiter. Default: true.
    pub autostart: Field<bool>,
    /// It starts only when these services run (or, oneshot, are done). Default: none.
    pub after: Field<Vec<Located<String>>>,
    /// Among services that may start, higher ones spawn first. Default: 0.
    pub priority: Field<i32>,
    /// How a worker tells that it serves: `started`, `notify` (sd_notify), `listen`, `fd:N`, `http:/path`,
    /// `http://host:port/path`, `tcp`, `tcp:ADDRESS`, `exec:COMMAND`, `log:REGEX`, `delay:1s`, `ack` (einhorn).
    /// Default: `started`.
    pub ready: Field<String>,
    /// A worker that is not ready after this long is killed. Default: "1m".
    pub ready_timeout: Field<Duration>,
    /// Who may speak on a worker's notify socket: its `main` process or `all` of its processes. Default: `all`.
    pub notify_access: Field<NotifyAccess>,
    /// A worker must ping within this time (`WATCHDOG_USEC`), or it is aborted and replaced. Default: none.
    pub watchdog: Field<Duration>,
    /// How a reload goes: "hup" or "signal:USR2" (workers reload themselves), or a table. Default: new workers
    /// replace old ones without a gap.
    pub reload: Field<Reload>,
    /// How a worker is stopped: a signal, or a table. Default: `TERM`, and the kill after 30 s.
    pub stop: Field<Stop>,
    /// When an ended worker gets a successor: `always`, `on-failure` or `never`. Default: `always`, and
    /// `on-failure` when oneshot.
    pub restart: Field<Restart>,
    /// Exit codes besides 0 that count as success. Default: none.
    pub success_codes: Field<Vec<Located<i32>>>,
    /// How fast failing workers are retried.
    pub backoff: Field<Backoff>,
    /// Start on the first connection: true, or a table with the idle time after which it stops. Default: false.
    pub on_demand: Field<OnDemand>,
    /// Run at times: a cron expression, or a table. Default: none.
    pub schedule: Field<Schedule>,
    /// Replace a worker at this age, without a gap. Default: never.
    pub max_age: Field<Duration>,
    /// Replace a worker that has reported this many requests (`X_REMUDA_REQUESTS=n`). Default: never.
    pub max_requests: Field<u64>,
    /// Lengthen the limits of age and requests by a random share of up to this much. Default: "20%".
    pub recycle_jitter: Field<Percent>,
    /// Run as this user, name or number. Default: the arbiter's.
    pub user: Field<Account>,
    /// Run as this group, name or number. Default: the user's own.
    pub group: Field<Account>,
    /// Supplementary groups, names or numbers. Default: those of the user.
    pub groups: Field<Vec<Located<Account>>>,
    /// File mode creation mask, in octal: "022". Default: inherited.
    pub umask: Field<FileMode>,
    /// Working directory, relative to the config file. Default: the config file's folder.
    pub directory: Field<String>,
    /// Niceness, -20 to 19. Default: 0.
    pub nice: Field<i32>,
    /// `oom_score_adj`, -1000 to 1000. Default: inherited.
    pub oom_score_adjust: Field<i32>,
    /// Set-uid programs gain nothing. Default: false.
    pub no_new_privileges: Field<bool>,
    /// Session and process group of the workers: "new" leads its own of both, "group" its own group in the
    /// arbiter's session, "inherit" neither. Default "new".
    pub session: Field<Session>,
    /// Descriptors a worker may park with the arbiter (`FDSTORE=1`), per slot. Default: 0.
    pub fd_store: Field<u32>,
    /// Where log lines go besides the arbiter's memory: a file, or a table. Default: nowhere.
    pub log: Field<Log>,
    /// Take over the arbiter's own variables; otherwise only PATH, HOME, USER, LOGNAME, SHELL, LANG and TZ.
    /// Default: false.
    pub inherit_env: Field<bool>,
    /// Files of `KEY=value` lines, relative to the config file; with a leading `-` a file may be missing. Later
    /// files win over earlier ones, `[service.NAME.env]` wins over all.
    pub env_files: Field<Vec<Located<String>>>,
    /// Variables of the workers: `[service.NAME.env]`.
    pub env: Option<BTreeMap<Located<String>, Located<Variable>>>,
    /// Its workers are told where the hub is, and may use it. Default: true where there is a `[bus]`, a `[store]` or a
    /// `[herd]`.
    pub hub: Field<bool>,
    /// Resource limits: `[service.NAME.limits]`.
    pub limits: Option<Limits>,
    /// Programs run at steps of life: `[service.NAME.hooks]`.
    pub hooks: Option<Hooks>,
}

/// What the workers of a service are. What is built in has tables of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Any program.
    #[default]
    Command,
    /// The gateway.
    Gateway,
}

/// A user or group: a name, or a number.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Account(pub String);

/// The value of a variable: a text; numbers and flags are taken as they are written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Variable(pub String);

impl Shape for Account {
    const EXPECTED: &'static str = "a name or a number";
    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        if text.is_empty() || text.contains([':', '/', '\0', '\n']) {
            return Err(E::custom(format!("{text:?} is not the name or number of a user or group")));
        }
        Ok(Self(text.to_owned()))
    }
    fn from_number<E: Error>(number: i64) -> Result<Self, E> {
        let id = u32::try_from(number).ok();
        id.map(|id| Self(id.to_string()))
            .ok_or_else(|| E::custom(format!("{number} is not the number of a user or group")))
    }
}

impl Shape for Variable {
    const EXPECTED: &'static str = "a text, a number, true or false";
    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        Ok(Self(text.to_owned()))
    }
    fn from_number<E: Error>(number: i64) -> Result<Self, E> {
        Ok(Self(number.to_string()))
    }
    fn from_fraction<E: Error>(number: f64) -> Result<Self, E> {
        Ok(Self(number.to_string()))
    }
    fn from_flag<E: Error>(flag: bool) -> Result<Self, E> {
        Ok(Self(flag.to_string()))
    }
}

impl From<&str> for Account {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<&str> for Variable {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl JsonSchema for Account {
    fn schema_name() -> Cow<'static, str> {
        "Account".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "A name or a number.", "type": ["string", "integer"] })
    }
}

impl JsonSchema for Variable {
    fn schema_name() -> Cow<'static, str> {
        "Variable".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "A text, a number, true or false.", "type": ["string", "number", "boolean"] })
    }
}

read_by_shape!(Account, Variable);
