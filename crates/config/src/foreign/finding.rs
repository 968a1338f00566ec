//! What an importer has to say besides its result: where a thing stood, what became of it, what cannot be.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::raw::Span;
use crate::report::{Problem, Report};
use crate::source::Sources;

/// A line of a foreign file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The file.
    pub path: Arc<Path>,
    /// Its line, from 1; 0 is the file as a whole.
    pub line: usize,
}

impl Origin {
    /// A line of a file.
    #[must_use]
    pub fn new(path: &Path, line: usize) -> Self {
        Self { path: path.into(), line }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}", self.path.display()),
            line => write!(f, "{}:{line}", self.path.display()),
        }
    }
}

/// How much a note should trouble its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The setting has no purpose here; nothing is lost.
    Unneeded,
    /// The setting is translated, and means something slightly different.
    Difference,
    /// The setting has no counterpart: what it did is lost.
    Unsupported,
    /// The foreign file itself looks mistaken.
    Warning,
    /// The setting protected something, and does not here.
    Lost,
}

/// What became of a setting that was not simply translated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The foreign file.
    pub path: PathBuf,
    /// The line, from 1; 0 is the file as a whole.
    pub line: usize,
    /// The setting, as the file spells it.
    pub key: String,
    /// What is to be known, a clause without full stop.
    pub text: String,
    /// How much it matters.
    pub severity: Severity,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lead = match self.severity {
            Severity::Unneeded => "not needed because ",
            Severity::Difference => "differs: ",
            Severity::Unsupported => "not supported: ",
            Severity::Warning => "warning: ",
            Severity::Lost => "lost: ",
        };
        write!(f, "{}: {}: {lead}{}", Origin::new(&self.path, self.line), self.key, self.text)
    }
}

/// Collects notes and faults, so that a file's faults are told all at once.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) notes: Vec<Note>,
    pub(crate) faults: Vec<Fault>,
    texts: Vec<(Arc<Path>, String)>,
}

/// Why a foreign file cannot be taken over.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) origin: Origin,
    pub(crate) text: String,
    /// What to do.
    pub(crate) hint: Option<String>,
}

impl Findings {
    /// Keeps the text of a file, so that faults can show its lines.
    pub(crate) fn keep(&mut self, path: &Path, text: &str) {
        self.texts.push((path.into(), text.to_owned()));
    }

    pub(crate) fn note(&mut self, severity: Severity, origin: &Origin, key: &str, text: impl Into<String>) {
        let note = Note {
            path: origin.path.to_path_buf(),
            line: origin.line,
            key: key.into(),
            text: text.into(),
            severity,
        };
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    pub(crate) fn unneeded(&mut self, origin: &Origin, key: &str, text: impl Into<String>) {
        self.note(Severity::Unneeded, origin, key, text);
    }

    pub(crate) fn differs(&mut self, origin: &Origin, key: &str, text: impl Into<String>) {
        self.note(Severity::Difference, origin, key, text);
    }

    pub(crate) fn unsupported(&mut self, origin: &Origin, key: &str, text: impl Into<String>) {
        self.note(Severity::Unsupported, origin, key, text);
    }

    pub(crate) fn warn(&mut self, origin: &Origin, key: &str, text: impl Into<String>) {
        self.note(Severity::Warning, origin, key, text);
    }

    pub(crate) fn lost(&mut self, origin: &Origin, key: &str, text: impl Into<String>) {
        self.note(Severity::Lost, origin, key, text);
    }

    pub(crate) fn fault(&mut self, origin: &Origin, text: impl Into<String>) {
        self.add(Fault { origin: origin.clone(), text: text.into(), hint: None });
    }

    pub(crate) fn fault_with_hint(&mut self, origin: &Origin, text: &str, hint: &str) {
        self.add(Fault { origin: origin.clone(), text: text.into(), hint: Some(hint.into()) });
    }

    /// A fault that is found from several sides is one.
    fn add(&mut self, fault: Fault) {
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// The faults, with the lines they are about.
    pub(crate) fn report(&self) -> Report {
        let lines = Lines::of(&self.texts);
        let problems = self.faults.iter().map(|fault| {
            let span = lines.span(&fault.origin);
            let message =
                if span.is_some() { fault.text.clone() } else { format!("{}: {}", fault.origin, fault.text) };
            Problem { hint: fault.hint.clone(), ..Problem::error(span, message) }
        });
        let problems = problems.collect();
        Report::new(lines.sources, problems)
    }

    /// The notes in the order of the files and their lines, and the texts that were kept.
    pub(crate) fn into_parts(mut self) -> (Vec<Note>, Vec<(Arc<Path>, String)>) {
        let texts = self.texts;
        self.notes.sort_by_key(|note| (texts.iter().position(|(path, _)| **path == *note.path), note.line));
        (self.notes, texts)
    }
}

/// Where each line of some texts lies in the row of them all.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) sources: Sources,
    spans: BTreeMap<(Arc<Path>, usize), Span>,
}

impl Lines {
    pub(crate) fn of(texts: &[(Arc<Path>, String)]) -> Self {
        let mut lines = Self { sources: Sources::default(), spans: BTreeMap::new() };
        for (path, text) in texts {
            let mut at = lines.sources.add(path, text);
            for (index, line) in text.split('\n').enumerate() {
                let blank = line.len() - line.trim_start().len();
                let span = at + blank..(at + line.trim_end().len()).max(at + blank);
                lines.spans.insert((path.clone(), index + 1), span);
                at += line.len() + 1;
            }
        }
        lines
    }

    pub(crate) fn span(&self, origin: &Origin) -> Option<Span> {
        self.spans.get(&(origin.path.clone(), origin.line)).cloned()
    }
}
