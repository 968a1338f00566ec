//! Texts with places to fill in, as in `redirect = "308 https://{host}{uri}"`.
//!
//! They are taken apart once, when a config is read, so that a name that means nothing is an error there and filling in
//! costs no search. What a variable is filled with depends on where the text goes (in a URL the bytes stay encoded as
//! they came, in a topic or a key they are decoded), so that is not decided here.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pattern::is_name;

/// Longest template, bytes.
const TEMPLATE_BYTES_MAX: usize = 64 << 10;

/// A text in which `{name}` stands for something of the request; `{{` and `}}` are braces.
///
/// | variable | stands for |
/// |---|---|
/// | `{uri}` | path and query as they came |
/// | `{path}` | the path as it came |
/// | `{query}` | the query as it came, without `?`; nothing where there is none |
/// | `{?query}` | the same with `?` before it, where there is one |
/// | `{host}` | the host, without a port |
/// | `{authority}` | the host, with its port where it has one |
/// | `{scheme}` | `http` or `https` |
/// | `{method}` | the method |
/// | `{client}` | the client's address, without a port |
/// | `{request_id}` | the request's id |
/// | `{route}` | the name of the route |
/// | `{user}` | who showed a password or token; nothing where nobody had to |
/// | `{query.NAME}` | the first value of a query parameter, decoded |
/// | `{header.NAME}` | the value of a header |
/// | `{cookie.NAME}` | the value of a cookie |
/// | `{NAME}` | a parameter of the pattern, or one of `params` |
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Template {
    text: String,
    parts: Vec<TemplatePart>,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum TemplatePart {
    /// This text.
    Text(String),
    /// What this stands for.
    Variable(Variable),
}

/// What a variable stands for; see [`Template`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variable {
    /// `{uri}`.
    Uri,
    /// `{path}`.
    Path,
    /// `{query}`.
    Query,
    /// `{?query}`.
    MarkedQuery,
    /// `{host}`.
    Host,
    /// `{authority}`.
    Authority,
    /// `{scheme}`.
    Scheme,
    /// `{method}`.
    Method,
    /// `{client}`.
    Client,
    /// `{request_id}`.
    RequestId,
    /// `{route}`.
    Route,
    /// `{user}`.
    User,
    /// `{query.NAME}`.
    QueryParameter(String),
    /// `{header.NAME}`, in lower case.
    Header(String),
    /// `{cookie.NAME}`.
    Cookie(String),
    /// `{NAME}`.
    Parameter(String),
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// `{` without `}`, or the other way round.
    #[error("\"{{\" and \"}}\" come in pairs, at column {0}; a brace itself is written twice")]
    Brace(usize),
    /// What stands in braces is no variable.
    #[error("{{{name}}} at column {column} stands for nothing")]
    Name {
        /// What stands there.
        name: String,
        /// The column of the brace, from 1.
        column: usize,
    },
    /// Longer than 64 KiB.
    #[error("a text with variables has at most {TEMPLATE_BYTES_MAX} bytes")]
    TooLong,
}

impl Template {
    /// A text without variables, whatever is in it.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        let parts = if text.is_empty() { Vec::new() } else { vec![TemplatePart::Text(text.to_owned())] };
        Self { text: text.replace('{', "{{").replace('}', "}}"), parts }
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its parts.
    #[must_use]
    pub fn parts(&self) -> &[TemplatePart] {
        &self.parts
    }

    /// Its variables.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.parts.iter().filter_map(|part| match part {
            TemplatePart::Variable(variable) => Some(variable),
            TemplatePart::Text(_) => None,
        })
    }

    /// The text, where there are no variables in it.
    #[must_use]
    pub fn constant(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [TemplatePart::Text(text)] => Some(text),
            _ => None,
        }
    }
}

impl FromStr for Template {
    type Err = TemplateError;
    fn from_str(text: &str) -> Result<Self, TemplateError> {
        if text.len() > TEMPLATE_BYTES_MAX {
            return Err(TemplateError::TooLong);
        }
        let column = |at: usize| text.get(..at).unwrap_or(text).chars().count() + 1;
        let (mut parts, mut plain, mut at) = (Vec::new(), String::new(), 0);
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let Some(brace) = rest.find(['{', '}']) else {
                plain.push_str(rest);
                break;
            };
            plain.push_str(&rest[..brace]);
            at += brace;
            let behind = &rest[brace..];
            if behind.starts_with("{{") || behind.starts_with("}}") {
                plain.push_str(&behind[..1]);
                at += 2;
                continue;
            }
            let inside = behind.strip_prefix('{').and_then(|inside| inside.split_once('}'));
            let Some((name, _)) = inside else { return Err(TemplateError::Brace(column(at))) };
            let variable = Variable::of(name)
                .ok_or_else(|| TemplateError::Name { name: name.to_owned(), column: column(at) })?;
            if !plain.is_empty() {
                parts.push(TemplatePart::Text(std::mem::take(&mut plain)));
            }
            parts.push(TemplatePart::Variable(variable));
            at += name.len() + 2;
        }
        if !plain.is_empty() {
            parts.push(TemplatePart::Text(plain));
        }
        Ok(Self { text: text.to_owned(), parts })
    }
}

impl Variable {
    /// Names that stand for the same thing in each request; no parameter can be called so.
    pub const RESERVED: [&str; 12] = [
        "uri",
        "path",
        "query",
        "?query",
        "host",
        "authority",
        "scheme",
        "method",
        "client",
        "request_id",
        "route",
        "user",
    ];

    fn of(name: &str) -> Option<Self> {
        let is_token = |text: &str| !text.is_empty() && text.bytes().all(super::header::is_token_byte);
        Some(match name {
            "uri" => Self::Uri,
            "path" => Self::Path,
            "query" => Self::Query,
            "?query" => Self::MarkedQuery,
            "host" => Self::Host,
            "authority" => Self::Authority,
            "scheme" => Self::Scheme,
            "method" => Self::Method,
            "client" => Self::Client,
            "request_id" => Self::RequestId,
            "route" => Self::Route,
            "user" => Self::User,
            other => match other.split_once('.') {
                Some(("query", name)) if !name.is_empty() => Self::QueryParameter(name.to_owned()),
                Some(("header", name)) if is_token(name) => Self::Header(name.to_ascii_lowercase()),
                Some(("cookie", name)) if is_token(name) => Self::Cookie(name.to_owned()),
                None if is_name(other) => Self::Parameter(other.to_owned()),
                _ => return None,
            },
        })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl TryFrom<String> for Template {
    type Error = TemplateError;
    fn try_from(text: String) -> Result<Self, TemplateError> {
        text.parse()
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.text
    }
}
