//! A file, or a text, to a [`Loaded`] config.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::read::{TEXT_BYTES_MAX, read};
use crate::report::{Problem, Report};
use crate::resolve::{Loaded, Origin, Surroundings, resolve_with};
use crate::source::Sources;

/// Loads a file in the native format.
///
/// # Errors
/// All that is wrong with it; or why it cannot be read.
pub fn load(path: &Path, surroundings: &Surroundings) -> Result<Loaded, Report> {
    let text = read_file(path).map_err(|why| {
        let message = format!("the config {} cannot be read: {why}", path.display());
        Report::new(Sources::default(), vec![Problem::error(None, message)])
    })?;
    load_text(&text, path, surroundings)
}

/// Loads a text in the native format as if it stood in the file `path`, which need not exist.
///
/// # Errors
/// All that is wrong with it.
pub fn load_text(text: &str, path: &Path, surroundings: &Surroundings) -> Result<Loaded, Report> {
    let sources = Sources::of(path, text);
    let reading = read(text, &sources, &surroundings.variables);
    if reading.broken {
        return Err(Report::new(sources, reading.problems));
    }
    let mut origin = Origin::new(sources, &folder_of(path, surroundings));
    origin.expanded = reading.expanded;
    origin.cut = reading.cut;
    resolve_with(&reading.file, origin, surroundings, reading.problems)
}

/// The text of a config file.
///
/// # Errors
/// It cannot be read, is not UTF-8, or is larger than 4 MiB.
pub fn read_file(path: &Path) -> std::io::Result<String> {
    let limit = u64::try_from(TEXT_BYTES_MAX).unwrap_or(u64::MAX);
    let mut text = String::new();
    File::open(path)?.take(limit + 1).read_to_string(&mut text)?;
    if text.len() > TEXT_BYTES_MAX {
        return Err(std::io::Error::new(
            std::io::ErrorKind::FileTooLarge,
            format!("it is larger than {TEXT_BYTES_MAX} bytes"),
        ));
    }
    Ok(text)
}

/// The folder of a config file, absolute: what relative paths in it are relative to.
#[must_use]
pub fn folder_of(path: &Path, surroundings: &Surroundings) -> PathBuf {
    surroundings.directory.join(path.parent().unwrap_or(Path::new("")))
}
