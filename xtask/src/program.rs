//! One program to run from the root of the repository, and what its failure says.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the manifest of xtask is in a folder of the repository")
        .to_path_buf()
}

/// A command line that runs in the root of the repository with this terminal as its own.
#[derive(Debug)]
pub(crate) struct Program(Command);

impl Program {
    /// `program` is a name on PATH, or a path below the root when it has a slash.
    pub(crate) fn new(program: &str) -> Self {
        let found = if program.contains('/') { root().join(program) } else { PathBuf::from(program) };
        let mut command = Command::new(found);
        command.current_dir(root());
        Self(command)
    }

    /// The cargo that runs this, with `words` separated by spaces.
    pub(crate) fn cargo(words: &str) -> Self {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        Self::new(&cargo).args(words.split(' '))
    }

    /// Adds arguments.
    pub(crate) fn args<T: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.0.args(arguments);
        self
    }

    /// Sets one variable of its environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(mut self) -> Result<()> {
        let line = self.line();
        let status = self.0.status().with_context(|| format!("cannot run `{line}`"))?;
        if !status.success() {
            bail!("`{line}` failed: {status}");
        }
        Ok(())
    }

    /// Runs it to its end; what it wrote to stdout. Its stderr is this terminal's.
    pub(crate) fn output(mut self) -> Result<String> {
        let line = self.line();
        let output = self
            .0
            .stderr(std::process::Stdio::inherit())
            .output()
            .with_context(|| format!("cannot run `{line}`"))?;
        if !output.status.success() {
            bail!("`{line}` failed: {}", output.status);
        }
        String::from_utf8(output.stdout)
            .with_context(|| format!("`{line}` wrote something that is not UTF-8"))
    }

    fn line(&self) -> String {
        let words = std::iter::once(self.0.get_program()).chain(self.0.get_args());
        words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
    }
}
