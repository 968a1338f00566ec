//! Finding the arbiter a command is meant for.

use std::path::{Path, PathBuf};

use remuda_control::{Client, ClientError};
use remuda_model::Config;

use crate::arguments::Global;
use crate::config_file;
use crate::exit::{Exit, Failure};
use crate::orphans::Left;

/// Name of the control socket in an instance's runtime folder.
pub(crate) const CONTROL_SOCKET: &str = "control.sock";
/// The config file of a folder.
pub(crate) const CONFIG_FILE: &str = "remuda.toml";

/// Where the runtime folders of a user's instances are.
pub(crate) fn runtime_root(uid: u32, runtime_dir: Option<PathBuf>) -> PathBuf {
    match (uid, runtime_dir) {
        (0, _) => PathBuf::from("/run/remuda"),
        (_, Some(folder)) if folder.is_absolute() => folder.join("remuda"),
        _ => PathBuf::from(format!("/tmp/remuda-{uid}")),
    }
}

/// [`runtime_root`] for this process.
pub(crate) fn own_runtime_root() -> PathBuf {
    let runtime_dir = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    runtime_root(remuda_sys::users::effective_user(), runtime_dir)
}

/// What there is of an instance.
#[derive(Debug)]
pub(crate) enum Found {
    /// Its arbiter.
    Running(Client),
    /// Workers of one that was killed.
    Orphaned(Left),
}

impl Found {
    fn running(self) -> Result<Client, Failure> {
        match self {
            Self::Running(client) => Ok(client),
            Self::Orphaned(left) => Err(left.failure()),
        }
    }
}

/// Connects to the arbiter that is meant; see [`look`].
pub(crate) async fn find(global: &Global) -> Result<Client, Failure> {
    look(global).await?.running()
}

/// Finds the instance that the options, the environment or this folder mean: `--instance`, `--config`,
/// `$REMUDA_SOCKET`, `./remuda.toml`, or else the only one there is.
pub(crate) async fn look(global: &Global) -> Result<Found, Failure> {
    let root = own_runtime_root();
    if let Some(name) = &global.instance {
        return named(&root, name).await;
    }
    if let Some(file) = &global.config {
        return of_file(file).await;
    }
    if let Some(path) = std::env::var_os("REMUDA_SOCKET").filter(|path| !path.is_empty()) {
        return of_socket(PathBuf::from(path)).await;
    }
    if Path::new(CONFIG_FILE).exists() {
        return of_file(Path::new(CONFIG_FILE)).await;
    }
    only(&root).await
}

/// Where `$REMUDA_SOCKET` points to.
async fn of_socket(path: PathBuf) -> Result<Found, Failure> {
    let absolute = std::path::absolute(&path).map_err(|error| Failure::file("find", &path, &error))?;
    let folder = absolute.parent().unwrap_or(&absolute);
    match Client::connect(path).await {
        Ok(client) => Ok(Found::Running(client)),
        Err(error) => match left(&error, format!("in {}", folder.display()), folder) {
            Some(left) => Ok(Found::Orphaned(left)),
            None => Err(of_variable(error)),
        },
    }
}

/// Workers that go on where nobody answers.
fn left(error: &ClientError, place: String, folder: &Path) -> Option<Left> {
    if matches!(error, ClientError::NotRunning { .. }) { Left::find(place, folder) } else { None }
}

/// A failure to connect where `$REMUDA_SOCKET` points to.
fn of_variable(error: ClientError) -> Failure {
    let Failure { exit, message, .. } = Failure::from(error);
    Failure::new(exit, format!("{message}; REMUDA_SOCKET names this socket"))
        .hint("unset REMUDA_SOCKET to look elsewhere, or start an arbiter there with `remuda up`")
}

async fn named(root: &Path, name: &str) -> Result<Found, Failure> {
    if name.is_empty() || name.contains('/') || name.starts_with('.') {
        return Err(Failure::misuse(format!("{name:?} is not the name of an instance")));
    }
    connect(name, &root.join(name)).await
}

