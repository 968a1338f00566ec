//! TOML to [`raw::File`], with every mistake found and not only the first.
//!
//! A deserializer stops at its first error. So unknown keys are looked for beforehand, by walking the parsed text
//! along the schema; and a value that cannot be deserialized is reported, cut out, and the rest is tried again.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};

use crate::interpolate::{InterpolateError, Variables, interpolate};
use crate::raw::{self, Span};
use crate::report::Problem;
use crate::source::Sources;

mod unknown;
mod words;

/// Values that cannot be deserialized, at most, in one file.
const RETRIES_MAX: usize = 100;

/// Longest text of a config file, bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 4 << 20;

/// A file as read.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub(crate) file: raw::File,
    /// What is wrong with it.
    pub(crate) problems: Vec<Problem>,
    /// Where the texts begin into which variables were filled.
    pub(crate) expanded: BTreeSet<usize>,
    /// `[section.name]`s of which something was cut out, so that what else seems wrong with them may be due to that.
    pub(crate) cut: BTreeSet<(String, String)>,
    /// The text is no TOML, so that `file` says nothing.
    pub(crate) broken: bool,
}

/// Reads the first of `sources`, whose text is `text`.
pub(crate) fn read(text: &str, sources: &Sources, variables: &Variables) -> Reading {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Reading { problems: words::syntax(&errors, text), broken: true, ..Reading::default() };
    }
    let whole = table.span();
    let mut table = table.into_inner();
    let mut reading = Reading::default();
    unknown::cut(&mut table, &mut reading);
    let mut filling = Filling { sources, variables, reading: &mut reading, path: Vec::new() };
    filling.table(&mut table);
    deserialize(table, &whole, &mut reading);
    reading
}

fn deserialize(mut table: DeTable<'_>, whole: &Span, reading: &mut Reading) {
    for _ in 0..RETRIES_MAX {
        let document = Spanned::new(whole.clone(), table.clone());
        let error = match raw::File::deserialize(toml::de::Deserializer::from(document)) {
            Ok(file) => {
                reading.file = file;
                return;
            }
            Err(error) => error,
        };
        reading.problems.push(Problem::error(error.span(), words::plain(error.message())));
        let Some(path) = error.span().and_then(|span| cut(&mut table, &span)) else { break };
        reading.cut.extend(section(&path));
    }
    reading.broken = true;
}

/// `("service", "web")` of a path that begins so.
fn section(path: &[String]) -> Option<(String, String)> {
    let section = path.first()?;
    Some((section.clone(), path.get(1).cloned().unwrap_or_default()))
}

/// Removes the innermost value, or item of a list, that contains `span`. Returns its path.
fn cut(table: &mut DeTable<'_>, span: &Span) -> Option<Vec<String>> {
    let mut found = None;
    for (key, value) in table.iter_mut() {
        let name = key.get_ref().to_string();
        let inner = match value.get_mut() {
            DeValue::Table(inner) => cut(inner, span),
            DeValue::Array(items) => cut_item(items, span),
            _ => None,
        };
        if let Some(mut path) = inner {
            path.insert(0, name);
            return Some(path);
        }
        if contains(&value.span(), span) || contains(&key.span(), span) {
            found = Some(name);
        }
    }
    let name = found?;
    table.remove(name.as_str());
    Some(vec![name])
}

fn cut_item(items: &mut toml::de::DeArray<'_>, span: &Span) -> Option<Vec<String>> {
    for (index, item) in items.iter_mut().enumerate() {
        if let DeValue::Table(inner) = item.get_mut()
            && let Some(mut path) = cut(inner, span)
        {
            path.insert(0, numbered(index));
            return Some(path);
        }
    }
    None
}

/// An item of a list, in a path.
fn numbered(index: usize) -> String {
    format!("#{index}")
}

fn contains(outer: &Span, inner: &Span) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// Fills variables into all texts.
struct Filling<'a> {
    sources: &'a Sources,
    variables: &'a Variables,
    reading: &'a mut Reading,
    path: Vec<String>,
}

impl Filling<'_> {
    fn table(&mut self, table: &mut DeTable<'_>) {
        for (key, value) in table.iter_mut() {
            self.path.push(key.get_ref().to_string());
            self.value(value);
            self.path.pop();
        }
    }

    fn value(&mut self, value: &mut Spanned<DeValue<'_>>) {
        let span = value.span();
        match value.get_mut() {
            DeValue::Table(table) => self.table(table),
            DeValue::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.path.push(numbered(index));
                    self.value(item);
                    self.path.pop();
                }
            }
            DeValue::String(text) => self.text(text, &span),
            _ => {}
        }
    }

    fn text(&mut self, text: &mut Cow<'_, str>, span: &Span) {
        let mut rest: &str = text;
        loop {
            match interpolate(rest, self.variables) {
                Ok(filled) if rest.len() == text.len() => {
                    if filled.expanded {
                        self.reading.expanded.insert(span.start);
                    }
                    *text = filled.text.into_owned().into();
                    return;
                }
                Ok(_) => return,
                // Further on there may be more that is wrong.
                Err(why) => {
                    self.refuse(span, &why);
                    rest = rest.split_once(why.text()).map_or("", |(_, after)| after);
                }
            }
        }
    }

    fn refuse(&mut self, span: &Span, why: &InterpolateError) {
        let place = self.sources.inside(span, why.text());
        self.reading.problems.push(Problem::error(Some(place), why.to_string()).hint(why.hint()));
        self.reading.cut.extend(section(&self.path));
    }
}
