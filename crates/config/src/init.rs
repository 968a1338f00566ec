//! A first `remuda.toml` for a folder: what lies in it tells what it runs.

mod node;
mod python;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// How much of a file is looked at, in bytes.
const LOOK_BYTES_MAX: u64 = 1 << 20;

/// A config for a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Text of a `remuda.toml`, with comments.
    pub toml: String,
    /// What it was concluded from, a clause without full stop.
    pub why: String,
}

/// Why no config is proposed.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// There is one.
    #[error("{} exists already and is left as it is", .0.display())]
    Exists(PathBuf),
    /// There is a file of another system.
    #[error("{} describes this folder already; run it with `remuda up {name}`, or turn it into a remuda.toml with `remuda import {name}`", path.display())]
    Importable {
        /// The file.
        path: PathBuf,
        /// Its name, or all names for units.
        name: String,
    },
    /// The folder cannot be read.
    #[error("cannot look into {}: {source}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Proposes a config for what lies in `folder`; writes nothing.
///
/// # Errors
/// There is a config already, ours or another system's, or the folder cannot be read.
pub fn propose(folder: &Path) -> Result<Proposal, InitError> {
    let unreadable = |source| InitError::Folder { folder: folder.into(), source };
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let mut names: Vec<String> =
        entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    refuse_known(folder, &names)?;
    let guess = python::guess(folder, &names)
        .or_else(|| node::guess(folder, &names))
        .or_else(|| ruby(&names))
        .or_else(|| compiled(folder, &names))
        .or_else(|| pages(&names));
    Ok(match guess {
        Some(guess) => Proposal { toml: guess.toml(), why: guess.why },
        None => Proposal { toml: SKELETON.into(), why: "nothing in the folder tells what it runs".into() },
    })
}

fn refuse_known(folder: &Path, names: &[String]) -> Result<(), InitError> {
    if names.iter().any(|name| name == "remuda.toml") {
        return Err(InitError::Exists(folder.join("remuda.toml")));
    }
    let foreign = names.iter().find(|name| ["circus.ini", "Procfile"].contains(&name.as_str()));
    if let Some(name) = foreign {
        return Err(InitError::Importable { path: folder.join(name), name: name.clone() });
    }
    let is_unit = |name: &&String| [".socket", ".service"].iter().any(|kind| name.ends_with(kind));
    let units: Vec<&str> = names.iter().filter(is_unit).map(String::as_str).collect();
    match units.first() {
        Some(first) => Err(InitError::Importable { path: folder.join(first), name: units.join(" ") }),
        None => Ok(()),
    }
}

/// A program found.
#[derive(Debug)]
struct Guess {
    command: String,
    /// Comment lines above the command.
    hints: Vec<&'static str>,
    listens: Listens,
    workers: u32,
    why: String,
}

/// How the program gets its socket.
#[derive(Debug)]
enum Listens {
    /// It takes the descriptor it is given.
    Inherited,
    /// It binds the port of `PORT` itself, so only one worker can.
    Itself { port: u16 },
}

impl Guess {
    fn inherited(command: impl Into<String>, workers: u32, why: impl Into<String>) -> Self {
        let (command, why) = (command.into(), why.into());
        Self { command, hints: Vec::new(), listens: Listens::Inherited, workers, why }
    }

    fn itself(command: impl Into<String>, port: u16, why: impl Into<String>) -> Self {
        let (command, why) = (command.into(), why.into());
        Self { command, hints: Vec::new(), listens: Listens::Itself { port }, workers: 1, why }
    }

    fn hint(mut self, hint: &'static str) -> Self {
        self.hints.push(hint);
        self
    }

    fn toml(&self) -> String {
        let mut toml = format!(
            "# Proposed by `remuda init`: {}.\n# `remuda check` explains it, `remuda up` runs it.\n\n",
            self.why
        );
        if matches!(self.listens, Listens::Inherited) {
            toml.push_str("[socket.web]\n# Bound once, and open as long as the arbiter lives: no reload loses a connection.\n");
            toml.push_str("listen = \"127.0.0.1:8000\"\n\n");
        }
        toml.push_str("[service.web]\n");
        for hint in &self.hints {
            toml.push_str(&format!("# {hint}\n"));
        }
        toml.push_str(&format!("command = {}\n", toml::Value::from(self.command.as_str())));
        match self.listens {
            Listens::Inherited => {
                toml.push_str(&format!("sockets = [\"web\"]\nworkers = {}\n", self.workers));
            }
            Listens::Itself { port } => {
                toml.push_str("# It binds its port itself, so there can be one worker only.\nworkers = 1\nsingleton = true\nready = \"listen\"\n");
                toml.push_str(&format!("\n[service.web.env]\nPORT = \"{port}\"\n"));
            }
        }
        toml
    }
}

const SKELETON: &str = "\
# Proposed by `remuda init`: replace the command by your own.
# `remuda check` explains the file, `remuda up` runs it.

[socket.web]
# Also \"[::]:80\", \"unix:/run/site.sock\", \"udp:0.0.0.0:53\".
listen = \"127.0.0.1:8000\"

[service.web]
# The worker finds the socket as descriptor 3: $(socket.web) is its number, LISTEN_FDS and its like are set as well.
command = \"./server --fd $(socket.web)\"
sockets = [\"web\"]
workers = 2
# When a worker is ready to serve: \"notify\" (sd_notify), \"http:/healthz\", \"log:REGEX\" …
# ready = \"notify\"
# user = \"www-data\"
# stop = { signal = \"TERM\", timeout = \"30s\" }
";

/// The text of a file, its first mebibyte at most.
fn look(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    fs::File::open(path).ok()?.take(LOOK_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|known| known == name)
}

fn ruby(names: &[String]) -> Option<Guess> {
    has(names, "config.ru").then(|| {
        let command = "bundle exec puma --bind-to-activated-sockets only";
        Guess::inherited(command, 2, "config.ru is there, so it is a Rack application")
            .hint("Puma takes the sockets it is given; put puma into the Gemfile.")
    })
}

fn compiled(folder: &Path, names: &[String]) -> Option<Guess> {
    if has(names, "Cargo.toml") {
        let manifest: toml::Table = look(&folder.join("Cargo.toml"))?.parse().ok()?;
        let package = manifest.get("package")?.get("name")?.as_str()?.to_owned();
        let guess = Guess::itself(format!("./target/release/{package}"), 8000, "Cargo.toml is there");
        return Some(guess.hint(
            "To share a socket among workers and reload without a gap, take it with the crate listenfd.",
        ));
    }
    if has(names, "go.mod") {
        let module = look(&folder.join("go.mod"))?;
        let path = module.lines().find_map(|line| line.trim().strip_prefix("module "))?.trim().to_owned();
        let name = path.rsplit('/').next().filter(|name| !name.is_empty())?.to_owned();
        let guess = Guess::itself(format!("./{name}"), 8000, "go.mod is there");
        return Some(guess.hint(
            "To share a socket among workers and reload without a gap, use net.FileListener on descriptor 3.",
        ));
    }
    None
}

fn pages(names: &[String]) -> Option<Guess> {
    has(names, "index.html").then(|| {
        Guess::itself(
            "python3 -m http.server --bind 127.0.0.1 8000",
            8000,
            "index.html is there, so it is a static site",
        )
    })
}
