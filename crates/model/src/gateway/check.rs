//! What a route asks of a request, and of an answer: conditions, types, sizes, schemas, parameters, who may ask.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HeaderName, IpRange, Method, Rate, Template};
use crate::SocketName;

/// Something of a request that decides whether a route is for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConditionSpec {
    /// A header.
    Header(HeaderName, Expected),
    /// A parameter of the query.
    Query(String, Expected),
    /// A cookie.
    Cookie(String, Expected),
    /// The client's address is in one of these.
    Source(Vec<IpRange>),
    /// The request came by `https` (true) or `http`.
    Secure(bool),
    /// It came in on one of these sockets.
    Socket(Vec<SocketName>),
}

/// What a value must be like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expected {
    /// It is there, whatever it says.
    Present,
    /// It is not there.
    Absent,
    /// It is this text, in which `*` stands for any bytes.
    Like(String),
}

/// What a request must be like, or it is refused.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RequestSpec {
    /// Types of its body, `type/subtype`, `type/*`; empty for any. 415.
    pub types: Vec<String>,
    /// Bytes of its body; `None` is the limit of the gateway. 413.
    pub max: Option<u64>,
    /// It must have a body. 400.
    pub required: bool,
    /// What its body, JSON, must be like. 422 with what is wrong where.
    pub schema: Option<SchemaSpec>,
    /// Headers it must have. 400.
    pub headers: Vec<HeaderName>,
    /// What the body is, for the documents.
    pub description: Option<String>,
}

/// A JSON Schema, as it was when the config was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaSpec {
    /// The file it came from.
    pub path: PathBuf,
    /// The schema, JSON.
    pub text: String,
}

/// What an answer must be like to be passed on; it is kept whole to be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseCheck {
    /// Types of its body; empty for any.
    pub types: Vec<String>,
    /// What its body, JSON, must be like.
    pub schema: Option<SchemaSpec>,
    /// The status that a client gets instead. Default 502.
    pub otherwise: u16,
}

/// A parameter of requests that is checked before anything else sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterSpec {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub place: ParameterPlace,
    /// What it is.
    pub kind: ParameterKind,
    /// Without it a request is refused, 400. Those of the path are always there.
    pub required: bool,
    /// What templates and upstreams see where it is not there. Only in queries.
    pub default: Option<String>,
    /// What it is, for the documents.
    pub description: Option<String>,
}

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ParameterPlace {
    /// In the query.
    #[default]
    Query,
    /// In the path.
    Path,
    /// In a header.
    Header,
    /// In a cookie.
    Cookie,
}

/// What a parameter is. Bounds are inclusive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParameterKind {
    /// A text, its length in characters.
    String {
        /// The shortest.
        min: Option<u64>,
        /// The longest.
        max: Option<u64>,
        /// A regular expression that all of it matches.
        pattern: Option<String>,
    },
    /// A whole number of 64 bits.
    Int {
        /// The least.
        min: Option<i64>,
        /// The greatest.
        max: Option<i64>,
    },
    /// A number with a fraction; its bounds as written.
    Number {
        /// The least.
        min: Option<String>,
        /// The greatest.
        max: Option<String>,
    },
    /// `true`, `false`, `1` or `0`.
    Bool,
    /// A UUID.
    Uuid,
    /// A day of the calendar, `2026-11-21`.
    Date,
    /// One of these.
    Enum(Vec<String>),
}

/// Why a value is not what a parameter is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterFault {
    /// Of another type.
    #[error("it must be {0}")]
    Kind(&'static str),
    /// Below the least.
    #[error("it must be at least {0}")]
    Small(String),
    /// Above the greatest.
    #[error("it must be at most {0}")]
    Large(String),
    /// Too few characters.
    #[error("it must have at least {0} characters")]
    Short(u64),
    /// Too many characters.
    #[error("it must have at most {0} characters")]
    Long(u64),
    /// Not of the pattern.
    #[error("it must match {0}")]
    Pattern(String),
    /// None of the values.
    #[error("it must be one of {0}")]
    Other(String),
}

impl ParameterKind {
    /// Whether `value` is one of its kind; the pattern of a text is not looked at.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, value: &str) -> Result<(), ParameterFault> {
        match self {
            Self::String { min, max, .. } => {
                let length = u64::try_from(value.chars().count()).unwrap_or(u64::MAX);
                match (min, max) {
                    (Some(min), _) if length < *min => Err(ParameterFault::Short(*min)),
                    (_, Some(max)) if length > *max => Err(ParameterFault::Long(*max)),
                    _ => Ok(()),
                }
            }
            Self::Int { min, max } => {
                let number = value.parse::<i64>().ok().filter(|_| !value.starts_with('+'));
                within(number.ok_or(ParameterFault::Kind("a whole number"))?, *min, *max)
            }
            Self::Number { min, max } => {
                let is_number = value.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
                let number = value.parse::<f64>().ok().filter(|number| is_number && number.is_finite());
                let bound = |text: &Option<String>| text.as_ref().and_then(|text| text.parse().ok());
                within(number.ok_or(ParameterFault::Kind("a number"))?, bound(min), bound(max))
            }
            Self::Bool => matches!(value, "true" | "false" | "1" | "0")
                .then_some(())
                .ok_or(ParameterFault::Kind("true or false")),
            Self::Uuid => {
                super::SegmentKind::Uuid.is(value).then_some(()).ok_or(ParameterFault::Kind("a UUID"))
            }
            Self::Date => is_date(value)
                .then_some(())
                .ok_or(ParameterFault::Kind("a day of the calendar, such as 2026-11-21")),
            Self::Enum(values) => values
                .iter()
                .any(|known| known == value)
                .then_some(())
                .ok_or_else(|| ParameterFault::Other(values.join(", "))),
        }
    }
}

