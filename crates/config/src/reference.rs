//! The tables of keys of the reference page, from the schema.

use std::fmt::Write;

use crate::schema::Node;

/// More keys of one shape than this are not named in the heading of their section.
const NAMED_MAX: usize = 3;

/// All keys as Markdown: a heading and a table for each TOML table.
#[must_use]
pub fn reference() -> String {
    let mut output = String::new();
    for (key, node) in Node::root().shapes().into_iter().filter_map(Node::keys).flatten() {
        tables(&mut output, 3, &[key.to_owned()], node);
    }
    output
}

/// The tables that a key, or each of several, may be: one, one for each name, or a list of them.
fn tables(output: &mut String, level: usize, paths: &[String], node: Node) {
    let path = &paths[0];
    let heads = |open: &str, close: &str| {
        paths.iter().map(|path| format!("`{open}{path}{close}`")).collect::<Vec<_>>().join(", ")
    };
    section(output, level, path, &heads("[", "]"), node);
    for shape in node.shapes() {
        if let Some(items) = shape.items() {
            section(output, level, path, &heads("[[", "]]"), items);
        }
        if let Some(values) = shape.values() {
            section(output, level, &format!("{path}.NAME"), &heads("[", ".NAME]"), values);
        }
    }
}

fn section(output: &mut String, level: usize, path: &str, heads: &str, node: Node) {
    for (shape, keys) in node.shapes().into_iter().filter_map(|shape| Some((shape, shape.keys()?))) {
        let marks = "#".repeat(level);
        let description = one_line(shape.description().unwrap_or_default());
        // Writing to a String does not fail.
        let _ =
            write!(output, "{marks} {heads}\n\n{description}\n\n| key | value | meaning |\n|---|---|---|\n");
        for (key, value) in &keys {
            let meaning = one_line(value.description().unwrap_or_default()).replace('|', "\\|");
            let _ = writeln!(output, "| `{key}` | {} | {meaning} |", value_words(*value).join(", "));
        }
        output.push('\n');
        // Keys that are tables of one shape, as limits and hooks are, share a section.
        let mut told = Vec::new();
        for (key, value) in &keys {
            let table = value.table();
            if table.is_some() && told.contains(&table) {
                continue;
            }
            told.push(table);
            let alike =
                keys.iter().filter(|(other, node)| other == key || table.is_some() && node.table() == table);
            let mut paths: Vec<String> = alike.map(|(key, _)| format!("{path}.{key}")).collect();
            if paths.len() > NAMED_MAX {
                paths = vec![format!("{path}.KEY")];
            }
            tables(output, 4, &paths, *value);
        }
    }
}

/// What a value may be, in the words of TOML.
fn value_words(node: Node) -> Vec<String> {
    if let Some(name) = node.named() {
        return vec![name.to_owned()];
    }
    let mut words = Vec::new();
    for shape in node.shapes() {
        let choices = shape.choices();
        let found = if choices.is_empty() {
            shape.named().map_or_else(|| type_words(shape), |name| vec![name.to_owned()])
        } else {
            choices.iter().map(|choice| format!("`{choice}`")).collect()
        };
        for word in found {
            if !words.contains(&word) {
                words.push(word);
            }
        }
    }
    words
}

fn type_words(shape: Node) -> Vec<String> {
    let word = |name: &str| match name {
        "string" => "text",
        "integer" | "number" => "number",
        "boolean" => "flag",
        "array" => "list",
        _ => "table",
    };
    shape.types().into_iter().map(|name| word(name).to_owned()).collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
