//! Which paths a route stands for, as written in `match = "GET /u/{id:int}"`.
//!
//! A pattern is a list of segments; each is a text, a text around one parameter, or, as the last one, the rest of the
//! path. It is kept in parts, because the gateway builds its tree from them, and as it was written, because people and
//! documents know it so. What is wrong with one is told with the column, since patterns are short and errors in them
//! are single characters.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest pattern, bytes.
pub const PATTERN_BYTES_MAX: usize = 1024;
/// Parameters of one pattern, at most: the gateway keeps where they are in a fixed place.
pub const PATTERN_PARAMETERS_MAX: usize = 16;
/// What `*` at the end of a pattern is called among the parameters.
pub const REST: &str = "rest";

/// A pattern of paths.
///
/// | text | stands for |
/// |---|---|
/// | `/about` | this path alone |
/// | `/u/{id}` | any one segment that is not empty |
/// | `/u/{id:int}` | one of digits; a sign may stand before them |
/// | `/u/{id:uuid}`, `/u/{id:alpha}` | one that is a UUID; one of ASCII letters |
/// | `/r/{id}.html`, `/v{n:int}` | a text around it |
/// | `/static/*`, `/static/{file*}`, `/static/{file:rest}` | everything below, also nothing |
/// | `*` | every path |
///
/// It is compared with the path as normalised: percent-encoding of what needs none resolved, and dots too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Pattern {
    text: String,
    segments: Vec<Segment>,
}

/// One segment of a pattern, without its slash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Segment {
    /// This text. The last one is empty where the pattern ends with a slash.
    Text(String),
    /// A parameter.
    Parameter {
        /// What stands before it; often empty.
        prefix: String,
        /// Its name.
        name: String,
        /// What it may be.
        kind: SegmentKind,
        /// What stands behind it; often empty.
        suffix: String,
    },
    /// Everything that is left, slashes too; perhaps nothing.
    Rest {
        /// Its name; [`REST`] where it is written `*`.
        name: String,
    },
}

/// What a parameter of a pattern may be. The stricter come first, and are tried first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SegmentKind {
    /// 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12, either case.
    Uuid,
    /// Digits, perhaps with a sign before them; as many as fit into 64 bits.
    Int,
    /// ASCII letters.
    Alpha,
    /// Anything but a slash, and not nothing.
    Any,
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}, at column {column} of {text:?}")]
pub struct PatternError {
    /// The pattern, at most its first 80 characters.
    pub text: String,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What is wrong there.
    pub why: PatternFault,
}

/// What is wrong with a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternFault {
    /// It does not begin with a slash.
    #[error("a path begins with \"/\"")]
    Slash,
    /// A character that paths do not have.
    #[error("{0:?} cannot stand in a path; percent-encode it")]
    Character(char),
    /// A `?` or `#`.
    #[error("a path has no {0:?}: conditions on the query stand in `query`")]
    Query(char),
    /// `%` without two hexadecimal digits.
    #[error("after \"%\" come two hexadecimal digits")]
    Percent,
    /// `.` or `..` as a segment, which no normalised path has.
    #[error("no path has a segment \".\" or \"..\" when routes see it")]
    Dots,
    /// `{` without `}`, or the other way round.
    #[error("\"{{\" and \"}}\" come in pairs")]
    Brace,
    /// A name that is none.
    #[error("{0:?} is no name of a parameter: letters, digits and \"_\", and a letter first")]
    Name(String),
    /// A type that is not known.
    #[error("{0:?} is no type of a parameter: write int, uuid, alpha or rest")]
    Kind(String),
    /// Two parameters of one name.
    #[error("two parameters are called {0:?}")]
    Twice(String),
    /// Two parameters in one segment.
    #[error("a segment has one parameter at most")]
    Crowded,
    /// The rest of the path is not the last segment.
    #[error("the rest of the path is the whole last segment")]
    Rest,
    /// Longer than [`PATTERN_BYTES_MAX`].
    #[error("a pattern has at most {PATTERN_BYTES_MAX} bytes")]
    TooLong,
    /// More parameters than [`PATTERN_PARAMETERS_MAX`].
    #[error("a pattern has at most {PATTERN_PARAMETERS_MAX} parameters")]
    TooMany,
}

impl Pattern {
    /// Every path.
    #[must_use]
    pub fn any() -> Self {
        Self { text: "/*".to_owned(), segments: vec![Segment::Rest { name: REST.to_owned() }] }
    }

    /// The segments without the names in them: patterns of one shape match the same paths.
    #[must_use]
    pub fn shape(&self) -> Vec<Segment> {
        let nameless = |segment: &Segment| match segment {
            Segment::Text(text) => Segment::Text(text.clone()),
            Segment::Rest { .. } => Segment::Rest { name: String::new() },
            Segment::Parameter { prefix, kind, suffix, .. } => Segment::Parameter {
                prefix: prefix.clone(),
                name: String::new(),
                kind: *kind,
                suffix: suffix.clone(),
            },
        };
        self.segments.iter().map(nameless).collect()
    }

    /// As written; `*` alone as `/*`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its segments, in their order.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The names of its parameters, in their order.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(Segment::parameter)
    }

    /// Whether it stands for one path alone.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.segments.iter().all(|segment| matches!(segment, Segment::Text(_)))
    }

    /// The name of the parameter that is the rest of the path, if it has one.
    #[must_use]
    pub fn rest(&self) -> Option<&str> {
        match self.segments.last() {
            Some(Segment::Rest { name }) => Some(name),
            _ => None,
        }
    }
}

