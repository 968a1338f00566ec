//! The assignments of one section of a unit, each read once; what nobody read is told.

use std::collections::BTreeSet;

use super::specifier::{Expanded, Specifiers};
use super::unit::{Entry, Unit};
use super::value;
use crate::foreign::draft::{Table, duration};
use crate::foreign::finding::Findings;

/// A section being translated.
#[derive(Debug)]
pub(super) struct Settings<'a> {
    pub(super) unit: &'a Unit,
    pub(super) specifiers: Specifiers,
    section: &'static str,
    used: BTreeSet<&'static str>,
}

impl<'a> Settings<'a> {
    pub(super) fn new(unit: &'a Unit, section: &'static str, specifiers: Specifiers) -> Self {
        Self { unit, specifiers, section, used: BTreeSet::new() }
    }

    /// All values of a list.
    pub(super) fn all(&mut self, key: &'static str) -> Vec<&'a Entry> {
        self.used.insert(key);
        self.unit.all(self.section, key)
    }

    /// The value that counts.
    pub(super) fn last(&mut self, key: &'static str) -> Option<&'a Entry> {
        self.used.insert(key);
        self.unit.last(self.section, key)
    }

    /// The value with specifiers replaced; those unknown are told.
    pub(super) fn expand(&self, entry: &Entry, findings: &mut Findings) -> Expanded {
        let expanded = self.specifiers.expand(&entry.value);
        for specifier in &expanded.unknown {
            findings.unsupported(
                &entry.origin,
                &entry.key,
                format!("the specifier {specifier} stays as it is written"),
            );
        }
        expanded
    }

    /// The native text of a value that may not depend on the slot.
    pub(super) fn fixed(
        &mut self,
        key: &'static str,
        findings: &mut Findings,
    ) -> Option<(&'a Entry, String)> {
        let entry = self.last(key)?;
        let expanded = self.expand(entry, findings);
        if expanded.plain.is_none() {
            let text = "depends on the instance, which only command and env can; run instances as services of their own";
            findings.unsupported(&entry.origin, key, text);
            return None;
        }
        Some((entry, expanded.native))
    }

    pub(super) fn flag(&mut self, key: &'static str, findings: &mut Findings) -> Option<(&'a Entry, bool)> {
        let entry = self.last(key)?;
        let flag = value::boolean(&entry.value);
        if flag.is_none() {
            findings.fault(&entry.origin, format!("{key}={} is neither yes nor no", entry.value));
        }
        Some((entry, flag?))
    }

    /// A time span in seconds; an endless one is told and left out.
    pub(super) fn span(&mut self, key: &'static str, findings: &mut Findings) -> Option<(&'a Entry, f64)> {
        let entry = self.last(key)?;
        match value::span(&entry.value) {
            Some(Some(seconds)) => Some((entry, seconds)),
            Some(None) => {
                findings.unsupported(&entry.origin, key, "every wait has an end here; the default is used");
                None
            }
            None => {
                findings.fault(
                    &entry.origin,
                    format!("{key}={} is no time span such as 30s or 1min", entry.value),
                );
                None
            }
        }
    }

    pub(super) fn integer(&mut self, key: &'static str, findings: &mut Findings) -> Option<(&'a Entry, i64)> {
        let entry = self.last(key)?;
        let number = entry.value.parse().ok();
        if number.is_none() {
            findings.fault(&entry.origin, format!("{key}={} is not a whole number", entry.value));
        }
        Some((entry, number?))
    }

    /// A size in bytes; `None` inside is infinity.
    pub(super) fn size(
        &mut self,
        key: &'static str,
        findings: &mut Findings,
    ) -> Option<(&'a Entry, Option<i64>)> {
        let entry = self.last(key)?;
        let size = value::size(&entry.value).and_then(|size| size.map(i64::try_from).transpose().ok());
        if size.is_none() {
            findings.fault(&entry.origin, format!("{key}={} is no size such as 64K or 1G", entry.value));
        }
        Some((entry, size?))
    }

    /// Translates `yes` and `no` as they are.
    pub(super) fn set_flag(
        &mut self,
        key: &'static str,
        native: &str,
        table: &mut Table,
        findings: &mut Findings,
    ) {
        if let Some((entry, flag)) = self.flag(key, findings) {
            table.set(native, flag, &entry.origin);
        }
    }

    /// Translates a text as it is.
    pub(super) fn set_text(
        &mut self,
        key: &'static str,
        native: &str,
        table: &mut Table,
        findings: &mut Findings,
    ) {
        if let Some((entry, text)) = self.fixed(key, findings) {
            table.set(native, text, &entry.origin);
        }
    }

    /// Translates a time span as it is.
    pub(super) fn set_span(
        &mut self,
        key: &'static str,
        native: &str,
        table: &mut Table,
        findings: &mut Findings,
    ) {
        if let Some((entry, seconds)) = self.span(key, findings) {
            table.set(native, duration(seconds), &entry.origin);
        }
    }

    /// Translates a whole number as it is.
    pub(super) fn set_integer(
        &mut self,
        key: &'static str,
        native: &str,
        table: &mut Table,
        findings: &mut Findings,
    ) {
        if let Some((entry, number)) = self.integer(key, findings) {
            table.set(native, number, &entry.origin);
        }
    }

    pub(super) fn unneeded(&mut self, keys: &[&'static str], because: &str, findings: &mut Findings) {
        for key in keys {
            for entry in self.all(key) {
                findings.unneeded(&entry.origin, key, because);
            }
        }
    }

    pub(super) fn unsupported(&mut self, keys: &[&'static str], text: &str, findings: &mut Findings) {
        for key in keys {
            for entry in self.all(key) {
                findings.unsupported(&entry.origin, key, text);
            }
        }
    }

    /// Notes what nobody read.
    pub(super) fn rest(&self, findings: &mut Findings) {
        let unread =
            |entry: &&Entry| entry.section == self.section && !self.used.contains(entry.key.as_str());
        for entry in self.unit.entries.iter().filter(unread) {
            let text = format!("[{}] {}= has no counterpart", self.section, entry.key);
            findings.unsupported(&entry.origin, &entry.key, text);
        }
    }
}
