//! `[store]`.

use std::time::Duration;

use remuda_model::hub::{Engine, EngineKind, Events, Fsync, FullPolicy, ScriptSpec, StoreAuth, StoreSpec};

use super::bus::PEERS_MOST;
use super::{Resolution, or};
use crate::raw;
use crate::report::Problem;

const MEMORY: u64 = 512 << 20;
const MEMORY_MIN: u64 = 1 << 20;
const FSYNC: Duration = Duration::from_secs(1);
const DATABASES: u32 = 16;
/// Each takes memory, used or not.
const DATABASES_MOST: u32 = 1024;
const CLIENTS_MAX: u32 = 10_000;
/// A sync takes milliseconds: more often is `"always"`.
const FSYNC_LEAST: Duration = Duration::from_millis(10);
/// The kernel itself writes within half a minute: more rarely is `"never"`.
const FSYNC_MOST: Duration = Duration::from_secs(60);
const SCRIPT_TIME: Duration = Duration::from_secs(5);
/// Everybody waits while a script runs: longer looks like a hub that hangs.
const SCRIPT_TIME_MOST: Duration = Duration::from_secs(60);
const SCRIPT_MEMORY: u64 = 64 << 20;

impl Resolution<'_> {
    pub(super) fn store(&mut self) -> StoreSpec {
        let raw = self.file.store.clone().unwrap_or_default();
        let (listen, open) = self.addresses(&raw.listen);
        let auth = or(&raw.auth, StoreAuth::default());
        if auth == StoreAuth::None {
            let written = raw.auth.as_ref().and_then(|auth| auth.span.clone());
            self.guarded("store", open, written, "write auth = \"token\", or leave `auth` out");
        }
        self.store_ranges(&raw);
        let engine = self.store_engine(&raw);
        let raw = if engine.external().is_some() { elsewhere(raw) } else { raw };
        let durable = or(&raw.durable, true);
        if let (Some(fsync), false) = (&raw.fsync, durable) {
            let problem = Problem::warning(fsync.span.clone(), "`fsync` has no effect with durable = false");
            let place = raw.durable.as_ref().and_then(|durable| durable.span.clone());
            self.problems.push(problem.related(place, "nothing is written"));
        }
        let script = raw.script.clone().unwrap_or_default();
        StoreSpec {
            listen,
            auth,
            memory: raw.memory.as_ref().map_or(MEMORY, |size| size.0),
            full: or(&raw.full, FullPolicy::default()),
            fsync: raw.fsync.as_ref().filter(|_| durable).map_or(Fsync::Every(FSYNC), |fsync| fsync.0),
            durable,
            databases: or(&raw.databases, DATABASES),
            clients_max: or(&raw.clients_max, CLIENTS_MAX),
            script: ScriptSpec {
                time: self.time(&script.time, SCRIPT_TIME),
                memory: script.memory.as_ref().map_or(SCRIPT_MEMORY, |size| size.0),
            },
            events: raw.events.as_ref().map_or(Events::default(), |events| events.0),
            engine,
        }
    }

    /// What holds the data. What is said of the hub's own store says nothing of another server's.
    fn store_engine(&mut self, raw: &raw::Store) -> Engine {
        let engine = self.engine(raw.engine.as_ref());
        let (Some(url), Some(written)) = (engine.external(), &raw.engine) else { return engine };
        if url.kind != EngineKind::Redis {
            let message = match url.kind {
                EngineKind::Nats => "a NATS carries messages; it cannot be the store",
                _ => "this server cannot be the store: it keeps locks only",
            };
            let problem = Problem::error(written.span.clone(), message);
            self.problems.push(problem.hint("write \"embedded\" or \"redis://host:6379\""));
            return engine;
        }
        let settings = [
            ("memory", raw.memory.as_ref().and_then(|memory| memory.span.clone())),
            ("full", raw.full.as_ref().and_then(|full| full.span.clone())),
            ("fsync", raw.fsync.as_ref().and_then(|fsync| fsync.span.clone())),
            ("durable", raw.durable.as_ref().and_then(|durable| durable.span.clone())),
            ("databases", raw.databases.as_ref().and_then(|databases| databases.span.clone())),
        ];
        for (name, span) in settings.into_iter().filter_map(|(name, span)| Some((name, span?))) {
            let message =
                format!("`{name}` has no effect: another server holds the data, with settings of its own");
            let problem = Problem::warning(Some(span), message);
            self.problems.push(problem.related(written.span.clone(), "this one"));
        }
        engine
    }

    fn store_ranges(&mut self, raw: &raw::Store) {
        let enough = |size: &raw::Size| size.0 >= MEMORY_MIN;
        self.demand(&raw.memory, enough, "the store takes 1MiB at least");
        let often = |fsync: &raw::Fsync| match fsync.0 {
            Fsync::Every(time) => (FSYNC_LEAST..=FSYNC_MOST).contains(&time),
            Fsync::Always | Fsync::Never => true,
        };
        self.demand(&raw.fsync, often, "the journal is synced every 10ms to 1m, \"always\" or \"never\"");
        if let Some(script) = &raw.script {
            self.demand(&script.time, |time| time.0 <= SCRIPT_TIME_MOST, "a script runs for 1m at most");
            self.demand(&script.memory, enough, "scripts take 1MiB at least");
        }
        let databases = |count: &u32| (1..=DATABASES_MOST).contains(count);
        self.demand(&raw.databases, databases, "there are 1 to 1024 databases");
        let clients = |count: &u32| (1..=PEERS_MOST).contains(count);
        self.demand(&raw.clients_max, clients, "there is room for 1 to 1000000 clients");
    }
}

/// What of the table has a meaning where another server holds the data.
fn elsewhere(raw: raw::Store) -> raw::Store {
    raw::Store { memory: None, full: None, fsync: None, durable: None, databases: None, ..raw }
}
