//! `$(circus.NAME)`, `((circus.NAME))` and `$NAME` in values, in the two forms we need them: as the native
//! language's own variables and placeholders, and as plain text for numbers and addresses.

use std::collections::BTreeMap;

use crate::foreign::draft::literal;

/// How deep variables may lead to variables; Circus has no cycles because it expands once.
const DEPTH_MAX: u32 = 8;

/// What variables stand for in one place of the file.
#[derive(Debug, Clone)]
pub(super) struct Variables<'a> {
    /// Variables of `[env]` and the fitting `[env:…]`, unexpanded.
    pub(super) local: BTreeMap<String, String>,
    /// The environment of the import.
    pub(super) outer: &'a BTreeMap<String, String>,
    /// Native names of the sockets, by their names in lower case.
    pub(super) sockets: &'a BTreeMap<String, String>,
    /// Other options of the watcher, for `$(circus.working_dir)` and its like.
    pub(super) options: BTreeMap<String, String>,
}

/// A piece of a value.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'t> {
    Text(&'t str),
    /// A name after `circus.`, and the text it was found in.
    Variable(&'t str, &'t str),
    /// `$WID`, deprecated in Circus.
    Slot,
}

/// Text in the native language, and which variables nobody knows.
#[derive(Debug, Default)]
pub(super) struct Native {
    pub(super) text: String,
    pub(super) unknown: Vec<String>,
    /// Native names of the sockets it mentions, in order.
    pub(super) sockets: Vec<String>,
}

impl Variables<'_> {
    /// `value` for a string of the native file.
    pub(super) fn native(&self, value: &str) -> Native {
        let mut native = Native::default();
        self.write_native(value, false, DEPTH_MAX, &mut native);
        native
    }

    /// An environment variable's value for the native file; `$NAME` comes from the environment.
    pub(super) fn native_environment(&self, value: &str) -> Native {
        let mut native = Native::default();
        self.write_native(value, true, DEPTH_MAX, &mut native);
        native
    }

    fn write_native(&self, value: &str, environment: bool, depth: u32, native: &mut Native) {
        for piece in pieces(value) {
            match piece {
                Piece::Text(text) if environment => native.text.push_str(&dollar_names(text)),
                Piece::Text(text) => native.text.push_str(&literal(text)),
                Piece::Slot => native.text.push_str("$(circus.wid)"),
                Piece::Variable(name, found) => {
                    self.write_variable(&name.to_lowercase(), found, depth, native);
                }
            }
        }
    }

    fn write_variable(&self, name: &str, found: &str, depth: u32, native: &mut Native) {
        if matches!(name, "wid" | "numprocesses") {
            native.text.push_str(&format!("$(circus.{name})"));
        } else if let Some(socket) = name.strip_prefix("sockets.").and_then(|socket| self.sockets.get(socket))
        {
            native.text.push_str(&format!("$(circus.sockets.{socket})"));
            native.sockets.push(socket.clone());
        } else if let (Some((_, value)), true) = (self.local_value(name), depth > 0) {
            self.write_native(value, true, depth - 1, native);
        } else if let Some((key, _)) = self.outer_value(name) {
            native.text.push_str(&format!("${{{key}}}"));
        } else if let (Some(value), true) = (self.options.get(name), depth > 0) {
            self.write_native(value, false, depth - 1, native);
        } else {
            native.text.push_str(&literal(found));
            native.unknown.push(found.to_owned());
        }
    }

    /// `value` with the variables of the environment replaced, for what must be a number or an address now.
    pub(super) fn plain(&self, value: &str) -> String {
        self.plain_within(value, DEPTH_MAX)
    }

    fn plain_within(&self, value: &str, depth: u32) -> String {
        let mut text = String::new();
        for piece in pieces(value) {
            match piece {
                Piece::Text(own) => text.push_str(own),
                Piece::Slot => text.push_str("$WID"),
                Piece::Variable(name, found) => {
                    let name = name.to_lowercase();
                    match (self.local_value(&name), self.outer_value(&name)) {
                        (Some((_, value)), _) if depth > 0 => {
                            text.push_str(&self.plain_within(value, depth - 1));
                        }
                        (_, Some((_, value))) => text.push_str(value),
                        _ => text.push_str(found),
                    }
                }
            }
        }
        text
    }

    /// The environment variable that `value` wants and nobody has set, as it is written there.
    pub(super) fn unset(&self, value: &str) -> Option<String> {
        unset_in(&self.plain(value))
    }

    fn local_value(&self, name: &str) -> Option<(&String, &String)> {
        by_lower_case(&self.local, name.strip_prefix("env.")?)
    }

    fn outer_value(&self, name: &str) -> Option<(&String, &String)> {
        by_lower_case(self.outer, name.strip_prefix("env.")?)
    }
}

/// The first `$(circus.env.NAME)` of a text in which those that are set have been replaced.
pub(super) fn unset_in(text: &str) -> Option<String> {
    pieces(text).into_iter().find_map(|piece| match piece {
        Piece::Variable(name, _) => {
            let (scope, variable) = name.split_once('.')?;
            scope.eq_ignore_ascii_case("env").then(|| variable.to_owned())
        }
        Piece::Text(_) | Piece::Slot => None,
    })
}

/// Circus lowers the names on both sides, so that `$(circus.env.home)` is HOME.
fn by_lower_case<'m>(map: &'m BTreeMap<String, String>, name: &str) -> Option<(&'m String, &'m String)> {
    map.iter().find(|(key, _)| key.to_lowercase() == name)
}

fn pieces(value: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut text_from, mut at) = (0, 0);
    while at < value.len() {
        let found = if value.is_char_boundary(at) { variable(&value[at..]) } else { None };
        let Some((piece, width)) = found else {
            at += 1;
            continue;
        };
        if text_from < at {
            pieces.push(Piece::Text(&value[text_from..at]));
        }
        pieces.push(piece);
        at += width;
        text_from = at;
    }
    if text_from < value.len() {
        pieces.push(Piece::Text(&value[text_from..]));
    }
    pieces
}

/// The variable `rest` begins with, and its width in bytes. `${circus.…}` is a slip of Circus's own manual.
fn variable(rest: &str) -> Option<(Piece<'_>, usize)> {
    if rest.starts_with("$WID") {
        return Some((Piece::Slot, 4));
    }
    for (open, close) in [("$(circus.", ")"), ("((circus.", "))"), ("${circus.", "}")] {
        if !rest.get(..open.len()).is_some_and(|start| start.eq_ignore_ascii_case(open)) {
            continue;
        }
        let name_end =
            rest[open.len()..].find(|letter: char| !(letter.is_alphanumeric() || "_.-".contains(letter)))?;
        let end = open.len() + name_end;
        if name_end > 0 && rest[end..].starts_with(close) {
            let width = end + close.len();
            return Some((Piece::Variable(&rest[open.len()..end], &rest[..width]), width));
        }
    }
    None
}

/// `$NAME` (capitals, digits, `_`) becomes the native `${NAME:-}`; other text stays as it is.
fn dollar_names(text: &str) -> String {
    let mut native = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let after = &rest[at + 1..];
        let is_part = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
        let end = after.find(|letter| !is_part(letter)).unwrap_or(after.len());
        native.push_str(&literal(&rest[..at]));
        if after.starts_with(|letter: char| letter.is_ascii_uppercase()) {
            native.push_str(&format!("${{{}:-}}", &after[..end]));
            rest = &after[end..];
        } else {
            native.push_str(&literal("$"));
            rest = after;
        }
    }
    native.push_str(&literal(rest));
    native
}
