//! Importing files of other systems.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot set itself up has failed")]

mod circus;
mod detection;
mod golden;
mod init;
mod loading;
mod procfile;
mod robust;
mod systemd;

use std::path::{Path, PathBuf};

use remuda_config::foreign::{ImportError, ImportOptions, Imported, import, import_texts};
use remuda_config::{Surroundings, load_text};

fn fixture(name: &str) -> PathBuf {
    Path::new("tests/fixtures/foreign").join(name)
}

/// The environment of all imports here.
fn options() -> ImportOptions {
    let variables = [("PATH", "/bin"), ("HOME", "/home/u"), ("WEB_PORT", "8000"), ("LANG", "C")];
    let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    ImportOptions { variables, ..ImportOptions::default() }
}

fn import_fixtures(names: &[&str], options: &ImportOptions) -> Imported {
    let paths: Vec<_> = names.iter().map(|name| fixture(name)).collect();
    import(&paths, options).unwrap_or_else(|why| panic!("{why}"))
}

fn import_text(path: &str, text: &str) -> Result<Imported, ImportError> {
    import_texts(&[(PathBuf::from(path), text.to_owned())], &options())
}

/// The import's native text, and its notes one a line.
fn told(imported: &Imported) -> String {
    let notes: Vec<_> = imported.notes.iter().map(|note| format!("{note}\n")).collect();
    format!("{}---\n{}", imported.text(), notes.concat())
}

fn surroundings() -> Surroundings {
    Surroundings { variables: options().variables, uid: 1000, cpus: 4, directory: PathBuf::from("/srv") }
}

/// Fails unless `text` is a valid config.
fn assert_loads(text: &str, path: &Path) {
    if let Err(report) = load_text(text, path, &surroundings()) {
        panic!("{report}\n{text}");
    }
}
