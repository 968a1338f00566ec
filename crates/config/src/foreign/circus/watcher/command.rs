//! `cmd`, `args`, `shell` and the sockets a watcher's processes inherit.

use std::collections::BTreeSet;

use toml::Value;

use crate::foreign::circus::Scope;
use crate::foreign::circus::options::{Options, tell_unknown};
use crate::foreign::draft::Table;
use crate::foreign::finding::{Findings, Origin};

/// Sets `command`, `sockets` and `stdin`.
pub(super) fn translate(
    options: &mut Options<'_>,
    scope: &Scope<'_>,
    table: &mut Table,
    findings: &mut Findings,
) {
    let mut inherited = BTreeSet::new();
    let shell = options.boolean("shell", findings).is_some_and(|(_, shell)| shell);
    let mut parts = Vec::new();
    let mut origin = options.section.origin.clone();
    for key in ["args", "cmd"] {
        if let Some(setting) = options.raw(key) {
            let native = options.variables.native(&setting.value);
            tell_unknown(&native.unknown, setting, findings);
            inherited.extend(native.sockets);
            parts.insert(0, native.text);
            origin = setting.origin.clone();
        }
    }
    let line = parts.join(" ");
    match words(&line) {
        Some(words) if !words.is_empty() && shell => through_shell(options, words, table, findings),
        Some(words) if !words.is_empty() => table.set("command", one_line(&line, words), &origin),
        Some(_) => findings.fault(&origin, format!("[{}] has no cmd", options.section.name)),
        None => findings.fault(&origin, format!("a quote is not closed in the command {line:?}")),
    }
    if let (false, Some(setting)) = (shell, options.raw("shell_args")) {
        findings.unneeded(&setting.origin, "shell_args", "Circus uses it with shell = True only");
    }
    sockets(options, scope, inherited, table, findings);
}

/// The command line as a user would write it, or as a list where the two ways of splitting differ.
fn one_line(line: &str, words: Vec<String>) -> Value {
    if line.contains(['#', '\n']) {
        return words.into();
    }
    line.trim().into()
}

/// Splits as Python's shlex does, for which `#` begins no comment.
fn words(line: &str) -> Option<Vec<String>> {
    const STANDS_FOR_HASH: &str = "\u{1}";
    let words = shlex::split(&line.replace('#', STANDS_FOR_HASH))?;
    Some(words.into_iter().map(|word| word.replace(STANDS_FOR_HASH, "#")).collect())
}

/// Circus quotes each word before the shell sees it, so operators such as `&&` mean nothing to it.
fn through_shell(options: &mut Options<'_>, words: Vec<String>, table: &mut Table, findings: &mut Findings) {
    let Some(setting) = options.raw("shell") else { return };
    let quoted: Vec<_> = words.iter().map(|word| quote(word)).collect();
    let mut argv = vec!["/bin/sh".to_owned(), "-c".to_owned(), quoted.join(" ")];
    if let Some(more) = options.raw("shell_args") {
        let native = options.variables.native(&more.value);
        tell_unknown(&native.unknown, more, findings);
        match self::words(&native.text) {
            Some(more) => argv.extend(more),
            None => findings.fault(&more.origin, "a quote is not closed in shell_args"),
        }
    }
    table.set("command", argv, &setting.origin);
    if words.iter().any(|word| word.contains(['&', '|', ';', '<', '>', '*']) || word.contains('$')) {
        let text = "Circus quotes every word for the shell, so that &&, |, > and $NAME mean nothing there; this import \
                    keeps that; write command = \"…\" with shell = true to have them";
        findings.warn(&setting.origin, "shell", text);
    }
}

/// One word for sh; placeholders keep their dollar outside of quotes' reach because they are replaced before.
fn quote(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@%+=:,./-_".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\"'\"'"))
}

fn sockets(
    options: &mut Options<'_>,
    scope: &Scope<'_>,
    mut inherited: BTreeSet<String>,
    table: &mut Table,
    findings: &mut Findings,
) {
    let mut origin: Origin = options.section.origin.clone();
    if let Some((setting, true)) = options.boolean("use_sockets", findings) {
        inherited.extend(scope.sockets.values().cloned());
        origin = setting.origin.clone();
    } else if !inherited.is_empty() {
        let text = "without use_sockets = True Circus names the descriptors in cmd and closes them; they are passed here";
        findings.differs(&origin, "use_sockets", text);
    }
    let on_demand = options.boolean("on_demand", findings).filter(|(_, wanted)| *wanted);
    if let (Some((setting, _)), true) = (on_demand, inherited.is_empty()) {
        inherited.extend(scope.sockets.values().cloned());
        let text = "any socket of the file wakes the watcher, so all of them are passed";
        findings.differs(&setting.origin, "on_demand", text);
    }
    if let Some((setting, name)) = options.filled("stdin_socket") {
        match scope.sockets.get(&name.to_lowercase()) {
            Some(socket) => table.set("stdin", format!("socket:{socket}"), &setting.origin),
            None => findings
                .fault(&setting.origin, format!("stdin_socket = {name} names no [socket:…] of the file")),
        }
    }
    if !inherited.is_empty() {
        let list: Vec<_> = inherited.into_iter().collect();
        table.set("sockets", list, &origin);
    }
    if let Some((setting, _)) = on_demand {
        table.set("on_demand", true, &setting.origin);
    }
}
