//! Keys that nobody declared.

use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Reading, numbered, section};
use crate::nearest::{begins, nearest};
use crate::report::Problem;
use crate::schema::Node;

/// Reports all unknown keys of `table`, and removes them.
pub(super) fn cut(table: &mut DeTable<'_>, reading: &mut Reading) {
    Walk { reading, path: Vec::new() }.table(table, &Node::root().shapes());
}

struct Walk<'a> {
    reading: &'a mut Reading,
    path: Vec<String>,
}

impl Walk<'_> {
    fn table(&mut self, table: &mut DeTable<'_>, shapes: &[Node]) {
        if let Some(values) = shapes.iter().find_map(|shape| shape.values()) {
            for (name, value) in table.iter_mut() {
                self.descend(name.get_ref(), value, values);
            }
            return;
        }
        let known: Vec<_> = shapes.iter().filter_map(|shape| shape.keys()).flatten().collect();
        // Without a shape that is a table, the table itself is the mistake, and told as such later.
        if known.is_empty() {
            return;
        }
        let beside: Vec<String> = table.keys().map(|name| name.get_ref().to_string()).collect();
        let mut unknown = Vec::new();
        for (name, value) in table.iter_mut() {
            match known.iter().find(|(key, _)| *key == name.get_ref()) {
                Some((_, node)) => self.descend(name.get_ref(), value, *node),
                None => unknown.push(name.clone()),
            }
        }
        for name in unknown {
            self.refuse(&name, &known, &beside);
            table.remove(name.get_ref().as_ref());
        }
    }

    fn descend(&mut self, name: &str, value: &mut Spanned<DeValue<'_>>, node: Node) {
        self.path.push(name.to_owned());
        match value.get_mut() {
            DeValue::Table(table) => self.table(table, &node.shapes()),
            DeValue::Array(items) => {
                let shapes: Vec<_> = node.shapes().iter().filter_map(|shape| shape.items()).collect();
                for (index, item) in items.iter_mut().enumerate() {
                    if let (DeValue::Table(table), Some(node)) = (item.get_mut(), shapes.first()) {
                        self.path.push(numbered(index));
                        self.table(table, &node.shapes());
                        self.path.pop();
                    }
                }
            }
            _ => {}
        }
        self.path.pop();
    }

    fn refuse(
        &mut self,
        name: &Spanned<std::borrow::Cow<'_, str>>,
        known: &[(&'static str, Node)],
        beside: &[String],
    ) {
        let names: Vec<_> =
            self.path.iter().filter(|name| !name.starts_with('#')).map(String::as_str).collect();
        let is_item = matches!(self.path.as_slice(), [_, number] if number.starts_with('#'));
        let place = match names.as_slice() {
            [] => "a config file".to_owned(),
            path if is_item => format!("[[{}]]", path.join(".")),
            path => format!("[{}]", path.join(".")),
        };
        let key = name.get_ref();
        let problem = Problem::error(Some(name.span()), format!("{place} has no key `{key}`"));
        self.reading.problems.push(match within(key, known, beside) {
            Some((table, inner)) if !names.is_empty() => {
                problem.hint(format!("`{inner}` stands inside `{table}`: {table} = {{ …, {inner} = … }}"))
            }
            _ => problem.nearest(nearest(key, known.iter().map(|(key, _)| *key))),
        });
        let mut path = self.path.clone();
        path.push(key.to_string());
        self.reading.cut.extend(section(&path));
    }
}

/// The table among the keys `beside` an unknown one in which that is known, or begins a key that is.
fn within(
    unknown: &str,
    known: &[(&'static str, Node)],
    beside: &[String],
) -> Option<(&'static str, &'static str)> {
    let written = known.iter().filter(|(key, _)| beside.iter().any(|name| name == key));
    let tables = written.filter_map(|(key, node)| Some((*key, node.table()?.keys()?)));
    let all: Vec<_> =
        tables.flat_map(|(table, keys)| keys.into_iter().map(move |(key, _)| (table, key))).collect();
    let exact = all.iter().find(|(_, key)| *key == unknown);
    let begun = || all.iter().find(|(_, key)| begins(unknown, key));
    exact.or_else(begun).copied()
}
