//! Unit files as text: sections, assignments, continuation lines, comments.

use std::path::{Path, PathBuf};

use crate::foreign::finding::{Findings, Origin};

/// A unit file with its drop-ins.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) name: UnitName,
    pub(super) path: PathBuf,
    pub(super) entries: Vec<Entry>,
}

/// `Key=Value` of a section.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) section: String,
    pub(super) key: String,
    pub(super) value: String,
    pub(super) origin: Origin,
}

/// `www@3.socket`: prefix `www`, instance `3`, kind `socket`; the instance of a template is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UnitName {
    pub(super) prefix: String,
    pub(super) instance: Option<String>,
    pub(super) kind: String,
}

impl UnitName {
    pub(super) fn parse(name: &str) -> Self {
        let (stem, kind) = name.rsplit_once('.').unwrap_or((name, ""));
        let (prefix, instance) = match stem.split_once('@') {
            Some((prefix, instance)) => (prefix, Some(instance.to_owned())),
            None => (stem, None),
        };
        Self { prefix: prefix.into(), instance, kind: kind.into() }
    }

    pub(super) fn is_template(&self) -> bool {
        self.instance.as_deref() == Some("")
    }

    /// The name of the template that describes it, if it is an instance.
    pub(super) fn template(&self) -> Option<Self> {
        self.instance.as_ref().map(|_| Self { instance: Some(String::new()), ..self.clone() })
    }

    /// The same name with another kind.
    pub(super) fn of_kind(&self, kind: &str) -> Self {
        Self { kind: kind.into(), ..self.clone() }
    }

    pub(super) fn with_instance(&self, instance: &str) -> Self {
        Self { instance: Some(instance.into()), ..self.clone() }
    }

    /// Without the kind: `www@3`.
    pub(super) fn stem(&self) -> String {
        match &self.instance {
            Some(instance) => format!("{}@{instance}", self.prefix),
            None => self.prefix.clone(),
        }
    }
}

impl std::fmt::Display for UnitName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.stem(), self.kind)
    }
}

impl Unit {
    /// A unit of the file at `path`.
    pub(super) fn parse(path: &Path, text: &str, findings: &mut Findings) -> Self {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut unit = Self { name: UnitName::parse(&name), path: path.into(), entries: Vec::new() };
        unit.extend(path, text, findings);
        unit
    }

    /// Adds the assignments of a drop-in.
    pub(super) fn extend(&mut self, path: &Path, text: &str, findings: &mut Findings) {
        findings.keep(path, text);
        let mut section = String::new();
        for (number, line) in logical_lines(text) {
            let origin = Origin::new(path, number);
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                name.clone_into(&mut section);
            } else if let Some((key, value)) = line.split_once('=') {
                let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
                if section.is_empty() {
                    findings.fault(&origin, format!("{key}= stands before the first [Section]"));
                } else {
                    self.entries.push(Entry { section: section.clone(), key, value, origin });
                }
            } else {
                findings.warn(
                    &origin,
                    line.trim(),
                    "neither [Section] nor Key=Value; ignored, as systemd does",
                );
            }
        }
    }

    pub(super) fn whole(&self) -> Origin {
        Origin::new(&self.path, 0)
    }

    /// The values of a list: all assignments since the last empty one.
    pub(super) fn all(&self, section: &str, key: &str) -> Vec<&Entry> {
        let mut list = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.section == section && entry.key == key) {
            if entry.value.is_empty() {
                list.clear();
            } else {
                list.push(entry);
            }
        }
        list
    }

    /// The value that counts: the last one, unless it is empty.
    pub(super) fn last(&self, section: &str, key: &str) -> Option<&Entry> {
        self.all(section, key).pop()
    }
}

/// Lines with continuations joined by a space, comments and empty lines left out; with their first line's number.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut continues = false;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if trimmed.starts_with(['#', ';']) || (trimmed.is_empty() && !continues) {
            continue;
        }
        let (part, more) = match trimmed.strip_suffix('\\') {
            Some(part) => (part, true),
            None => (trimmed, false),
        };
        match lines.last_mut() {
            Some((_, whole)) if continues => {
                whole.push(' ');
                whole.push_str(part);
            }
            _ => lines.push((index + 1, part.to_owned())),
        }
        continues = more;
    }
    for (_, line) in &mut lines {
        line.truncate(line.trim_end().len());
    }
    lines
}
