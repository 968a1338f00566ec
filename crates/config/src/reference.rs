//! The tables of keys of the reference page, from the schema.

use std::fmt::Write;

use crate::schema::Node;

/// All keys as Markdown: a heading and a table for each TOML table.
#[must_use]
pub fn reference() -> String {
    let mut output = String::new();
    for (key, node) in Node::root().shapes().into_iter().filter_map(Node::keys).flatten() {
        match node.shapes().into_iter().find_map(Node::values) {
            Some(values) => section(&mut output, 3, &format!("{key}.NAME"), values),
            None => section(&mut output, 3, key, node),
        }
    }
    output
}

fn section(output: &mut String, level: usize, name: &str, node: Node) {
    for (shape, keys) in node.shapes().into_iter().filter_map(|shape| Some((shape, shape.keys()?))) {
        let marks = "#".repeat(level);
        let description = one_line(shape.description().unwrap_or_default());
        // Writing to a String does not fail.
        let _ = write!(
            output,
            "{marks} `[{name}]`\n\n{description}\n\n| key | value | meaning |\n|---|---|---|\n"
        );
        for (key, value) in &keys {
            let meaning = one_line(value.description().unwrap_or_default()).replace('|', "\\|");
            let _ = writeln!(output, "| `{key}` | {} | {meaning} |", value_words(*value).join(", "));
        }
        output.push('\n');
        // Keys that are tables of one shape, as limits and hooks are, share a section.
        let mut told = Vec::new();
        for (key, value) in &keys {
            for items in value.shapes().into_iter().filter_map(Node::items) {
                section(output, 4, &format!("[{name}.{key}]"), items);
            }
            let alike = keys.iter().filter(|(_, other)| other.table() == value.table()).count();
            if told.contains(&value.table()) {
                continue;
            }
            told.push(value.table());
            section(output, 4, &format!("{name}.{}", if alike > 1 { "KEY" } else { key }), *value);
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
