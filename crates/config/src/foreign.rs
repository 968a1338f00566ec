//! Files of other systems, read into the same declarations: `circus.ini`, `Procfile`, systemd units.
//!
//! An importer writes native text ([`Imported::to_toml`]), which then goes the way of any `remuda.toml`; each line of
//! that text knows the foreign line it comes from, so that what is found wrong later points at the file the user has.
//! Nothing is dropped silently: a setting is translated, or a [`Note`] says what became of it.

mod circus;
mod detect;
mod draft;
mod finding;
mod formation;
mod naming;
mod pattern;
mod procfile;
mod systemd;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use detect::{Format, detect};
pub use finding::{Note, Origin, Severity};
pub use formation::{Formation, FormationError};

use crate::report::{Problem, Report};
use crate::{Loaded, Sources, Surroundings, load_text, raw, read_file};
use draft::Draft;
use finding::{Findings, Lines};

/// What an import is told besides its files.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// The environment, for `$(circus.env.NAME)` in numbers and addresses, and for `PORT` of a Procfile.
    pub variables: BTreeMap<String, String>,
    /// Workers of each process type of a Procfile.
    pub formation: Formation,
    /// Instances of systemd's template units; one when absent.
    pub instances: Option<u32>,
}

/// A foreign file in our terms.
#[derive(Debug, Clone)]
pub struct Imported {
    /// What it declares.
    pub file: raw::File,
    /// What became of settings that were not simply translated, in the order of the files and lines.
    pub notes: Vec<Note>,
    /// The files it was made of, includes and partners among them.
    pub sources: Vec<PathBuf>,
    text: String,
    origins: Vec<Option<Origin>>,
    texts: Vec<(Arc<Path>, String)>,
}

/// Why an import fails. Nothing has been written or changed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No path was given.
    #[error("there is nothing to import: no file was given")]
    Nothing,
    /// The files are not of one kind; only units of systemd come in several.
    #[error("{} cannot be imported together with {}: only systemd units come in several files", path.display(), first.display())]
    Mixed {
        /// The file that does not fit.
        path: PathBuf,
        /// The file before it.
        first: PathBuf,
    },
    /// The file is native already.
    #[error("{} is a remuda.toml already; there is nothing to import", .0.display())]
    Native(PathBuf),
    /// What the files say cannot be taken over; all faults are told.
    #[error("{0}")]
    Refused(Report),
    /// The native text made of them is not valid, with the foreign lines it was made of.
    #[error("{0}")]
    Invalid(Report),
}

/// Imports `paths`: one `circus.ini` or `Procfile`, or any number of systemd units. Files they include, and units
/// that belong to them and lie beside them, are read as well.
///
/// # Errors
/// A file cannot be read, or says something that has no meaning here; all such faults are told at once.
pub fn import(paths: &[PathBuf], options: &ImportOptions) -> Result<Imported, ImportError> {
    let mut given = Vec::new();
    for path in paths {
        let text = read_file(path).map_err(|source| ImportError::Read { path: path.clone(), source })?;
        given.push((path.clone(), text));
    }
    import_texts(&given, options)
}

/// Imports files whose texts have been read; see [`import`].
///
/// # Errors
/// As [`import`].
pub fn import_texts(given: &[(PathBuf, String)], options: &ImportOptions) -> Result<Imported, ImportError> {
    let Some((first, text)) = given.first() else { return Err(ImportError::Nothing) };
    let format = detect(first, text);
    for (path, text) in &given[1..] {
        if !(format.is_unit() && detect(path, text).is_unit()) {
            return Err(ImportError::Mixed { path: path.clone(), first: first.clone() });
        }
    }
    let (mut draft, mut findings) = (Draft::default(), Findings::default());
    let sources = match format {
        Format::Remuda => return Err(ImportError::Native(first.clone())),
        Format::Circus => circus::translate(first, text, &options.variables, &mut draft, &mut findings),
        Format::Procfile => {
            let port = options.variables.get("PORT").map(String::as_str);
            procfile::translate(first, text, port, &options.formation, &mut draft, &mut findings)
        }
        Format::SystemdSocket | Format::SystemdService => {
            systemd::translate(given, options.instances, &mut draft, &mut findings)
        }
    };
    finish(&draft, findings, sources)
}

