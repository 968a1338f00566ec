//! A file, or a text, to a [`Loaded`] config.

use std::fs::File;
use std::io::{Error, ErrorKind, Read};
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
    let mut bytes = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() > TEXT_BYTES_MAX {
        return Err(Error::new(ErrorKind::FileTooLarge, format!("it is larger than {TEXT_BYTES_MAX} bytes")));
    }
    String::from_utf8(bytes).map_err(|why| {
        let (text, wrong) = why.as_bytes().split_at(why.utf8_error().valid_up_to());
        let line = text.iter().filter(|byte| **byte == b'\n').count() + 1;
        let byte = wrong.first().copied().unwrap_or_default();
        let message = format!("line {line} has a byte that is not UTF-8 (0x{byte:02x}); save it as UTF-8");
        Error::new(ErrorKind::InvalidData, message)
    })
}

/// The folder of a config file, absolute: what relative paths in it are relative to.
#[must_use]
pub fn folder_of(path: &Path, surroundings: &Surroundings) -> PathBuf {
    surroundings.directory.join(path.parent().unwrap_or(Path::new("")))
}
