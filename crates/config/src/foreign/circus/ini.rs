//! The INI dialect of Circus: Python's old ConfigParser with case-sensitive keys, where the first value of a key wins.

use std::path::Path;

use crate::foreign::finding::{Findings, Origin};

/// A file and what it includes, as one list of sections.
#[derive(Debug, Default)]
pub(super) struct Ini {
    pub(super) sections: Vec<Section>,
}

/// `[name]`, gathered from wherever it occurs.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) origin: Origin,
    pub(super) settings: Vec<Setting>,
}

/// `key = value`; continuation lines are joined by newlines.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) origin: Origin,
}

impl Section {
    pub(super) fn get(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.key == key)
    }
}

impl Ini {
    pub(super) fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// Adds the sections of one file. What stood before wins.
    pub(super) fn read(&mut self, path: &Path, text: &str, findings: &mut Findings) {
        findings.keep(path, text);
        let mut reader = Reader { ini: self, section: None, open: false };
        for (index, line) in text.lines().enumerate() {
            reader.line(line, &Origin::new(path, index + 1), findings);
        }
    }
}

struct Reader<'a> {
    ini: &'a mut Ini,
    section: Option<usize>,
    /// Whether a continuation line belongs to the section's last setting.
    open: bool,
}

impl Reader<'_> {
    fn line(&mut self, line: &str, origin: &Origin, findings: &mut Findings) {
        if is_comment(line) {
            return;
        }
        let continues = line.starts_with(char::is_whitespace);
        if continues && self.open {
            self.continuation(line.trim());
        } else if let Some(name) = header(line) {
            self.section = Some(self.begin(name, origin));
            self.open = false;
        } else if let Some(at) = self.section {
            match line.find(['=', ':']) {
                Some(split) => self.setting(at, line[..split].trim(), &line[split + 1..], origin, findings),
                None => findings
                    .fault(origin, format!("{:?} is neither a section nor \"key = value\"", line.trim())),
            }
        } else {
            findings.fault(origin, format!("{:?} stands before the first [section]", line.trim()));
        }
    }

    fn continuation(&mut self, more: &str) {
        let last = self.section.and_then(|at| self.ini.sections[at].settings.last_mut());
        if let Some(setting) = last {
            setting.value.push('\n');
            setting.value.push_str(more);
        }
    }

    fn begin(&mut self, name: &str, origin: &Origin) -> usize {
        let known = self.ini.sections.iter().position(|section| section.name == name);
        known.unwrap_or_else(|| {
            self.ini.sections.push(Section {
                name: name.into(),
                origin: origin.clone(),
                settings: Vec::new(),
            });
            self.ini.sections.len() - 1
        })
    }

    fn setting(&mut self, section: usize, key: &str, value: &str, origin: &Origin, findings: &mut Findings) {
        let section = &mut self.ini.sections[section];
        if let Some(first) = section.get(key) {
            let text = format!("ignored, as Circus does: the value at {} came first", first.origin);
            findings.warn(origin, key, text);
            self.open = false;
            return;
        }
        let value = match value.find(';') {
            Some(at) if value[..at].ends_with(char::is_whitespace) => &value[..at],
            _ => value,
        };
        let value = if value.trim() == "\"\"" { "" } else { value.trim() };
        section.settings.push(Setting { key: key.into(), value: value.into(), origin: origin.clone() });
        self.open = true;
    }
}

fn is_comment(line: &str) -> bool {
    let first_word = line.split_whitespace().next();
    line.starts_with(['#', ';'])
        || first_word.is_none()
        || (line.starts_with(['r', 'R']) && first_word.is_some_and(|word| word.eq_ignore_ascii_case("rem")))
}

fn header(line: &str) -> Option<&str> {
    let inside = line.strip_prefix('[')?;
    inside.split_once(']').map(|(name, _)| name).filter(|name| !name.is_empty())
}