/// Connects to the arbiter that runs `config`.
pub(crate) async fn of_config(config: &Config) -> Result<Client, Failure> {
    look_in(config).await?.running()
}

async fn look_in(config: &Config) -> Result<Found, Failure> {
    connect(&config.instance.name, &config.instance.runtime_dir).await
}

async fn of_file(file: &Path) -> Result<Found, Failure> {
    // A config that has just been broken must not keep anybody from asking how things are.
    match config_file::load(&[file.to_owned()], &config_file::Adjustments::default()) {
        Ok(read) => look_in(&read.loaded.config).await,
        Err(_) => {
            let (name, folder) = of_broken(file)?;
            connect(&name, &folder).await
        }
    }
}

/// Name and runtime folder of the instance of a file that cannot be loaded, as far as its text still tells them.
fn of_broken(file: &Path) -> Result<(String, PathBuf), Failure> {
    let absolute = std::path::absolute(file).map_err(|error| Failure::file("find", file, &error))?;
    let beside = absolute.parent().unwrap_or(Path::new("/"));
    // A file that cannot be read tells nothing, and the defaults are as good a guess as any.
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let name = key_of_instance(&text, "name")
        .map_or_else(|| beside.file_name().unwrap_or_default().to_string_lossy().into_owned(), str::to_owned);
    let folder = key_of_instance(&text, "runtime_dir")
        .map_or_else(|| own_runtime_root().join(&name), |folder| beside.join(folder));
    Ok((name, folder))
}

/// The value of `key` in `[remuda]`, when it is on a line of its own and says what it means without variables. Reads
/// line by line, because the rest of the text may be no TOML.
fn key_of_instance<'text>(text: &'text str, key: &str) -> Option<&'text str> {
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line.starts_with("[remuda]");
        } else if let Some(rest) = line.strip_prefix(key).filter(|_| inside)
            && let Some(value) = rest.trim_start().strip_prefix('=')
        {
            let value = value.trim_start();
            let quote = value.chars().next().filter(|first| ['"', '\''].contains(first))?;
            return value.split(quote).nth(1).filter(|value| !value.contains(['$', '\\']));
        }
    }
    None
}

async fn connect(name: &str, folder: &Path) -> Result<Found, Failure> {
    let error = match Client::connect(folder.join(CONTROL_SOCKET)).await {
        Ok(client) => return Ok(Found::Running(client)),
        Err(error) => error,
    };
    if let Some(left) = left(&error, format!("as instance {name}"), folder) {
        return Ok(Found::Orphaned(left));
    }
    let ClientError::NotRunning { path, source } = error else { return Err(error.into()) };
    let why = source.to_string();
    let why = why.split(" (os error").next().unwrap_or(&why);
    let message = format!("no remuda runs as instance {name} (tried {}: {why})", path.display());
    Err(Failure::new(Exit::NotRunning, message).hint("start it with `remuda up`"))
}

async fn only(root: &Path) -> Result<Found, Failure> {
    let mut there = Vec::new();
    for name in candidates(root) {
        if let Ok(found) = connect(&name, &root.join(&name)).await {
            there.push((name, found));
        }
    }
    let names: Vec<String> = there.iter().map(|(name, _)| name.clone()).collect();
    match (there.pop(), there.is_empty()) {
        (Some((_, found)), true) => Ok(found),
        (None, _) => {
            let message =
                format!("no remuda runs (looked in {}), and there is no {CONFIG_FILE} here", root.display());
            Err(Failure::new(Exit::NotRunning, message)
                .hint("start one with `remuda up`, or name its --instance"))
        }
        (Some(_), false) => {
            let message = format!("there are several instances: {}", names.join(", "));
            Err(Failure::misuse(message).hint("name one with --instance"))
        }
    }
}

/// Folders below `root` with a control socket, by name.
fn candidates(root: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let with_socket = entries.filter(|entry| entry.path().join(CONTROL_SOCKET).exists());
    let mut names: Vec<String> =
        with_socket.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests;
