//! The variables a worker finds.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use remuda_config::substitute::{SubstituteError, Values, names_descriptor, substitute};
use remuda_model::{Readiness, ServiceSpec, WorkerId};
use remuda_sys::spawn::EnvironmentValue;
use remuda_sys::users::Account;

use crate::tracking::{MARK, mark};

/// What a clean environment takes over from the arbiter's own.
const INHERITED: [&str; 3] = ["PATH", "LANG", "TZ"];
/// Where programs are searched when the arbiter itself has no `PATH`.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// What the arbiter was told about itself, not about its workers.
const OURS: [&str; 10] = [
    "LISTEN_PID",
    "LISTEN_PIDFDID",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "MAINPID",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
];

/// What an arbiter that is itself a worker was told of the hub it may use: the token is its own, not its workers'.
const HUB_OURS: [&str; 6] =
    [TOKEN, "REMUDA_BUS", "REMUDA_BUS_SUB", "REMUDA_BUS_PUSH", "REMUDA_BUS_TCP", "REMUDA_REDIS_SOCKET"];
const TOKEN: &str = "REMUDA_TOKEN";
/// Of a hub where there is a token beside it; else of whoever set it, for all.
const REDIS_URL: &str = "REDIS_URL";

/// What a worker is told, besides what its config says.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) worker: WorkerId,
    /// The runtime folder.
    pub(crate) folder: &'a Path,
    pub(crate) notify: Option<&'a Path>,
    pub(crate) einhorn: &'a Path,
    /// Names of the descriptors from 3 up; sockets first, then what the worker's predecessor stored.
    pub(crate) names: &'a [String],
    /// So many of them are sockets.
    pub(crate) sockets: usize,
    /// Where the hub is; empty for who may not use it.
    pub(crate) hub: &'a [(&'static str, String)],
}

/// The variables a placeholder `$(env.NAME)` may name: what the worker inherits, and what its config sets.
pub(crate) fn known(
    ours: &BTreeMap<String, String>,
    spec: &ServiceSpec,
    account: Option<&Account>,
) -> BTreeMap<String, String> {
    let mut known: BTreeMap<String, String> = if spec.environment.inherit {
        ours.iter().filter(|(name, _)| !is_ours(name, ours)).map(|(n, v)| (n.clone(), v.clone())).collect()
    } else {
        let taken = INHERITED.iter().filter_map(|name| Some(((*name).to_owned(), ours.get(*name)?.clone())));
        taken.collect()
    };
    known.entry("PATH".into()).or_insert_with(|| DEFAULT_PATH.into());
    if let Some(account) = account {
        let personal = [
            ("HOME", account.home.to_string_lossy().into_owned()),
            ("USER", account.name.clone()),
            ("LOGNAME", account.name.clone()),
            ("SHELL", account.shell.to_string_lossy().into_owned()),
        ];
        for (name, value) in personal {
            known.insert(name.into(), value);
        }
    }
    known
}

/// All variables of a worker, in a fixed order: what comes later wins.
pub(crate) fn variables(
    known: &BTreeMap<String, String>,
    spec: &ServiceSpec,
    values: &Values,
    facts: &Facts<'_>,
) -> Result<Vec<(OsString, EnvironmentValue)>, SubstituteError> {
    let mut all: BTreeMap<String, EnvironmentValue> = BTreeMap::new();
    let text = |value: &str| EnvironmentValue::Text(value.into());
    for (name, value) in known {
        all.insert(name.clone(), text(value));
    }
    // What the config sets wins: a service may have a Redis of its own.
    for (name, value) in facts.hub {
        all.insert((*name).to_owned(), text(value));
    }
    for (name, value) in &spec.environment.variables {
        all.insert(name.clone(), text(&substitute(value, values)?));
    }
    let mut set = |name: &str, value: &str| all.insert(name.to_owned(), text(value));
    set("REMUDA_SERVICE", spec.name.as_str());
    set("REMUDA_SLOT", &values.slot.to_string());
    set("REMUDA_GENERATION", &values.generation.to_string());
    set("REMUDA_WORKER", &facts.worker.0.to_string());
    set(MARK, &mark(facts.folder, facts.worker));
    for (name, socket) in &values.sockets {
        set(&format!("REMUDA_SOCKET_{}", variable_name(name.as_str())), &socket.descriptor.to_string());
    }
    if let Some(path) = facts.notify {
        set("NOTIFY_SOCKET", &path.to_string_lossy());
    }
    if facts.sockets > 0 || spec.ready == Readiness::Ack {
        set("EINHORN_MASTER_PID", &std::process::id().to_string());
        set("EINHORN_SOCK_PATH", &facts.einhorn.to_string_lossy());
        set("EINHORN_FD_COUNT", &facts.sockets.to_string());
        set("EINHORN_CHILD_INDEX", &values.slot.to_string());
        for index in 0..facts.sockets {
            set(&format!("EINHORN_FD_{index}"), &(index + 3).to_string());
        }
    }
    // A program that is told a descriptor by its command line and once more by `LISTEN_FDS` opens it twice, and some
    // (gunicorn 27) die of that. Whoever names descriptors in the command has chosen how to tell.
    let told_by_command = spec.command.argv.iter().any(|text| names_descriptor(text));
    if !facts.names.is_empty() && !told_by_command {
        set("LISTEN_FDS", &facts.names.len().to_string());
        set("LISTEN_FDNAMES", &facts.names.join(":"));
        all.insert("LISTEN_PID".into(), EnvironmentValue::Pid);
        all.insert("LISTEN_PIDFDID".into(), EnvironmentValue::PidfdId);
    }
    if let Some(interval) = spec.watchdog {
        all.insert("WATCHDOG_USEC".into(), text(&microseconds(interval)));
        all.insert("WATCHDOG_PID".into(), EnvironmentValue::Pid);
    }
    if spec.fd_store > 0 {
        all.insert("FDSTORE".into(), text(&spec.fd_store.to_string()));
    }
    Ok(all.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// Whether a variable of ours is about us alone.
fn is_ours(name: &str, ours: &BTreeMap<String, String>) -> bool {
    let is_hubs = HUB_OURS.contains(&name) || (name == REDIS_URL && ours.contains_key(TOKEN));
    OURS.contains(&name) || is_hubs
}

fn microseconds(interval: Duration) -> String {
    interval.as_micros().to_string()
}

/// `my-web@1` as `MY_WEB_1`.
fn variable_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

#[cfg(test)]
mod tests;
