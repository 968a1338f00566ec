//! `ExecStartPre=`, `ExecStartPost=`, `ExecStop=`, `ExecStopPost=` and `ExecReload=`.

use remuda_model::Signal;

use crate::foreign::draft::Table;
use crate::foreign::finding::Findings;
use crate::foreign::systemd::command::{self, Known};
use crate::foreign::systemd::settings::Settings;
use crate::foreign::systemd::unit::Entry;

const HOOKS: [(&str, &str); 4] = [
    ("ExecStartPre", "before_spawn"),
    ("ExecStartPost", "after_spawn"),
    ("ExecStop", "before_stop"),
    ("ExecStopPost", "after_stop"),
];

pub(super) fn translate(
    settings: &mut Settings<'_>,
    known: &Known,
    table: &mut Table,
    hooks: &mut Table,
    findings: &mut Findings,
) {
    for (key, point) in HOOKS {
        let entries = settings.all(key);
        hook(settings, &entries, point, known, hooks, findings);
    }
    settings.unsupported(
        &["ExecCondition"],
        "a before_spawn hook that fails keeps a worker from starting",
        findings,
    );
    reload(settings, table, findings);
}

/// One hook of all commands of a key, each after the other has passed.
fn hook(
    settings: &Settings<'_>,
    entries: &[&Entry],
    point: &str,
    known: &Known,
    hooks: &mut Table,
    findings: &mut Findings,
) {
    let mut commands: Vec<command::CommandLine> = Vec::new();
    let mut kept: Option<&Entry> = None;
    for entry in entries {
        if entry.value.contains("MAINPID") {
            findings.unsupported(
                &entry.origin,
                &entry.key,
                "a hook knows the worker from its standard input, not from MAINPID",
            );
        } else if let Some(line) = command::read(settings, entry, known, findings) {
            commands.push(line);
            kept = kept.or(Some(entry));
        }
    }
    let Some(first) = kept else { return };
    let ignore = commands.iter().all(|line| line.ignore_failure);
    let argv = match commands.as_slice() {
        [only] => only.argv.clone(),
        several => vec!["/bin/sh".to_owned(), "-c".to_owned(), chain(several)],
    };
    if ignore && matches!(point, "before_spawn" | "after_spawn") {
        let mut settings = toml::Table::new();
        settings.insert("command".into(), argv.into());
        settings.insert("on_failure".into(), "ignore".into());
        hooks.set(point, settings, &first.origin);
    } else {
        hooks.set(point, argv, &first.origin);
    }
    let text = format!("runs as the hook {point}, which is ended after 10s unless it gets a timeout");
    findings.differs(&first.origin, &first.key, text);
}

fn chain(commands: &[command::CommandLine]) -> String {
    let parts: Vec<_> = commands
        .iter()
        .map(|line| {
            let words: Vec<_> =
                line.argv.iter().map(|word| format!("'{}'", word.replace('\'', "'\"'\"'"))).collect();
            let tail = if line.ignore_failure { " || true" } else { "" };
            format!("{{ {}{tail}; }}", words.join(" "))
        })
        .collect();
    parts.join(" && ")
}

/// `kill -HUP $MAINPID` is a reload by signal; anything else has no counterpart, and replacement does better.
fn reload(settings: &mut Settings<'_>, table: &mut Table, findings: &mut Findings) {
    settings.all("ReloadSignal");
    let entries = settings.all("ExecReload");
    for entry in &entries {
        match reload_signal(&entry.value) {
            Some(Signal::HUP) => table.set("reload", "hup", &entry.origin),
            Some(signal) => table.set("reload", format!("signal:{signal}"), &entry.origin),
            None => {
                let text = "a reload starts new workers and ends the old ones when the new ones are ready";
                findings.unsupported(&entry.origin, "ExecReload", text);
            }
        }
    }
}

fn reload_signal(command: &str) -> Option<Signal> {
    let command = command.trim_start_matches(['-', '+', '!', ':']);
    let words: Vec<&str> = command.split_whitespace().collect();
    let (program, arguments) = words.split_first()?;
    let (pid, options) = arguments.split_last()?;
    if program.rsplit('/').next() != Some("kill") || !["$MAINPID", "${MAINPID}"].contains(pid) {
        return None;
    }
    match options {
        [option] => option
            .trim_start_matches("--signal=")
            .trim_start_matches("-s")
            .trim_start_matches('-')
            .parse()
            .ok(),
        ["-s" | "-n" | "--signal", name] => name.parse().ok(),
        _ => None,
    }
}
