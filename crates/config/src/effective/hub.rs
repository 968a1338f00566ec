//! The hub as the tables it came from.

use std::collections::BTreeMap;

use remuda_model::hub::{Access, BusSpec, Engine, HerdSpec, HubSpec, LocksSpec, ReplaySpec, StoreSpec};
use remuda_model::{Address, Config, ServiceSpec};

use super::{backoff, limits, log, path, some, stop, texts, time, variables};
use crate::raw::{self, Field, Located};
use crate::resolve::Masked;

pub(super) fn bus(spec: &BusSpec) -> raw::Bus {
    let replay = |spec: &ReplaySpec| raw::Replay {
        prefix: some(spec.prefix.clone()),
        messages: some(spec.messages),
        bytes: some(raw::Size(spec.bytes)),
    };
    raw::Bus {
        listen: listen(&spec.listen),
        pub_listen: spec.pub_listen.clone().and_then(some),
        pull_listen: spec.pull_listen.clone().and_then(some),
        auth: some(spec.auth),
        curve_keys: spec.curve_keys.as_deref().and_then(path),
        queue: some(raw::Size(spec.queue)),
        slow: some(spec.slow),
        patience: time(spec.patience),
        message_max: some(raw::Size(spec.message_max)),
        peers_max: some(spec.peers_max),
        heartbeat: time(spec.heartbeat),
        replay: some(spec.replay.iter().map(|spec| replay(spec).into()).collect()),
        engine: engine(&spec.engine),
    }
}

pub(super) fn store(spec: &StoreSpec) -> raw::Store {
    // Where another server holds the data, or nothing is written, they would read as settings without effect.
    let is_own = spec.engine.external().is_none();
    raw::Store {
        listen: listen(&spec.listen),
        auth: some(spec.auth),
        memory: if is_own { some(raw::Size(spec.memory)) } else { None },
        full: if is_own { some(spec.full) } else { None },
        fsync: if is_own && spec.durable { some(raw::Fsync(spec.fsync)) } else { None },
        durable: if is_own { some(spec.durable) } else { None },
        databases: if is_own { some(spec.databases) } else { None },
        clients_max: some(spec.clients_max),
        script: Some(raw::Script {
            time: time(spec.script.time),
            memory: some(raw::Size(spec.script.memory)),
        }),
        events: some(raw::Events(spec.events)),
        engine: engine(&spec.engine),
    }
}

pub(super) fn herd(spec: &HerdSpec) -> raw::Herd {
    let list = |list: &[String]| texts(list.iter().map(String::as_str));
    raw::Herd {
        listen: listen(&spec.listen),
        advertise: spec.advertise.clone().and_then(some),
        peers: list(&spec.peers),
        discover: some(spec.discover),
        mode: some(spec.mode),
        filter: some(spec.filter),
        local_topics: list(&spec.local_topics),
        keys: list(&spec.keys),
        queue: some(raw::Size(spec.queue)),
        heartbeat: time(spec.heartbeat),
        future_max: time(spec.future_max),
        tombstones: time(spec.tombstones),
        compare_every: time(spec.compare_every),
    }
}

/// How its worker runs.
pub(super) fn worker(hub: &HubSpec, spec: &ServiceSpec, masked: &Masked) -> raw::Hub {
    let account = |name: &Option<String>| name.as_ref().and_then(|name| some(raw::Account(name.clone())));
    raw::Hub {
        state: path(&hub.state_dir),
        user: account(&spec.identity.user),
        group: account(&spec.identity.group),
        nice: some(spec.nice),
        oom_score_adjust: spec.oom_score_adjust.and_then(some),
        ready_timeout: time(spec.ready_timeout),
        watchdog: spec.watchdog.and_then(time),
        stop: some(stop(spec)),
        restart: some(spec.restart),
        backoff: some(backoff(spec)),
        log: log(spec),
        env: Some(variables(spec, masked)).filter(|variables| !variables.is_empty()),
        limits: Some(limits(spec)).filter(|limits| *limits != raw::Limits::default()),
    }
}

/// The rules that are written, and not those that follow from `hub = false`.
pub(super) fn accesses(hub: &HubSpec, config: &Config) -> BTreeMap<Located<String>, raw::Access> {
    let uses = |name: &str| config.services.get(name).is_some_and(|spec| spec.hub);
    let written = hub.accesses.iter().filter(|(name, _)| uses(name.as_str()));
    written.map(|(name, rule)| (name.as_str().into(), access(rule))).collect()
}

fn access(rule: &Access) -> raw::Access {
    let list = |prefixes: &[String]| texts(prefixes.iter().map(String::as_str));
    raw::Access {
        keys: rule.keys.as_deref().and_then(list),
        // Beside all keys, further ones would read as a setting without effect.
        read_keys: rule.keys.as_ref().and_then(|_| list(&rule.read_keys)),
        topics: rule.topics.as_deref().and_then(list),
        read_topics: rule.topics.as_ref().and_then(|_| list(&rule.read_topics)),
    }
}

fn engine(engine: &Engine) -> Field<String> {
    some(engine.to_string())
}

fn listen(addresses: &[Address]) -> Field<raw::Listen> {
    some(raw::Listen(addresses.iter().cloned().map(Located::from).collect()))
}

pub(super) fn locks(spec: &LocksSpec) -> raw::Locks {
    raw::Locks { engine: engine(&spec.engine), home: spec.home.clone().and_then(some) }
}
