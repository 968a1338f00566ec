//! Commands about the server: `INFO CONFIG COMMAND TIME ROLE` and the like.

use std::fmt::Write as _;

use remuda_bus::FilterKind;
use remuda_model::hub::Events;
use remuda_store::Answer;
use remuda_wire::resp::Writer;

use super::greeting::REDIS_VERSION;
use super::own::Verb;
use super::session::Session;
use super::text::{is, number, printable, subcommand_refused};
use super::{CommandKind, lookup};
use crate::core::Core;
use crate::limits;

/// Sections of `INFO`, in the order Redis has them.
const SECTIONS: [&str; 10] = [
    "Server",
    "Clients",
    "Memory",
    "Persistence",
    "Stats",
    "Replication",
    "Bus",
    "Engines",
    "Herd",
    "Keyspace",
];

pub(crate) fn info(core: &Core, session: &Session, out: &mut Writer<'_>, wanted: &[&[u8]]) {
    let everything = wanted.is_empty()
        || wanted.iter().any(|name| is(name, "all") || is(name, "default") || is(name, "everything"));
    let mut text = String::new();
    for section in SECTIONS {
        if everything || wanted.iter().any(|name| is(name, section)) {
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            let _ = write!(text, "# {section}\r\n");
            for (name, value) in lines(core, session, section) {
                let _ = write!(text, "{name}:{value}\r\n");
            }
        }
    }
    out.verbatim(*b"txt", &text);
}

fn lines(core: &Core, session: &Session, section: &str) -> Vec<(String, String)> {
    let (figures, spec) = (core.figures, &core.settings.spec.store);
    let up = core.moment.tick.since(core.began);
    match section {
        "Server" => vec![
            pair("redis_version", &REDIS_VERSION),
            pair("redis_mode", &"standalone"),
            pair("server_name", &"remuda"),
            pair("remuda_version", &env!("CARGO_PKG_VERSION")),
            pair("os", &"Linux"),
            pair("arch_bits", &64),
            pair("process_id", &std::process::id()),
            pair("run_id", &core.run_id),
            pair("store_events", &events_of(core, session)),
            pair("tcp_port", &core.tcp_port.unwrap_or(0)),
            pair("uptime_in_seconds", &up.as_secs()),
            pair("uptime_in_days", &(up.as_secs() / 86_400)),
        ],
        "Clients" => vec![
            pair("connected_clients", &figures.redis_clients),
            pair("maxclients", &spec.clients_max),
            pair("blocked_clients", &core.store.blocked_count()),
            pair("pubsub_clients", &core.bus.member_count()),
        ],
        "Memory" => vec![
            pair("used_memory", &core.store.used_bytes()),
            pair("used_memory_dataset", &core.store.used_bytes()),
            pair("maxmemory", &spec.memory),
            pair("maxmemory_policy", &core.store.options().eviction.redis_name()),
        ],
        "Persistence" => persistence(core),
        "Stats" => vec![
            pair("total_connections_received", &figures.accepted),
            pair("total_commands_processed", &figures.commands),
            pair("rejected_connections", &figures.rejected),
            pair("pubsub_channels", &core.bus.names(FilterKind::Channel, None).len()),
            pair("pubsub_patterns", &core.bus.patterns()),
        ],
        "Replication" => {
            vec![pair("role", &"master"), pair("connected_slaves", &0), pair("master_repl_offset", &0)]
        }
        "Bus" => bus_lines(core),
        "Engines" => core.engines.lines(),
        "Herd" => core.herd.as_ref().map(|herd| herd.lines(core.moment.tick)).unwrap_or_default(),
        _ => (0..core.databases())
            .filter_map(|database| {
                let (keys, expires) = core.store.len(database);
                (keys > 0)
                    .then(|| (format!("db{database}"), format!("keys={keys},expires={expires},avg_ttl=0")))
            })
            .collect(),
    }
}

/// What this client would hear of the store's changes.
fn events_of(core: &Core, session: &Session) -> &'static str {
    let is_known = session.user.as_ref().is_some_and(|user| user.is_known);
    match core.settings.spec.store.events {
        _ if !is_known => "off",
        Events::Off => "off",
        Events::Names => "names",
        Events::WithValues => "values",
    }
}

fn pair(name: &str, value: &dyn ToString) -> (String, String) {
    (name.to_owned(), value.to_string())
}

