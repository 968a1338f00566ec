//! What is wrong with a config, all of it at once, each with the line and a caret.

mod veil;

use std::fmt;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use self::veil::veiled;
use crate::raw::Span;
use crate::source::{Place, Sources};

/// Most problems of one report; the rest is counted.
const PROBLEMS_MAX: usize = 100;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The config is not used.
    Error,
    /// The config is used, and probably does not do what was meant.
    Warning,
}

/// How a report looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// ASCII without escape sequences: for files, logs and tests.
    Plain,
    /// With ANSI colours: for terminals.
    Coloured,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How bad.
    pub severity: Severity,
    /// What was tried, on what, and why it cannot be.
    pub message: String,
    /// Where.
    pub span: Option<Span>,
    /// What stands beside the caret.
    pub label: Option<String>,
    /// Other places that have to do with it, with what stands beside them.
    pub related: Vec<(Span, String)>,
    /// What to do.
    pub hint: Option<String>,
}

impl Problem {
    /// An error at `span`.
    #[must_use]
    pub fn error(span: Option<Span>, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { severity: Severity::Error, message, span, label: None, related: Vec::new(), hint: None }
    }

    /// A warning at `span`.
    #[must_use]
    pub fn warning(span: Option<Span>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(span, message) }
    }

    /// The same with words beside the caret.
    #[must_use]
    pub fn label(self, label: impl Into<String>) -> Self {
        Self { label: Some(label.into()), ..self }
    }

    /// The same with advice.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The same with the nearest known name as advice, if there is one.
    #[must_use]
    pub(crate) fn nearest(self, nearest: Option<&str>) -> Self {
        match nearest {
            Some(name) => self.hint(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    /// The same with another place.
    #[must_use]
    pub fn related(mut self, span: Option<Span>, label: impl Into<String>) -> Self {
        self.related.extend(span.map(|span| (span, label.into())));
        self
    }
}

/// All that is wrong with a config, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    sources: Sources,
    problems: Vec<Problem>,
}

impl Report {
    /// A report about these texts.
    #[must_use]
    pub fn new(sources: Sources, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.span.as_ref().map_or(0, |span| span.start));
        Self { sources, problems }
    }

    /// What is wrong.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// Where a problem of this report is.
    #[must_use]
    pub fn place(&self, problem: &Problem) -> Option<Place> {
        self.sources.place(problem.span.as_ref()?)
    }

    /// The report as text, with a blank line between problems and a line break at its end.
    #[must_use]
    pub fn render(&self, style: Style) -> String {
        let renderer = match style {
            Style::Plain => Renderer::plain(),
            Style::Coloured => Renderer::styled(),
        };
        let shown = self.problems.iter().take(PROBLEMS_MAX);
        let mut parts: Vec<String> = shown.map(|problem| renderer.render(&[self.group(problem)])).collect();
        if let Some(more) = self.problems.len().checked_sub(PROBLEMS_MAX).filter(|more| *more > 0) {
            parts.push(format!("and {more} more"));
        }
        parts.iter().map(|part| format!("{}\n", part.trim_end())).collect::<Vec<_>>().join("\n")
    }

    fn group<'a>(&'a self, problem: &'a Problem) -> Group<'a> {
        let level = match problem.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(problem.message.as_str()));
        if let Some(snippet) = problem.span.as_ref().and_then(|span| self.snippet(problem, span)) {
            group = group.element(snippet);
        }
        match &problem.hint {
            Some(hint) => group.element(Level::HELP.message(hint.as_str())),
            None => group,
        }
    }

    fn snippet<'a>(&'a self, problem: &'a Problem, span: &Span) -> Option<Snippet<'a, Annotation<'a>>> {
        let (file, local) = self.sources.locate(span)?;
        let mut annotations = vec![AnnotationKind::Primary.span(local).label(problem.label.as_deref())];
        for (span, label) in &problem.related {
            // Places in other files are told by the message alone.
            if let Some((other, local)) = self.sources.locate(span)
                && other.path == file.path
            {
                annotations.push(AnnotationKind::Context.span(local).label(label.as_str()));
            }
        }
        let path = file.path.to_string_lossy().into_owned();
        Some(Snippet::source(veiled(&file.text)).path(path).annotations(annotations))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(Style::Plain).trim_end())
    }
}

impl std::error::Error for Report {}
