//! Command lines of units: prefixes, words, specifiers, variables.

use std::collections::BTreeMap;

use crate::foreign::finding::Findings;

use super::settings::Settings;
use super::unit::Entry;
use super::words::{self, Word};

/// Variables that systemd sets for every service, and that are there for our workers as well.
const ALWAYS_SET: [&str; 7] = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "NOTIFY_SOCKET"];

/// What a command line may refer to.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Variables of `Environment=`, by name, in native text.
    pub(super) variables: BTreeMap<String, String>,
    /// Whether env files may set more.
    pub(super) more: bool,
}

/// A command line in native words.
#[derive(Debug)]
pub(super) struct CommandLine {
    pub(super) argv: Vec<String>,
    /// `-`: a failure does not matter.
    pub(super) ignore_failure: bool,
}

/// Reads one `Exec…=` line; `None` when it is empty or broken, which is told.
pub(super) fn read(
    settings: &Settings<'_>,
    entry: &Entry,
    known: &Known,
    findings: &mut Findings,
) -> Option<CommandLine> {
    let Some(mut words) = words::split(&entry.value) else {
        findings.fault(&entry.origin, format!("{}= has a quote that is not closed", entry.key));
        return None;
    };
    if let Some(at) = words.iter().position(|word| word.text == ";" && !word.quoted) {
        words.truncate(at);
        let text = "has several commands with ; in between; only the first one is taken";
        findings.unsupported(&entry.origin, &entry.key, text);
    }
    let first = words.first()?.text.clone();
    let path = first.trim_start_matches(['-', '@', ':', '+', '!', '|']);
    let prefix = &first[..first.len() - path.len()];
    prefixes(prefix, entry, findings);
    words[0].text = path.to_owned();
    if prefix.contains('@') && words.len() > 1 {
        words.remove(1);
    }
    let mut argv = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let variables = index > 0 && !prefix.contains(':');
        expand(settings, word, variables, entry, known, &mut argv, findings);
    }
    if path.is_empty() {
        findings.fault(&entry.origin, format!("{}={} names no program", entry.key, entry.value));
        return None;
    }
    Some(CommandLine { argv, ignore_failure: prefix.contains('-') })
}

fn prefixes(prefix: &str, entry: &Entry, findings: &mut Findings) {
    let (origin, key) = (&entry.origin, entry.key.as_str());
    for mark in prefix.chars() {
        match mark {
            '@' => findings.unsupported(
                origin,
                key,
                "the prefix @: a program cannot be shown another name of its own",
            ),
            '+' | '!' => {
                let text =
                    format!("the prefix {mark}: the command runs as the service's user, like all of them");
                findings.unsupported(origin, key, text);
            }
            '|' => {
                findings.unsupported(origin, key, "the prefix |: the command is run without a login shell");
            }
            '-' if key == "ExecStart" => {
                findings.unsupported(
                    origin,
                    key,
                    "the prefix -: a failure of the worker counts as a failure",
                );
            }
            _ => {}
        }
    }
}

fn expand(
    settings: &Settings<'_>,
    word: &Word,
    variables: bool,
    entry: &Entry,
    known: &Known,
    argv: &mut Vec<String>,
    findings: &mut Findings,
) {
    let specified = |text: &str, findings: &mut Findings| {
        let part = Entry { value: text.to_owned(), ..entry.clone() };
        settings.expand(&part, findings).native
    };
    if !variables {
        argv.push(specified(&word.text, findings));
        return;
    }
    if let Some(name) = word.text.strip_prefix('$').filter(|name| is_name(name)) {
        argv.extend(split_variable(name, entry, known, findings));
        return;
    }
    let mut native = String::new();
    let mut rest = word.text.as_str();
    while let Some(at) = rest.find('$') {
        native.push_str(&specified(&rest[..at], findings));
        let after = &rest[at + 1..];
        let braced = after.strip_prefix('{').and_then(|after| after.split_once('}'));
        rest = if let Some((name, tail)) = braced.filter(|(name, _)| is_name(name)) {
            native.push_str(&variable(name, entry, known, findings));
            tail
        } else if let Some(tail) = after.strip_prefix('$') {
            native.push_str("$$");
            tail
        } else {
            native.push_str(&crate::foreign::draft::literal("$"));
            after
        };
    }
    native.push_str(&specified(rest, findings));
    argv.push(native);
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// `$NAME` as a word of its own becomes as many words as the value has.
fn split_variable(name: &str, entry: &Entry, known: &Known, findings: &mut Findings) -> Vec<String> {
    if let Some(value) = known.variables.get(name) {
        return value.split_whitespace().map(str::to_owned).collect();
    }
    let value = variable(name, entry, known, findings);
    if value.is_empty() {
        return Vec::new();
    }
    let text = format!("${name} is one argument here, even if its value has several words");
    findings.differs(&entry.origin, &entry.key, text);
    vec![value]
}

fn variable(name: &str, entry: &Entry, known: &Known, findings: &mut Findings) -> String {
    if known.variables.contains_key(name) || known.more || ALWAYS_SET.contains(&name) {
        return format!("$(env.{name})");
    }
    let text =
        format!("nothing sets {name}; systemd would put nothing in its place, and so does this import");
    findings.warn(&entry.origin, &entry.key, text);
    String::new()
}
