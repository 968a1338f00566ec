//! `${NAME}` and `${NAME:-default}`, filled in when a config is read.
//!
//! What is filled in when a worker is spawned (see [`crate::substitute`]) passes through untouched, escaped or not:
//! `$(…)`, `${circus.…}`, `$$(…)`. Everywhere else `$$` is one `$`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::substitute::ESCAPED;

/// Variables by name.
pub(crate) type Variables = BTreeMap<String, String>;

/// What became of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Interpolated<'a> {
    pub(crate) text: Cow<'a, str>,
    /// A variable was filled in.
    pub(crate) expanded: bool,
}

/// Why a text cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InterpolateError {
    #[error("the variable {name} is not set, and {text} has no default")]
    Unset { name: String, text: String },
    #[error("{text} is not a variable: a name consists of letters, digits and '_'")]
    Name { text: String },
    #[error("{text} lacks its closing brace")]
    Unclosed { text: String },
}

impl InterpolateError {
    /// The part of the text that is wrong, as it is written.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Unset { text, .. } | Self::Name { text } | Self::Unclosed { text } => text,
        }
    }

    /// What to do.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Unset { name, .. } => format!("set it, or write ${{{name}:-default}}"),
            Self::Name { .. } | Self::Unclosed { .. } => "write $$ for a plain $".into(),
        }
    }
}

/// Fills in `variables`.
pub(crate) fn interpolate<'a>(
    text: &'a str,
    variables: &Variables,
) -> Result<Interpolated<'a>, InterpolateError> {
    if !text.contains('$') {
        return Ok(Interpolated { text: Cow::Borrowed(text), expanded: false });
    }
    let mut output = String::with_capacity(text.len());
    let mut expanded = false;
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        output.push_str(&rest[..dollar]);
        rest = &rest[dollar..];
        if let Some(after) = rest.strip_prefix("$$") {
            match ESCAPED.iter().find(|opener| after.starts_with(**opener)) {
                Some(opener) => {
                    output.push_str("$$");
                    output.push_str(opener);
                    rest = &after[opener.len()..];
                }
                None => {
                    output.push('$');
                    rest = after;
                }
            }
        } else if rest.starts_with("${") && !rest.starts_with("${circus.") {
            let end = rest.find('}').ok_or_else(|| InterpolateError::Unclosed { text: rest.to_owned() })?;
            output.push_str(value(&rest[..=end], variables)?);
            expanded = true;
            rest = &rest[end + 1..];
        } else {
            output.push('$');
            rest = &rest[1..];
        }
    }
    output.push_str(rest);
    Ok(Interpolated { text: Cow::Owned(output), expanded })
}

fn value<'a>(text: &'a str, variables: &'a Variables) -> Result<&'a str, InterpolateError> {
    let inner = &text[2..text.len() - 1];
    let (name, default) = match inner.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inner, None),
    };
    if !is_variable_name(name) {
        return Err(InterpolateError::Name { text: text.into() });
    }
    // As in a shell, `:-` also stands in for a variable that is set but empty.
    let set = variables.get(name).map(String::as_str).filter(|value| default.is_none() || !value.is_empty());
    set.or(default).ok_or_else(|| InterpolateError::Unset { name: name.into(), text: text.into() })
}

/// Letters, digits and `_`, not a digit first.
pub(crate) fn is_variable_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The text that [`interpolate`] turns into `text`, whatever the variables are.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains('$') {
        return Cow::Borrowed(text);
    }
    let mut output = String::with_capacity(text.len() + 4);
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        output.push_str(&rest[..dollar]);
        rest = &rest[dollar..];
        let kept = rest
            .strip_prefix("$$")
            .and_then(|after| ESCAPED.iter().find(|opener| after.starts_with(**opener)));
        if let Some(opener) = kept {
            let (verbatim, after) = rest.split_at("$$".len() + opener.len());
            output.push_str(verbatim);
            rest = after;
            continue;
        }
        let ambiguous = rest[1..].starts_with(['$', '{']) && !rest.starts_with("${circus.");
        output.push_str(if ambiguous { "$$" } else { "$" });
        rest = &rest[1..];
    }
    output.push_str(rest);
    Cow::Owned(output)
}