/// Imports `paths` and loads what they became, as `remuda up` does with a foreign file. Variables are those of the
/// surroundings. What is wrong with the native text is told at the foreign lines it was made of.
///
/// # Errors
/// As [`import`]; or the result is no valid config.
pub fn load(
    paths: &[PathBuf],
    options: &ImportOptions,
    surroundings: &Surroundings,
) -> Result<(Loaded, Imported), ImportError> {
    let options = ImportOptions { variables: surroundings.variables.clone(), ..options.clone() };
    let imported = import(paths, &options)?;
    let path = paths.first().ok_or(ImportError::Nothing)?;
    match load_text(&imported.text, path, surroundings) {
        Ok(mut loaded) => {
            loaded.warnings = imported.relocate(&loaded.warnings);
            let read_later = loaded.sources.drain(..).filter(|source| source != path);
            let mut sources = imported.sources.clone();
            sources.extend(read_later);
            loaded.sources = sources;
            Ok((loaded, imported))
        }
        Err(report) => Err(ImportError::Invalid(imported.relocate(&report))),
    }
}

fn finish(draft: &Draft, findings: Findings, sources: Vec<PathBuf>) -> Result<Imported, ImportError> {
    if !findings.faults.is_empty() {
        return Err(ImportError::Refused(findings.report()));
    }
    let (text, origins) = draft.render();
    let (notes, texts) = findings.into_parts();
    let mut imported = Imported { file: raw::File::default(), notes, sources, text, origins, texts };
    match toml::from_str(&imported.text) {
        Ok(file) => imported.file = file,
        Err(why) => {
            let problem = Problem::error(why.span(), why.message());
            let report = Report::new(Sources::default(), vec![problem]);
            return Err(ImportError::Invalid(imported.relocate(&report)));
        }
    }
    Ok(imported)
}

impl Imported {
    /// The native file, with what it was made of and all notes in comments: what `remuda import` prints.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let names: Vec<_> = self.sources.iter().map(|path| path.display().to_string()).collect();
        let mut toml = comment(&format!("Made from {} by `remuda import`.", names.join(", ")));
        if !self.notes.is_empty() {
            toml.push_str("#\n");
        }
        for note in &self.notes {
            toml.push_str(&comment(&note.to_string()));
        }
        toml.push('\n');
        toml.push_str(&self.text);
        toml
    }

    /// The native text without comments, as [`Imported::file`] was read from it and as its spans point into it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A report about [`Imported::text`], at the foreign lines that caused it.
    #[must_use]
    pub fn relocate(&self, report: &Report) -> Report {
        let lines = Lines::of(&self.texts);
        let moved = report.problems().iter().map(|problem| {
            let place = |span: &raw::Span| lines.span(self.foreign(span)?);
            let origin = problem.span.as_ref().and_then(|span| self.foreign(span));
            let span = problem.span.as_ref().and_then(place);
            let related = problem
                .related
                .iter()
                .filter_map(|(span, label)| Some((place(span)?, label.clone())))
                .collect();
            let message = match (&span, origin, report.place(problem)) {
                (None, Some(origin), _) => format!("{origin}: {}", problem.message),
                (None, None, Some(place)) => {
                    format!("{}:{}: {}", place.path.display(), place.line, problem.message)
                }
                _ => problem.message.clone(),
            };
            Problem { span, related, message, ..problem.clone() }
        });
        let moved = moved.collect();
        Report::new(lines.sources, moved)
    }

    /// The foreign line that a place of the native text was made of; nothing for places in other texts.
    fn foreign(&self, span: &raw::Span) -> Option<&Origin> {
        let before = self.text.get(..span.start)?;
        self.origins.get(before.matches('\n').count())?.as_ref()
    }
}

fn comment(text: &str) -> String {
    text.lines().map(|line| format!("# {line}\n")).collect()
}