fn persistence(core: &Core) -> Vec<(String, String)> {
    let (is_on, is_well) = (core.durability.is_on(), core.durability.trouble().is_none());
    let disk = core.durability.figures();
    vec![
        pair("loading", &0),
        pair("aof_enabled", &u8::from(is_on)),
        pair("aof_rewrite_in_progress", &0),
        pair("aof_last_write_status", &if is_well { "ok" } else { "err" }),
        pair("aof_base_size", &disk.base_bytes),
        pair("aof_current_size", &(disk.base_bytes + disk.log_bytes)),
        pair("aof_pending_bytes", &disk.pending_bytes),
        pair("store_epoch", &core.epoch),
        pair("rdb_bgsave_in_progress", &0),
        pair("rdb_last_bgsave_status", &"ok"),
    ]
}

fn bus_lines(core: &Core) -> Vec<(String, String)> {
    let bus = core.bus.view();
    vec![
        pair("bus_sequence", &bus.last_sequence),
        pair("bus_members", &bus.members),
        pair("bus_subscriptions", &bus.subscriptions),
        pair("bus_queued_bytes", &bus.queued_bytes),
        pair("bus_dropped_messages", &bus.dropped_messages),
        pair("bus_dropped_work", &bus.backlog_dropped_messages),
        pair("bus_disconnected_slow", &core.figures.cut_off),
        pair("bus_published_messages", &bus.totals.published_messages),
        pair("bus_delivered_messages", &bus.totals.delivered_messages),
    ]
}

/// What `CONFIG GET` knows, each with its value now.
fn settings(core: &Core) -> Vec<(&'static str, String)> {
    vec![
        ("appendfsync", limits::fsync_name(&core.settings.spec).to_owned()),
        ("appendonly", if core.durability.is_on() { "yes" } else { "no" }.to_owned()),
        ("databases", core.databases().to_string()),
        ("maxclients", core.settings.spec.store.clients_max.to_string()),
        ("maxmemory", core.settings.spec.store.memory.to_string()),
        ("maxmemory-policy", core.store.options().eviction.redis_name().to_owned()),
        ("notify-keyspace-events", core.notifications.text()),
        ("proto-max-bulk-len", core.store.options().value_max_bytes.to_string()),
        ("save", String::new()),
        ("timeout", "0".to_owned()),
    ]
}

pub(crate) fn config(core: &mut Core, out: &mut Writer<'_>, command: &[&[u8]]) {
    let what = command[1];
    if is(what, "GET") && command.len() >= 3 {
        let found: Vec<_> = settings(core)
            .into_iter()
            .filter(|(name, _)| {
                command[2..]
                    .iter()
                    .any(|pattern| remuda_model::glob_matches(&pattern.to_ascii_lowercase(), name.as_bytes()))
            })
            .collect();
        out.map(found.len());
        for (name, value) in found {
            out.bulk(name.as_bytes());
            out.bulk(value.as_bytes());
        }
    } else if is(what, "SET") && command.len() >= 4 && command.len().is_multiple_of(2) {
        for pair in command[2..].chunks(2) {
            if !is(pair[0], "notify-keyspace-events") {
                let known = settings(core).iter().any(|(name, _)| is(pair[0], name));
                return out.error(&if known {
                    format!(
                        "ERR CONFIG SET failed (possibly related to argument '{}') - it is set in remuda.toml",
                        printable(pair[0])
                    )
                } else {
                    format!("ERR Unknown option or number of arguments for CONFIG SET - '{}'", printable(pair[0]))
                });
            }
            if !core.notifications.set(pair[1]) {
                return out.error(
                    "ERR CONFIG SET failed (possibly related to argument 'notify-keyspace-events') - Invalid event class character. Use 'Ag$lshzxeKEtmdn'.",
                );
            }
        }
        out.simple("OK");
    } else if command.len() == 2 && (is(what, "RESETSTAT") || is(what, "REWRITE")) {
        out.simple("OK");
    } else {
        out.error(&subcommand_refused("config", &["get", "set", "resetstat", "rewrite"], what));
    }
}

