//! The texts a config was read from, side by side in one row of bytes, so that a plain range of bytes says both
//! which file and where in it.

use std::path::{Path, PathBuf};

use crate::raw::Span;

/// The texts a config was read from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sources {
    files: Vec<Source>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    base: usize,
}

/// A place as people say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// Its line, from 1.
    pub line: usize,
    /// The character of the line, from 1.
    pub column: usize,
}

impl Sources {
    /// Only this text; its spans begin at 0.
    #[must_use]
    pub fn of(path: &Path, text: &str) -> Self {
        let mut sources = Self::default();
        sources.add(path, text);
        sources
    }

    /// Adds a text. Returns what is to be added to a position in it to make it a position in the whole.
    pub fn add(&mut self, path: &Path, text: &str) -> usize {
        // One byte lies between two texts, so that the end of one is not the beginning of the next.
        let base = self.files.last().map_or(0, |last| last.base + last.text.len() + 1);
        self.files.push(Source { path: path.to_owned(), text: text.to_owned(), base });
        base
    }

    /// The files, in the order they were read.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        self.files.iter().map(|file| file.path.clone()).collect()
    }

    /// File, line and column of the beginning of `span`.
    #[must_use]
    pub fn place(&self, span: &Span) -> Option<Place> {
        let (file, local) = self.locate(span)?;
        let before = &file.text[..local.start];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        Some(Place { path: file.path.clone(), line, column })
    }

    /// What is written at `span`.
    #[must_use]
    pub fn text(&self, span: &Span) -> &str {
        self.locate(span).map_or("", |(file, local)| &file.text[local])
    }

    /// The part of `span` where `needle` is written, or all of it.
    #[must_use]
    pub fn inside(&self, span: &Span, needle: &str) -> Span {
        match self.text(span).find(needle) {
            Some(offset) if !needle.is_empty() => span.start + offset..span.start + offset + needle.len(),
            _ => span.clone(),
        }
    }

    /// The file of `span`, and the span in its text, moved to character boundaries.
    pub(crate) fn locate(&self, span: &Span) -> Option<(&Source, Span)> {
        let file = self.files.iter().rev().find(|file| file.base <= span.start)?;
        let start = file.text.floor_char_boundary(span.start - file.base);
        let end = file.text.ceil_char_boundary(span.end.saturating_sub(file.base)).max(start);
        Some((file, start..end))
    }
}
