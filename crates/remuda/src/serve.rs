//! `remuda serve`: a folder on the web, in one line.
//!
//! It is `up` with a config that is made here: one socket, one service of gateway workers, one route. So everything else works on it
//! too: `remuda reload`, `remuda top`, a crash of a worker or of the arbiter.

use crate::arguments::{Global, ServeArguments, UpArguments};
use crate::exit::{Failure, Outcome};
use crate::screen::Screen;
use crate::up::{self, Source};
use remuda_daemon::Succession;
use remuda_model::Address;

/// Runs the arbiter with a config of its own making.
pub(crate) async fn run(
    mut arguments: ServeArguments,
    global: &Global,
    succession: Option<Succession>,
    screen: &mut Screen,
) -> Outcome {
    arguments.listen = placed(&arguments.listen)?;
    let folder = std::path::absolute(&arguments.folder)
        .map_err(|error| Failure::file("find", &arguments.folder, &error))?;
    if !folder.is_dir() {
        let message = format!("{} is no folder; there is nothing to serve", folder.display());
        return Err(Failure::misuse(message).hint("remuda serve ./public"));
    }
    let page = arguments.fallback.as_ref().map(|page| folder.join(page.trim_start_matches('/')));
    if let Some(page) = page.filter(|page| !page.is_file()) {
        let message = format!("--fallback: there is no file {}; nothing is served", page.display());
        return Err(Failure::misuse(message).hint("it is a path beneath the folder: --fallback /index.html"));
    }
    let up = UpArguments {
        files: Vec::new(),
        detach: arguments.detach,
        adjusting: ServeArguments::adjusting(),
        quiet: arguments.quiet,
        log_format: arguments.log_format,
    };
    let source = Source::made(config(&arguments, global), folder.join("remuda.toml"), &up)?;
    let source = source.elsewhere("--listen takes another address, such as 8081");
    up::run_source(up, source, succession, screen).await
}

/// The config, as it could be written by hand beside the files: workers run in the folder of their config.
fn config(arguments: &ServeArguments, global: &Global) -> String {
    let name = global.instance.clone().unwrap_or_else(|| instance_name(&arguments.listen));
    let mut files = format!("root = \".\", listing = {}", arguments.list);
    if let Some(page) = &arguments.fallback {
        files.push_str(&format!(", fallback = {}", quoted(page)));
    }
    // Clients of HTTP speak first: who is woken with the request there need not wait for it. Sockets of others are as they
    // are.
    let is_tcp = matches!(arguments.listen.parse(), Ok(Address::Tcp(_) | Address::TcpHost { .. }));
    let wakes = if is_tcp { "defer_accept = \"1s\"\n" } else { "" };
    format!(
        "[remuda]\nname = {name}\n[socket.http]\nlisten = {listen}\n{wakes}[service.files]\nkind = \"gateway\"\n\
         sockets = [\"http\"]\nworkers = {workers}\n[gateway]\naccess_log = \"off\"\n\
         [[route]]\nname = \"files\"\nmatch = \"/*\"\nfiles = {{ {files} }}\n",
        name = quoted(&name),
        listen = quoted(&arguments.listen),
        workers = arguments.workers,
    )
}

/// A name for the instance that another `serve` on this machine does not have: of the address, or where that is any
/// free port, of this process, which an upgrade leaves as it is.
fn instance_name(listen: &str) -> String {
    let end = match listen.parse() {
        // Files of one name may be in many folders.
        Ok(Address::UnixStream(path)) => path.display().to_string(),
        _ => listen.rsplit(':').next().unwrap_or_default().to_owned(),
    };
    if end == "0" {
        return format!("serve-any-{}", std::process::id());
    }
    let letters: Vec<char> = end.chars().filter(char::is_ascii_alphanumeric).collect();
    let last: String = letters[letters.len().saturating_sub(NAME_LETTERS)..].iter().collect();
    format!("serve-{last}")
}

/// Letters of an address in a name that stays short beside the runtime folder's path.
const NAME_LETTERS: usize = 32;

/// A Unix socket is where it is from here, not in the folder that everybody is shown.
fn placed(listen: &str) -> Result<String, Failure> {
    let Ok(Address::UnixStream(path)) = listen.parse() else { return Ok(listen.to_owned()) };
    let path = std::path::absolute(&path).map_err(|error| Failure::file("find", &path, &error))?;
    Ok(format!("unix:{}", path.display()))
}

/// As a string of TOML in which no variable is filled in.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '$' => out.push_str("$$"),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests;
