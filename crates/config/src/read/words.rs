//! Messages of the parser, in the words of the config.

use crate::raw::Span;
use crate::report::Problem;

/// What the deserializer calls what it expects, and what users call it.
const EXPECTED: [(&str, &str); 6] = [
    ("u32", "a whole number from 0 to 4294967295"),
    ("u64", "a whole number from 0 up"),
    ("i32", "a whole number from -2147483648 to 2147483647"),
    ("f64", "a number"),
    ("a sequence", "a list"),
    ("a boolean", "true or false"),
];

/// What it calls what it found, and what users call it.
const FOUND: [(&str, &str); 6] = [
    ("string ", "the text "),
    ("integer ", "the number "),
    ("floating point ", "the number "),
    ("boolean ", ""),
    ("sequence", "a list"),
    ("map", "a table"),
];

/// What is wrong with a number of more than 64 bits.
const BEYOND: &str = "beyond the numbers of a config, -9223372036854775808 to 9223372036854775807";

/// An error of the deserializer.
pub(super) fn plain(message: &str) -> String {
    let message = message.trim();
    if message == "integer number overflowed" {
        return format!("this number is {BEYOND}");
    }
    if let Some((found, known)) =
        message.strip_prefix("unknown variant ").and_then(|rest| rest.split_once(", expected "))
    {
        let known = known.trim_start_matches("one of ").replace('`', "\"");
        return format!("{} is not known here; write {known}", found.replace('`', "\""));
    }
    let mismatch = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    let Some((found, expected)) = mismatch.and_then(|rest| rest.rsplit_once(", expected ")) else {
        return message.to_owned();
    };
    let expected = EXPECTED.iter().find(|(theirs, _)| *theirs == expected).map_or(expected, |(_, ours)| ours);
    // What one of our tables is called in the code is nothing to whoever writes one.
    let expected = if expected.starts_with("struct ") { "a table" } else { expected };
    let ours = FOUND.iter().find_map(|(theirs, ours)| Some(format!("{ours}{}", found.strip_prefix(theirs)?)));
    let found = ours.unwrap_or_else(|| found.to_owned()).replace('`', "");
    // Numbers of another width come with the name of their type.
    match found.strip_suffix(" as i128").or_else(|| found.strip_suffix(" as u128")) {
        Some(number) => format!("this must be {expected}, not {number}, which is {BEYOND}"),
        None => format!("this must be {expected}, not {found}"),
    }
}

/// The errors of the parser.
pub(super) fn syntax(errors: &[toml::de::Error], text: &str) -> Vec<Problem> {
    // A table that is written twice brings forth an error for each key that is in both.
    let mut told = 0..0;
    let mut problems = Vec::new();
    for error in errors {
        let twice = error.message().starts_with("duplicate key");
        match error.span() {
            Some(span) if twice && told.contains(&span.start) => {}
            Some(span) if twice => {
                if let Some(header) = header_at(text, span.start) {
                    told = header.start
                        ..text[header.end..].find("\n[").map_or(text.len(), |end| header.end + end);
                }
                problems.push(duplicate(text, span));
            }
            _ => problems.push(invalid(error)),
        }
    }
    problems
}

fn invalid(error: &toml::de::Error) -> Problem {
    let problem = Problem::error(error.span(), format!("this is not valid TOML: {}", error.message()));
    let quotable = error.message().contains("string") || error.message().contains("quote");
    if quotable { problem.hint("texts stand in quotes: key = \"value\"") } else { problem }
}

fn duplicate(text: &str, span: Span) -> Problem {
    let Some(header) = header_at(text, span.start) else {
        let written = text.get(span.clone()).unwrap_or("");
        return Problem::error(Some(span), format!("`{}` is defined twice", written.trim()));
    };
    let line = &text[header.clone()];
    let first =
        text[..header.start].match_indices(line).find(|(at, _)| text[..*at].ends_with('\n') || *at == 0);
    let first = first.map(|(at, _)| at..at + line.len());
    let problem = Problem::error(Some(header), format!("{line} is defined twice"));
    problem.related(first, "first here").hint("a table is written once: merge the two, or rename one")
}

/// The `[table]` on the line of a position, if there is one.
fn header_at(text: &str, position: usize) -> Option<Span> {
    let start = text.get(..position)?.rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[start..].lines().next()?;
    let end = line.find(']')?;
    line.starts_with('[').then_some(start..start + end + 1)
}
