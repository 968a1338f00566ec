//! `Procfile`, run as Foreman runs it: each process type through `/bin/sh`, with a `PORT` of its own.

use std::path::{Path, PathBuf};

use super::Formation;
use super::draft::{Draft, Table, literal};
use super::finding::{Findings, Origin};
use super::naming::Naming;

/// Foreman's first port when neither `.env` nor the environment has a `PORT`.
const PORT_DEFAULT: u32 = 5000;
/// From one process type to the next.
const PORT_STEP: u32 = 100;

/// Translates the Procfile at `path`; a `.env` beside it becomes an env file. Gives the files it was made of.
pub(super) fn translate(
    path: &Path,
    text: &str,
    outer_port: Option<&str>,
    formation: &Formation,
    draft: &mut Draft,
    findings: &mut Findings,
) -> Vec<PathBuf> {
    findings.keep(path, text);
    let whole = Origin::new(path, 0);
    let mut sources = vec![path.to_path_buf()];
    let dot_env = path.with_file_name(".env");
    let env_text = crate::read_file(&dot_env).ok();
    let base = base_port(env_text.as_deref(), outer_port, &whole, findings);
    let mut naming = Naming::default();
    let mut types = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let origin = Origin::new(path, index + 1);
        let Some((foreign, command)) = process(line, &origin, findings) else { continue };
        let name = naming.take(foreign);
        if name != foreign {
            findings.differs(
                &origin,
                foreign,
                format!("is called {name} here: the name cannot be, or is there already"),
            );
        }
        let port = base + PORT_STEP * u32::try_from(types.len()).unwrap_or(0);
        service(&name, command, formation.workers(foreign), &origin, env_text.is_some(), draft);
        environment(&name, port, &origin, draft);
        types.push(foreign.to_owned());
    }
    if env_text.is_some() {
        sources.push(dot_env);
    }
    check_formation(formation, &types, &whole, findings);
    if types.is_empty() {
        findings.fault(&whole, "has no process type; a line of a Procfile reads \"web: command\"");
    } else {
        let text = "a worker that ends is started again; Foreman would end them all; restart = \"never\" lets it rest";
        findings.differs(&whole, "restart", text);
    }
    sources
}

fn process<'t>(line: &'t str, origin: &Origin, findings: &mut Findings) -> Option<(&'t str, &'t str)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    let parts = line.split_once(':').map(|(name, command)| (name.trim_end(), command.trim()));
    let fits = parts.filter(|(name, command)| is_name(name) && !command.is_empty());
    if fits.is_none() {
        findings.warn(
            origin,
            line,
            "no process type, which reads \"web: command\"; left out, as Foreman does",
        );
    }
    fits
}

fn service(name: &str, command: &str, workers: u32, origin: &Origin, env_file: bool, draft: &mut Draft) {
    let mut table = Table::new(&["service", name], origin);
    let simple = is_simple(command);
    let line = if simple { format!("exec {command}") } else { command.to_owned() };
    table.set("command", vec!["/bin/sh".to_owned(), "-c".to_owned(), literal(&line)], origin);
    if workers != 1 {
        table.set("workers", i64::from(workers), origin);
    }
    table.set("inherit_env", true, origin);
    if env_file {
        table.set("env_files", vec![".env"], origin);
    }
    if !simple {
        table.set_part("stop", "scope", "group", origin);
    }
    draft.push(table);
}

fn environment(name: &str, port: u32, origin: &Origin, draft: &mut Draft) {
    let mut env = Table::new(&["service", name, "env"], origin);
    env.set("PORT", format!("$(slot+{port})"), origin);
    draft.push(env);
}

/// One command that the shell can become; `exec` in front of anything else would run its first part only.
fn is_simple(command: &str) -> bool {
    const STARTS: [&str; 14] = [
        "exec", "if", "for", "while", "until", "case", "cd", "export", "set", "source", ".", "trap",
        "ulimit", "!",
    ];
    let first = command.split_whitespace().next().unwrap_or("");
    !command.contains([';', '&', '|', '<', '>', '(', ')', '{', '}', '`', '\n'])
        && !first.contains('=')
        && !STARTS.contains(&first)
}

fn base_port(dot_env: Option<&str>, outer: Option<&str>, whole: &Origin, findings: &mut Findings) -> u32 {
    let from_file = dot_env.and_then(|text| {
        text.lines().find_map(|line| line.trim().trim_start_matches("export ").strip_prefix("PORT="))
    });
    let Some(text) = from_file.or(outer) else { return PORT_DEFAULT };
    let text = text.trim().trim_matches(['"', '\'']);
    match text.parse::<u16>() {
        Ok(port) => u32::from(port),
        Err(_) => {
            findings.warn(
                whole,
                "PORT",
                format!("{text:?} is no port; counting from {PORT_DEFAULT} instead"),
            );
            PORT_DEFAULT
        }
    }
}

fn check_formation(formation: &Formation, types: &[String], whole: &Origin, findings: &mut Findings) {
    for name in formation.names().filter(|name| !types.iter().any(|known| known == name)) {
        findings.fault(
            whole,
            format!("has no process type {name:?} to give workers to; it has {}", types.join(", ")),
        );
    }
}
