//! `[watcher:NAME]` of Circus.

mod command;
mod environment;
mod life;
mod output;

use crate::foreign::draft::{Draft, Table};
use crate::foreign::finding::Findings;

use super::Scope;
use super::options::Options;

/// Translates one watcher into `[service.NAME]` and its sub-tables.
pub(super) fn translate(
    options: &mut Options<'_>,
    name: &str,
    scope: &Scope<'_>,
    draft: &mut Draft,
    findings: &mut Findings,
) {
    let origin = &options.section.origin;
    let mut table = Table::new(&["service", name], origin);
    let mut limits = Table::new(&["service", name, "limits"], origin);
    let mut env = Table::new(&["service", name, "env"], origin);
    command::translate(options, scope, &mut table, findings);
    workers(options, &mut table, findings);
    identity(options, scope, &mut table, findings);
    life::translate(options, &mut table, findings);
    output::translate(options, &mut table, findings);
    environment::translate(options, scope, &mut table, &mut env, findings);
    rlimits(options, &mut limits, findings);
    hooks(options, findings);
    left_out(options, findings);
    draft.push(table);
    draft.push_if_set(env);
    draft.push_if_set(limits);
}

fn workers(options: &mut Options<'_>, table: &mut Table, findings: &mut Findings) {
    if let Some((setting, count)) = options.integer("numprocesses", findings) {
        if (0..=i64::from(u32::MAX)).contains(&count) {
            table.set("workers", count, &setting.origin);
        } else {
            findings.fault(&setting.origin, format!("numprocesses = {count} is no number of workers"));
        }
    }
    if let Some((setting, true)) = options.boolean("singleton", findings) {
        table.set("singleton", true, &setting.origin);
    }
    if let Some((setting, false)) = options.boolean("autostart", findings) {
        table.set("autostart", false, &setting.origin);
    }
    if let Some((setting, priority)) = options.integer("priority", findings) {
        table.set("priority", priority, &setting.origin);
    }
}

fn identity(options: &mut Options<'_>, scope: &Scope<'_>, table: &mut Table, findings: &mut Findings) {
    if let Some((setting, folder)) = options.native("working_dir", findings) {
        table.set("directory", folder, &setting.origin);
    }
    if let Some((setting, user)) = options.native("uid", findings) {
        table.set("user", user, &setting.origin);
    }
    if let Some((setting, group)) = options.native("gid", findings) {
        table.set("group", group, &setting.origin);
    }
    if let Some((origin, umask)) = &scope.umask {
        match u32::from_str_radix(umask.trim_start_matches("0o"), 8) {
            Ok(mask) if mask <= 0o777 => table.set("umask", format!("{mask:03o}"), origin),
            _ => findings.fault(origin, format!("umask = {umask:?} is no octal file mode mask")),
        }
    }
}

/// Resources that setrlimit(2) knows on Linux.
const RESOURCES: [&str; 16] = [
    "as",
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

fn rlimits(options: &mut Options<'_>, limits: &mut Table, findings: &mut Findings) {
    for (setting, resource) in options.prefixed("rlimit_") {
        let resource = resource.to_lowercase();
        // `cpu` is the control group's share here.
        let key = if resource == "cpu" { "cpu_time" } else { resource.as_str() };
        let value = options.variables.plain(&setting.value);
        if !RESOURCES.contains(&resource.as_str()) {
            let text = format!("Linux has no resource limit {resource:?}; it has {}", RESOURCES.join(", "));
            findings.fault(&setting.origin, text);
        } else if value.is_empty() {
            limits.set(key, "unlimited", &setting.origin);
        } else {
            match value.parse::<i64>() {
                Ok(-1) => limits.set(key, "unlimited", &setting.origin),
                Ok(limit) if limit >= 0 => limits.set(key, limit, &setting.origin),
                _ => findings.fault(&setting.origin, format!("{} = {value:?} is not a number", setting.key)),
            }
        }
    }
}

fn hooks(options: &mut Options<'_>, findings: &mut Findings) {
    for (setting, _) in options.prefixed("hooks.") {
        let text = format!(
            "{} is Python that runs inside Circus; a hook here is a command: hooks = {{ before_start = \"…\" }}",
            setting.value
        );
        findings.unsupported(&setting.origin, &setting.key, text);
    }
}

fn left_out(options: &mut Options<'_>, findings: &mut Findings) {
    options.unneeded(&["executable", "stream_backend"], "Circus reads it and throws it away", findings);
    let backoff = "failing workers are slowed down by the backoff built into every service";
    options.unneeded(&["check_flapping", "retry_in"], backoff, findings);
    for (setting, _) in options.prefixed("flapping.") {
        findings.unneeded(&setting.origin, &setting.key, backoff);
    }
    options.unsupported(&["prereload_fn"], "it is Python that runs inside Circus", findings);
    options.rest(findings, "a free-form option, which only plugins of Circus read");
}