impl Segment {
    /// The name of its parameter, if it has one.
    #[must_use]
    pub fn parameter(&self) -> Option<&str> {
        match self {
            Self::Text(_) => None,
            Self::Parameter { name, .. } | Self::Rest { name } => Some(name),
        }
    }
}

impl SegmentKind {
    /// What it is called in patterns; `None` for [`SegmentKind::Any`], which has no word.
    #[must_use]
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::Uuid => Some("uuid"),
            Self::Int => Some("int"),
            Self::Alpha => Some("alpha"),
            Self::Any => None,
        }
    }

    /// Whether `text` is one of its kind. `text` has no slash.
    #[must_use]
    pub fn is(self, text: &str) -> bool {
        match self {
            Self::Any => !text.is_empty(),
            Self::Alpha => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic()),
            // A plus sign is taken by the parser of numbers, and no number of a URL has one.
            Self::Int => !text.starts_with('+') && text.parse::<i64>().is_ok(),
            Self::Uuid => is_uuid(text.as_bytes()),
        }
    }
}

fn is_uuid(text: &[u8]) -> bool {
    const DASHES: [usize; 4] = [8, 13, 18, 23];
    text.len() == 36
        && text
            .iter()
            .enumerate()
            .all(|(at, byte)| if DASHES.contains(&at) { *byte == b'-' } else { byte.is_ascii_hexdigit() })
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl FromStr for Pattern {
    type Err = PatternError;
    fn from_str(text: &str) -> Result<Self, PatternError> {
        if text == "*" {
            return Ok(Self::any());
        }
        let failed = |at: usize, why: PatternFault| PatternError {
            text: text.chars().take(80).collect(),
            column: text.get(..at).unwrap_or(text).chars().count() + 1,
            why,
        };
        if text.len() > PATTERN_BYTES_MAX {
            return Err(failed(PATTERN_BYTES_MAX, PatternFault::TooLong));
        }
        let Some(rest) = text.strip_prefix('/') else { return Err(failed(0, PatternFault::Slash)) };
        let mut segments = Vec::new();
        let mut at = 1;
        for part in rest.split('/') {
            let segment = segment(part).map_err(|(offset, why)| failed(at + offset, why))?;
            let is_last = at + part.len() == text.len();
            if matches!(segment, Segment::Rest { .. }) && !is_last {
                return Err(failed(at, PatternFault::Rest));
            }
            if let Some(name) = segment.parameter() {
                let mut before = segments.iter().filter_map(Segment::parameter);
                if before.any(|other| other == name) {
                    return Err(failed(at, PatternFault::Twice(name.to_owned())));
                }
            }
            segments.push(segment);
            at += part.len() + 1;
        }
        if segments.iter().filter(|segment| segment.parameter().is_some()).count() > PATTERN_PARAMETERS_MAX {
            return Err(failed(text.len(), PatternFault::TooMany));
        }
        Ok(Self { text: text.to_owned(), segments })
    }
}

/// One segment, or what is wrong at which byte of it.
fn segment(part: &str) -> Result<Segment, (usize, PatternFault)> {
    if part == "*" {
        return Ok(Segment::Rest { name: REST.to_owned() });
    }
    if matches!(part, "." | "..") {
        return Err((0, PatternFault::Dots));
    }
    let Some((prefix, behind)) = part.split_once('{') else {
        literal(part, 0)?;
        return Ok(Segment::Text(part.to_owned()));
    };
    let open = prefix.len();
    literal(prefix, 0)?;
    let Some((inside, suffix)) = behind.split_once('}') else { return Err((open, PatternFault::Brace)) };
    let behind = open + inside.len() + 2;
    if let Some(at) = suffix.find('{') {
        return Err((behind + at, PatternFault::Crowded));
    }
    literal(suffix, behind)?;
    let (name, kind) = match inside.strip_suffix('*') {
        Some(name) => (name, "rest"),
        None => inside.split_once(':').unwrap_or((inside, "")),
    };
    if !is_name(name) {
        return Err((open + 1, PatternFault::Name(name.to_owned())));
    }
    let name = name.to_owned();
    let kind = match kind {
        "" if !inside.ends_with(':') => SegmentKind::Any,
        "int" => SegmentKind::Int,
        "uuid" => SegmentKind::Uuid,
        "alpha" => SegmentKind::Alpha,
        "rest" if prefix.is_empty() && suffix.is_empty() => return Ok(Segment::Rest { name }),
        "rest" => return Err((open, PatternFault::Rest)),
        other => return Err((open + name.len() + 2, PatternFault::Kind(other.to_owned()))),
    };
    Ok(Segment::Parameter { prefix: prefix.to_owned(), name, kind, suffix: suffix.to_owned() })
}

/// Whether `text` can be the name of a parameter.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.len() <= 64
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Refuses what no path has (RFC 3986, `pchar`).
fn literal(text: &str, offset: usize) -> Result<(), (usize, PatternFault)> {
    for (at, character) in text.char_indices() {
        let why = match character {
            '%' => {
                let digits = text.as_bytes().get(at + 1..at + 3);
                if digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    continue;
                }
                PatternFault::Percent
            }
            '?' | '#' => PatternFault::Query(character),
            '}' | '{' => PatternFault::Brace,
            '*' => PatternFault::Rest,
            letter if letter.is_ascii_alphanumeric() => continue,
            mark if "-._~!$&'()+,;=:@".contains(mark) => continue,
            other => PatternFault::Character(other),
        };
        return Err((offset + at, why));
    }
    Ok(())
}

impl TryFrom<String> for Pattern {
    type Error = PatternError;
    fn try_from(text: String) -> Result<Self, PatternError> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.text
    }
}
