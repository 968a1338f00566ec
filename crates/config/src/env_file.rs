//! Files of `KEY=value` lines.
//!
//! `export` before a key is allowed; `#` begins a comment at the beginning of a line or after a blank; single
//! quotes keep everything, double quotes know `\n` `\t` `\r` `\"` `\\` `\$`; quoted values may span lines. Nothing
//! is expanded.

use std::ops::Range;

use crate::interpolate::is_variable_name;

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvFileError {
    /// There is no `=`.
    #[error("{text:?} is not a variable: write KEY=value")]
    Form {
        /// Bytes of the text.
        range: Range<usize>,
        /// As written.
        text: String,
    },
    /// What stands before the `=` is no name.
    #[error(
        "{name:?} is not the name of a variable: it consists of letters, digits and '_', and does not begin with a digit"
    )]
    Name {
        /// Bytes of the text.
        range: Range<usize>,
        /// As written.
        name: String,
    },
    /// A quote is not closed.
    #[error("the quote that begins here is not closed")]
    Quote {
        /// Bytes of the text.
        range: Range<usize>,
    },
    /// Something follows a closing quote.
    #[error("{text:?} follows the closing quote")]
    Trailing {
        /// Bytes of the text.
        range: Range<usize>,
        /// As written.
        text: String,
    },
    /// A NUL byte cannot be part of a variable.
    #[error("a variable cannot contain a NUL byte")]
    Nul {
        /// Bytes of the text.
        range: Range<usize>,
    },
}

impl EnvFileError {
    /// Where in the text it is.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        match self {
            Self::Form { range, .. }
            | Self::Name { range, .. }
            | Self::Quote { range }
            | Self::Trailing { range, .. }
            | Self::Nul { range } => range.clone(),
        }
    }
}

/// The variables of `text` in their order, and all lines that cannot be read.
#[must_use]
pub fn parse(text: &str) -> (Vec<(String, String)>, Vec<EnvFileError>) {
    let mut variables = Vec::new();
    let mut errors = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let line_end = text[at..].find('\n').map_or(text.len(), |end| at + end);
        let line = &text[at..line_end];
        let start = at + (line.len() - line.trim_start().len());
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            at = line_end + 1;
            continue;
        }
        match assignment(text, start, line_end) {
            Ok((variable, end)) => {
                variables.push(variable);
                at = end + 1;
            }
            Err(why) => {
                errors.push(why);
                at = line_end + 1;
            }
        }
    }
    (variables, errors)
}

/// The variable that begins at `start`, and where its last line ends.
fn assignment(text: &str, start: usize, line_end: usize) -> Result<((String, String), usize), EnvFileError> {
    let line = &text[start..line_end];
    let key_start = match line.strip_prefix("export") {
        Some(rest) if rest.starts_with([' ', '\t']) => start + line.len() - rest.trim_start().len(),
        _ => start,
    };
    let form = || EnvFileError::Form {
        range: start..start + line.trim_end().len(),
        text: line.trim_end().to_owned(),
    };
    let equals = key_start + text[key_start..line_end].find('=').ok_or_else(form)?;
    let key = text[key_start..equals].trim_end();
    if !is_variable_name(key) {
        return Err(EnvFileError::Name { range: key_start..key_start + key.len(), name: key.to_owned() });
    }
    let after = &text[equals + 1..line_end];
    let value_start = equals + 1 + (after.len() - after.trim_start().len());
    let (value, end) = match text[value_start..line_end].chars().next() {
        Some(quote @ ('"' | '\'')) => quoted(text, value_start, quote)?,
        _ => (unquoted(&text[value_start.min(line_end)..line_end]).to_owned(), line_end),
    };
    if value.contains('\0') {
        return Err(EnvFileError::Nul { range: value_start..end });
    }
    Ok(((key.to_owned(), value), end))
}

fn unquoted(text: &str) -> &str {
    if text.starts_with('#') {
        return "";
    }
    let comment = text.match_indices('#').find(|(at, _)| text[..*at].ends_with([' ', '\t']));
    comment.map_or(text, |(at, _)| &text[..at]).trim()
}

fn quoted(text: &str, start: usize, quote: char) -> Result<(String, usize), EnvFileError> {
    let mut value = String::new();
    let mut characters = text[start + 1..].char_indices();
    while let Some((offset, character)) = characters.next() {
        if character == quote {
            let close = start + 1 + offset + 1;
            let end = text[close..].find('\n').map_or(text.len(), |end| close + end);
            let rest = text[close..end].trim();
            if rest.is_empty() || rest.starts_with('#') {
                return Ok((value, end));
            }
            return Err(EnvFileError::Trailing { range: close..end, text: rest.to_owned() });
        }
        if character != '\\' || quote == '\'' {
            value.push(character);
            continue;
        }
        match characters.next() {
            Some((_, 'n')) => value.push('\n'),
            Some((_, 't')) => value.push('\t'),
            Some((_, 'r')) => value.push('\r'),
            // A backslash at the end of a line joins it with the next one.
            Some((_, '\n')) => {}
            Some((_, same @ ('"' | '\\' | '$' | '`'))) => value.push(same),
            Some((_, other)) => value.extend(['\\', other]),
            None => {}
        }
    }
    Err(EnvFileError::Quote { range: start..start + 1 })
}