pub(crate) fn command(out: &mut Writer<'_>, arguments: &[&[u8]]) {
    let describe = |out: &mut Writer<'_>, name: &[u8]| match lookup(name) {
        Some(found) => found.describe(out),
        None => out.null(),
    };
    match arguments.get(1) {
        None => {
            let all: Vec<CommandKind> = super::all().collect();
            out.array(all.len());
            for found in all {
                found.describe(out);
            }
        }
        Some(what) if is(what, "COUNT") => {
            out.integer(i64::try_from(super::all().count()).unwrap_or(i64::MAX));
        }
        Some(what) if is(what, "INFO") => {
            out.array(arguments.len() - 2);
            for name in &arguments[2..] {
                describe(out, name);
            }
        }
        Some(what) if is(what, "LIST") => {
            let names: Vec<_> = super::all().map(|found| found.name()).collect();
            out.array(names.len());
            for name in names {
                out.bulk(name.to_ascii_lowercase().as_bytes());
            }
        }
        Some(what) if is(what, "DOCS") => docs(out, &arguments[2..]),
        Some(what) if is(what, "GETKEYS") && arguments.len() >= 4 => {
            let command = &arguments[2..];
            let Some(kind) = lookup(command[0]) else { return out.error("ERR Invalid command specified") };
            if !kind.takes(command.len()) {
                return out.error("ERR Invalid number of arguments specified for command");
            }
            let keys: Vec<usize> = match kind {
                CommandKind::Store(spec) => spec.keys_of(command).collect(),
                CommandKind::Own(own) if own.verb == Verb::Eval => {
                    let count = number(command[2]).and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
                    (3..command.len()).take(count).collect()
                }
                CommandKind::Own(_) | CommandKind::Foreign(_) => Vec::new(),
            };
            if keys.is_empty() {
                return out.error("ERR The command has no key arguments");
            }
            out.array(keys.len());
            for key in keys {
                out.bulk(arguments[2 + key]);
            }
        }
        Some(what) => {
            let known = ["count", "docs", "getkeys", "info", "list"];
            out.error(&subcommand_refused("command", &known, what));
        }
    }
}

/// `COMMAND DOCS`: since which version of Redis each is there; what they do says the documentation.
fn docs(out: &mut Writer<'_>, names: &[&[u8]]) {
    let found: Vec<CommandKind> = match names {
        [] => super::all().collect(),
        names => names.iter().filter_map(|name| lookup(name)).collect(),
    };
    out.map(found.len());
    for kind in found {
        out.bulk(kind.name().to_ascii_lowercase().as_bytes());
        out.map(1);
        out.bulk(b"since");
        out.bulk(kind.since().as_bytes());
    }
}

/// `WAIT replicas milliseconds` and `WAITAOF local replicas milliseconds`: there are no replicas to wait for, and what
/// the journal is to have before a reply leaves is set in the config.
pub(crate) fn wait(core: &Core, out: &mut Writer<'_>, command: &[&[u8]]) {
    let (counts, timeout) = command[1..].split_at(command.len() - 2);
    let counts: Option<Vec<i64>> = counts.iter().map(|count| number(count)).collect();
    let Some(counts) = counts else { return out.error("ERR value is not an integer or out of range") };
    match number(timeout[0]) {
        None => out.error("ERR timeout is not an integer or out of range"),
        Some(timeout) if timeout < 0 => out.error("ERR timeout is negative"),
        Some(_) if counts.len() == 1 => out.integer(0),
        Some(_) => {
            out.array(2);
            out.integer(i64::from(core.durability.is_on()));
            out.integer(0);
        }
    }
}

/// `ROLE`: a master without replicas.
pub(crate) fn role(out: &mut Writer<'_>) {
    out.array(3);
    out.bulk(b"master");
    out.integer(0);
    out.array(0);
}

/// `SLOWLOG`: nothing is slow enough to be in it.
pub(crate) fn slow_log(out: &mut Writer<'_>, rest: &[&[u8]]) {
    match rest {
        [what] if is(what, "LEN") => out.integer(0),
        [what] if is(what, "RESET") => out.simple("OK"),
        [what] | [what, _] if is(what, "GET") => out.array(0),
        [what, ..] => out.error(&subcommand_refused("slowlog", &["get", "len", "reset"], what)),
        [] => {}
    }
}

/// `TIME`, of clients and of scripts.
pub(crate) fn time(answer: &mut dyn Answer) {
    let micros = remuda_sys::clock::realtime().as_micros();
    answer.array(2);
    answer.bulk((micros / 1_000_000).to_string().as_bytes());
    answer.bulk((micros % 1_000_000).to_string().as_bytes());
}
