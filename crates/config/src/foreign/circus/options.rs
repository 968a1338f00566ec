//! The settings of one section, each read once; what nobody read is told.

use std::collections::BTreeSet;

use super::ini::{Section, Setting};
use super::variables::{Variables, unset_in};
use crate::foreign::finding::Findings;

/// A section being translated.
#[derive(Debug)]
pub(super) struct Options<'a> {
    pub(super) section: &'a Section,
    pub(super) variables: Variables<'a>,
    used: BTreeSet<&'a str>,
}

impl<'a> Options<'a> {
    pub(super) fn new(section: &'a Section, variables: Variables<'a>) -> Self {
        Self { section, variables, used: BTreeSet::new() }
    }

    /// The setting as written.
    pub(super) fn raw(&mut self, key: &str) -> Option<&'a Setting> {
        let setting = self.section.get(key)?;
        self.used.insert(&setting.key);
        Some(setting)
    }

    /// The setting without reading it.
    pub(super) fn peek(&self, key: &str) -> Option<&'a Setting> {
        self.section.get(key)
    }

    /// The value with variables of the environment replaced.
    pub(super) fn text(&mut self, key: &str) -> Option<(&'a Setting, String)> {
        let setting = self.raw(key)?;
        Some((setting, self.variables.plain(&setting.value)))
    }

    /// The value in the native language, unless it is empty; variables nobody knows are told.
    pub(super) fn native(&mut self, key: &str, findings: &mut Findings) -> Option<(&'a Setting, String)> {
        let setting = self.raw(key).filter(|setting| !setting.value.is_empty())?;
        let native = self.variables.native(&setting.value);
        tell_unknown(&native.unknown, setting, findings);
        Some((setting, native.text))
    }

    /// The value of a setting that is left out when it is empty.
    pub(super) fn filled(&mut self, key: &str) -> Option<(&'a Setting, String)> {
        self.text(key).filter(|(_, value)| !value.is_empty())
    }

    pub(super) fn boolean(&mut self, key: &str, findings: &mut Findings) -> Option<(&'a Setting, bool)> {
        let (setting, value) = self.text(key)?;
        match value.trim().to_lowercase().as_str() {
            "yes" | "true" | "on" | "1" => Some((setting, true)),
            "no" | "false" | "off" | "0" => Some((setting, false)),
            _ => {
                let text = format!("{key} = {value:?} is neither true nor false; write True or False");
                findings.fault(&setting.origin, unset_or(&value, key, text));
                None
            }
        }
    }

    pub(super) fn integer(&mut self, key: &str, findings: &mut Findings) -> Option<(&'a Setting, i64)> {
        let (setting, value) = self.text(key)?;
        let number = value.trim().parse();
        if number.is_err() {
            let text = format!("{key} = {value:?} is not a whole number");
            findings.fault(&setting.origin, unset_or(&value, key, text));
        }
        Some((setting, number.ok()?))
    }

    /// A number of seconds, zero or more.
    pub(super) fn seconds(&mut self, key: &str, findings: &mut Findings) -> Option<(&'a Setting, f64)> {
        let (setting, value) = self.text(key)?;
        let number = value.trim().parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
        if number.is_none() {
            let text = format!("{key} = {value:?} is not a number of seconds");
            findings.fault(&setting.origin, unset_or(&value, key, text));
        }
        Some((setting, number?))
    }

    /// Settings whose key begins with `prefix`, with the rest of their keys.
    pub(super) fn prefixed(&mut self, prefix: &str) -> Vec<(&'a Setting, &'a str)> {
        let section: &'a Section = self.section;
        let with =
            section.settings.iter().filter_map(|setting| Some((setting, setting.key.strip_prefix(prefix)?)));
        let found: Vec<_> = with.collect();
        self.used.extend(found.iter().map(|(setting, _)| setting.key.as_str()));
        found
    }

    /// Notes every setting of `keys` that is there as not needed.
    pub(super) fn unneeded(&mut self, keys: &[&str], because: &str, findings: &mut Findings) {
        for key in keys {
            if let Some(setting) = self.raw(key) {
                findings.unneeded(&setting.origin, key, because);
            }
        }
    }

    /// Notes every setting of `keys` that is there as not supported.
    pub(super) fn unsupported(&mut self, keys: &[&str], text: &str, findings: &mut Findings) {
        for key in keys {
            if let Some(setting) = self.raw(key) {
                findings.unsupported(&setting.origin, key, text);
            }
        }
    }

    /// Notes what nobody read.
    pub(super) fn rest(&mut self, findings: &mut Findings, text: &str) {
        for setting in &self.section.settings {
            if self.used.insert(&setting.key) {
                findings.unsupported(&setting.origin, &setting.key, text);
            }
        }
    }
}

/// Tells of variables that stay as they are because nobody knows them.
pub(super) fn tell_unknown(unknown: &[String], setting: &Setting, findings: &mut Findings) {
    for variable in unknown {
        let why = match unset_in(variable) {
            Some(name) => format!("the environment variable {name} is not set"),
            None => format!("nothing is known as {variable}"),
        };
        let text = format!("{why}: {variable} stays as it is written, as in Circus");
        findings.warn(&setting.origin, &setting.key, text);
    }
}

/// What is wrong with a value: a variable that is not set, or else what `text` says.
fn unset_or(value: &str, key: &str, text: String) -> String {
    unset_in(value).map_or(text, |name| missing(key, value, &name))
}

/// The fault of a value that cannot be without a variable.
pub(super) fn missing(key: &str, value: &str, name: &str) -> String {
    format!("{key} = {value}: the environment variable {name} is not set; set it, here or in [env]")
}
