//! `circus.ini`, read as Circus 0.19 reads it.
//!
//! A first pass gathers the sections of the file and its includes, a second one gives names to sockets and
//! watchers, a third one translates. Every setting is read by exactly one function, or told as not read.

mod arbiter;
mod ini;
mod options;
mod socket;
mod variables;
mod watcher;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use super::draft::{Draft, Table};
use super::finding::{Findings, Origin};
use super::naming::Naming;
use super::pattern;
use ini::{Ini, Section, Setting};
use options::Options;
use variables::Variables;

/// What sections need to know of each other.
struct Scope<'a> {
    ini: &'a Ini,
    outer: &'a BTreeMap<String, String>,
    /// Native socket names, by lower-cased names.
    sockets: BTreeMap<String, String>,
    /// The arbiter's `umask`, which processes inherit.
    umask: Option<(Origin, String)>,
}

/// Translates the file at `path`; includes are read from the file system. Gives the files it was made of.
pub(super) fn translate(
    path: &Path,
    text: &str,
    outer: &BTreeMap<String, String>,
    draft: &mut Draft,
    findings: &mut Findings,
) -> Vec<PathBuf> {
    let mut ini = Ini::default();
    ini.read(path, text, findings);
    let mut sources = vec![path.to_path_buf()];
    sources.extend(include(path, &mut ini, outer, findings));
    let mut scope = Scope { ini: &ini, outer, sockets: BTreeMap::new(), umask: None };
    let sockets = name_sections(&ini, "socket:", true, findings);
    scope.sockets =
        sockets.iter().map(|(section, name)| (bare(section).to_lowercase(), name.clone())).collect();
    if let Some(section) = ini.section("circus") {
        let mut table = Table::new(&["remuda"], &section.origin);
        let umask = arbiter::translate(&mut scope.options(section), &mut table, findings);
        scope.umask = umask;
        draft.push_if_set(table);
    }
    for (section, name) in sockets {
        let table = socket::translate(&mut scope.options(section), &name, findings);
        draft.push(table);
    }
    for (section, name) in name_sections(&ini, "watcher:", false, findings) {
        watcher::translate(&mut scope.options(section), &name, &scope, draft, findings);
    }
    others(&ini, findings);
    sources
}

fn others(ini: &Ini, findings: &mut Findings) {
    let known = |name: &str| {
        ["circus", "env"].contains(&name)
            || ["env:", "socket:", "watcher:", "plugin:"].iter().any(|kind| name.starts_with(kind))
    };
    for section in &ini.sections {
        if section.name.starts_with("plugin:") {
            arbiter::plugin(section, findings);
        } else if !known(&section.name) {
            let name = format!("[{}]", section.name);
            findings.unsupported(
                &section.origin,
                &name,
                "Circus knows no such section, and neither does Remuda",
            );
        }
    }
}

/// The part of a section's name behind its kind.
fn bare(section: &Section) -> &str {
    section.name.split_once(':').map_or("", |(_, name)| name)
}

/// Sections of one kind that are not empty, sorted by name as Circus does, with native names.
fn name_sections<'a>(
    ini: &'a Ini,
    kind: &str,
    lower: bool,
    findings: &mut Findings,
) -> Vec<(&'a Section, String)> {
    let mut naming = Naming::default();
    let mut seen: BTreeMap<String, &Section> = BTreeMap::new();
    for section in ini.sections.iter().filter(|section| section.name.starts_with(kind)) {
        if section.settings.is_empty() {
            findings.warn(
                &section.origin,
                &format!("[{}]", section.name),
                "an empty section, which Circus skips",
            );
            continue;
        }
        match seen.entry(bare(section).to_lowercase()) {
            Entry::Vacant(place) => _ = place.insert(section),
            Entry::Occupied(first) => {
                let first = &first.get().origin;
                let text = format!("[{}] is there already, at {first}: case does not count", section.name);
                findings.fault(&section.origin, text);
            }
        }
    }
    let mut named = Vec::new();
    for section in seen.into_values() {
        let foreign = if lower { bare(section).to_lowercase() } else { bare(section).to_owned() };
        let name = naming.take(&foreign);
        if name != foreign {
            let text = format!("is called {name} here: names have letters, digits, '-', '_' and '@'");
            findings.differs(&section.origin, &format!("[{}]", section.name), text);
        }
        named.push((section, name));
    }
    named
}

/// Reads what `include` and `include_dir` of `[circus]` name; gives the files.
fn include(
    path: &Path,
    ini: &mut Ini,
    outer: &BTreeMap<String, String>,
    findings: &mut Findings,
) -> Vec<PathBuf> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut wanted: Vec<(String, Origin, &str)> = Vec::new();
    let variables =
        Variables { local: BTreeMap::new(), outer, sockets: &BTreeMap::new(), options: BTreeMap::new() };
    for (key, tail) in [("include", ""), ("include_dir", "/*.ini")] {
        let Some(setting) = ini.section("circus").and_then(|section| section.get(key)) else { continue };
        let globs = variables.plain(&setting.value);
        wanted.extend(
            globs.split_whitespace().map(|glob| (format!("{glob}{tail}"), setting.origin.clone(), key)),
        );
    }
    let mut read = Vec::new();
    for (glob, origin, key) in wanted {
        let found = pattern::expand(&folder.join(&glob));
        if found.is_empty() {
            findings.warn(&origin, key, format!("{glob} leads to no file"));
        }
        for file in found {
            match crate::read_file(&file) {
                Ok(text) => {
                    ini.read(&file, &text, findings);
                    read.push(file);
                }
                Err(why) => findings.fault(&origin, format!("cannot read {}: {why}", file.display())),
            }
        }
    }
    read
}

impl<'a> Scope<'a> {
    fn options<'s>(&'s self, section: &'s Section) -> Options<'s> {
        let local =
            self.environment(section).into_iter().map(|it| (it.key.clone(), it.value.clone())).collect();
        let own = ["cmd", "args", "env"];
        let of_watcher = section.name.starts_with("watcher:");
        let fitting = section.settings.iter().filter(|it| of_watcher && !own.contains(&it.key.as_str()));
        let options = fitting.map(|it| (it.key.to_lowercase(), it.value.clone())).collect();
        Options::new(section, Variables { local, outer: self.outer, sockets: &self.sockets, options })
    }

    /// The settings of `[env]`, and for a watcher those of the fitting `[env:…]`; later ones win.
    fn environment(&self, section: &Section) -> Vec<&'a Setting> {
        let watcher = section.name.strip_prefix("watcher:");
        let mut found: Vec<&Setting> = Vec::new();
        let global = self.ini.sections.iter().filter(|section| section.name == "env");
        let special = self.ini.sections.iter().filter(|section| {
            let patterns = section.name.strip_prefix("env:");
            patterns.zip(watcher).is_some_and(|(patterns, watcher)| {
                patterns.split(',').any(|pattern| pattern::matches(pattern.trim(), watcher))
            })
        });
        for setting in global.chain(special).flat_map(|section| &section.settings) {
            found.retain(|earlier| earlier.key != setting.key);
            found.push(setting);
        }
        found
    }
}