fn within<T: PartialOrd + std::fmt::Display>(
    number: T,
    min: Option<T>,
    max: Option<T>,
) -> Result<(), ParameterFault> {
    match (min, max) {
        (Some(min), _) if number < min => Err(ParameterFault::Small(min.to_string())),
        (_, Some(max)) if number > max => Err(ParameterFault::Large(max.to_string())),
        _ => Ok(()),
    }
}

/// `2026-11-21`, a day that there is in the Gregorian calendar.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_form = bytes.len() == 10
        && bytes
            .iter()
            .enumerate()
            .all(|(at, byte)| if at == 4 || at == 7 { *byte == b'-' } else { byte.is_ascii_digit() });
    let number = |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse::<u32>().ok());
    let (Some(year), Some(month), Some(day)) = (number(0..4), number(5..7), number(8..10)) else {
        return false;
    };
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    is_form && (1..=days).contains(&day)
}

/// In the words of people: `header X-Env like "test*"`.
impl std::fmt::Display for ConditionSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Header(name, expected) => {
                write!(f, "header {} {expected}", name.as_str().to_ascii_lowercase())
            }
            Self::Query(name, expected) => write!(f, "query {name} {expected}"),
            Self::Cookie(name, expected) => write!(f, "cookie {name} {expected}"),
            Self::Source(ranges) => {
                let ranges: Vec<_> = ranges.iter().map(IpRange::to_string).collect();
                write!(f, "source in {}", ranges.join(", "))
            }
            Self::Secure(true) => f.write_str("scheme https"),
            Self::Secure(false) => f.write_str("scheme http"),
            Self::Socket(names) => {
                let names: Vec<_> = names.iter().map(SocketName::as_str).collect();
                write!(f, "socket {}", names.join(" or "))
            }
        }
    }
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Present => f.write_str("there"),
            Self::Absent => f.write_str("not there"),
            Self::Like(text) if text.contains('*') => write!(f, "like {text:?}"),
            Self::Like(text) => write!(f, "{text:?}"),
        }
    }
}

/// Who may ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthSpec {
    /// How they show it.
    pub scheme: AuthScheme,
    /// Who they are: lines of `name:hash` (htpasswd: bcrypt, SHA-1 as `{SHA}`, SHA-256 and SHA-512 crypt), or of
    /// `name:sha256:HEX` for tokens. Absolute; read when the worker starts and when it changes.
    pub file: PathBuf,
    /// What browsers show to people. Default the route's name.
    pub realm: String,
}

/// How somebody shows who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AuthScheme {
    /// Name and password (RFC 7617).
    Basic,
    /// A token (RFC 6750).
    Bearer,
}

/// How often somebody may ask; 429 with `Retry-After`. Each worker counts for itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimitSpec {
    /// How often.
    pub rate: Rate,
    /// So many more at once, after a silence. Default as many as `rate` has in its time.
    pub burst: u32,
    /// Who is counted together. Default by address.
    pub key: LimitKey,
}

/// Who is counted together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LimitKey {
    /// One address, or one /64 of IPv6.
    #[default]
    Address,
    /// Everybody.
    Route,
    /// One host.
    Host,
    /// Who shows the same password or token.
    User,
    /// Who sends the same value of this header; those without are counted together.
    Header(String),
    /// Who sends the same value of this cookie; those without are counted together.
    Cookie(String),
}

/// Which pages of other origins may ask (the fetch standard's CORS).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorsSpec {
    /// Origins, `https://example.org`, in which `*` stands for any text; `*` alone for all.
    pub origins: Vec<String>,
    /// Methods; empty for those of the route.
    pub methods: Vec<Method>,
    /// Headers that pages may send; empty for those they ask for.
    pub headers: Vec<HeaderName>,
    /// Headers of answers that pages may read.
    pub expose: Vec<HeaderName>,
    /// Whether cookies and passwords come along; not with `*`. Default false.
    pub credentials: bool,
    /// So long a browser need not ask again. Default 1 h.
    pub max_age: Duration,
}

/// A service that is asked about a request, or given an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubrequestSpec {
    /// Key of the upstream in [`GatewaySpec::upstreams`](super::GatewaySpec::upstreams).
    pub upstream: String,
    /// What is asked for there.
    pub path: Template,
    /// So long its answer is waited for; 504. Default 5 s.
    pub timeout: Duration,
    /// It gets the body too, which is kept whole for it. Default false; `alter` always gets the answer's.
    pub body: bool,
    /// `before`: headers of its answer that the request gets. `alter`: those that the answer gets besides
    /// `Content-Type`.
    pub headers: Vec<HeaderName>,
    /// The status of a refusal; `None` passes its own answer on.
    pub refuse: Option<u16>,
}
