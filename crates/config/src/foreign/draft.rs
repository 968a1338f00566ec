//! The native text an importer writes, each line of it knowing the foreign line it comes from.
//!
//! Importers speak the language of `remuda.toml` and nothing else, so a foreign file passes the same checks as a
//! native one, and what `remuda import` prints is what `remuda up` would have run.

use toml::Value;

use super::finding::Origin;
use crate::{interpolate, substitute};

/// A native file under construction; tables keep the order in which they were begun.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    tables: Vec<Table>,
}

/// One `[table]`.
#[derive(Debug)]
pub(crate) struct Table {
    header: Vec<String>,
    origin: Origin,
    entries: Vec<(String, Value, Origin)>,
}

impl Table {
    pub(crate) fn new(header: &[&str], origin: &Origin) -> Self {
        let header = header.iter().map(|part| (*part).to_owned()).collect();
        Self { header, origin: origin.clone(), entries: Vec::new() }
    }

    /// Sets `key`, in place of an earlier value.
    pub(crate) fn set(&mut self, key: &str, value: impl Into<Value>, origin: &Origin) {
        let (value, origin) = (value.into(), origin.clone());
        match self.entries.iter_mut().find(|(known, ..)| known == key) {
            Some(entry) => (entry.1, entry.2) = (value, origin),
            None => self.entries.push((key.to_owned(), value, origin)),
        }
    }

    /// Sets `part` inside the inline table `key`.
    pub(crate) fn set_part(&mut self, key: &str, part: &str, value: impl Into<Value>, origin: &Origin) {
        let mut table = self.get(key).and_then(Value::as_table).cloned().unwrap_or_default();
        table.insert(part.to_owned(), value.into());
        self.set(key, table, origin);
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.entries.iter().find(|(known, ..)| known == key).map(|(_, value, _)| value)
    }

    /// Sets all that `other` has set.
    pub(crate) fn extend(&mut self, other: &Self) {
        for (key, value, origin) in &other.entries {
            self.set(key, value.clone(), origin);
        }
    }

    /// Drops all that `wanted` refuses.
    pub(crate) fn keep(&mut self, wanted: impl Fn(&str) -> bool) {
        self.entries.retain(|(key, ..)| wanted(key));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Draft {
    pub(crate) fn push(&mut self, table: Table) {
        self.tables.push(table);
    }

    /// Adds `table` unless nothing was set in it.
    pub(crate) fn push_if_set(&mut self, table: Table) {
        if !table.is_empty() {
            self.push(table);
        }
    }

    pub(crate) fn table_mut(&mut self, header: &[&str]) -> Option<&mut Table> {
        self.tables.iter_mut().find(|table| table.header == header)
    }

    /// The text, and for each of its lines where it comes from.
    pub(crate) fn render(&self) -> (String, Vec<Option<Origin>>) {
        let mut text = String::new();
        let mut origins = Vec::new();
        let mut add = |line: String, origin: Option<&Origin>| {
            origins.extend(std::iter::repeat_n(origin.cloned(), line.matches('\n').count()));
            text.push_str(&line);
        };
        for (index, table) in self.tables.iter().enumerate() {
            if index > 0 {
                add("\n".into(), None);
            }
            let header: Vec<_> = table.header.iter().map(|part| key(part)).collect();
            add(format!("[{}]\n", header.join(".")), Some(&table.origin));
            for (name, value, origin) in &table.entries {
                add(format!("{} = {value}\n", key(name)), Some(origin));
            }
        }
        (text, origins)
    }
}

fn key(name: &str) -> String {
    let bare =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if bare { name.to_owned() } else { basic(name) }
}

/// A basic string on one line: keys cannot span lines as values can.
fn basic(name: &str) -> String {
    let mut quoted = String::from("\"");
    for character in name.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(control))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// `text` as a native string that means exactly these characters: no variable and no placeholder in it.
/// A `$` at the end is doubled, because what is put behind it could begin with a brace.
pub(crate) fn literal(text: &str) -> String {
    let mut escaped = interpolate::escape(&substitute::escape(text)).into_owned();
    if text.ends_with('$') {
        escaped.push('$');
    }
    escaped
}

/// A native duration.
pub(crate) fn duration(seconds: f64) -> String {
    let millis = (seconds.max(0.0) * 1000.0).round();
    if millis % 1000.0 == 0.0 { format!("{}s", millis / 1000.0) } else { format!("{millis}ms") }
}
