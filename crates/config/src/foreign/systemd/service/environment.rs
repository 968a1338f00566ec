//! `Environment=`, `EnvironmentFile=`, `PassEnvironment=`.

use crate::foreign::draft::Table;
use crate::foreign::finding::Findings;
use crate::foreign::systemd::command::Known;
use crate::foreign::systemd::settings::Settings;
use crate::foreign::systemd::unit::Entry;
use crate::foreign::systemd::words;

pub(super) fn translate(
    settings: &mut Settings<'_>,
    table: &mut Table,
    env: &mut Table,
    known: &mut Known,
    findings: &mut Findings,
) {
    table.set("inherit_env", false, &settings.unit.whole());
    for entry in settings.all("PassEnvironment") {
        for name in entry.value.split_whitespace() {
            env.set(name, format!("${{{name}:-}}"), &entry.origin);
            known.more = true;
        }
    }
    for entry in settings.all("Environment") {
        assignments(settings, entry, env, known, findings);
    }
    let files = settings.all("EnvironmentFile");
    if let Some(first) = files.first() {
        let names: Vec<_> = files.iter().filter_map(|entry| file(settings, entry, findings)).collect();
        table.set("env_files", names, &first.origin);
        known.more = true;
        let text = "what Environment= sets wins over the file; in systemd the file wins";
        if !known.variables.is_empty() {
            findings.differs(&first.origin, "EnvironmentFile", text);
        }
    }
    settings.unsupported(
        &["UnsetEnvironment"],
        "only PATH, HOME and their like are there to begin with",
        findings,
    );
}

fn assignments(
    settings: &Settings<'_>,
    entry: &Entry,
    env: &mut Table,
    known: &mut Known,
    findings: &mut Findings,
) {
    let Some(words) = words::split(&entry.value) else {
        findings.fault(&entry.origin, "Environment= has a quote that is not closed");
        return;
    };
    for word in words {
        let Some((name, value)) = word.text.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            findings.warn(&entry.origin, "Environment", format!("{:?} is no NAME=value; ignored", word.text));
            continue;
        };
        let part = Entry { value: value.to_owned(), ..entry.clone() };
        let native = settings.expand(&part, findings).native;
        env.set(name, native.clone(), &entry.origin);
        known.variables.insert(name.to_owned(), native);
    }
}

fn file(settings: &Settings<'_>, entry: &Entry, findings: &mut Findings) -> Option<String> {
    let expanded = settings.expand(entry, findings);
    if expanded.plain.is_none() {
        findings.unsupported(
            &entry.origin,
            "EnvironmentFile",
            "depends on the instance; all slots share their files",
        );
        return None;
    }
    if entry.value.contains(['*', '?', '[']) {
        findings.unsupported(&entry.origin, "EnvironmentFile", "a pattern; name the files one by one");
        return None;
    }
    Some(expanded.native)
}
