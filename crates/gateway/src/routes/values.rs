//! What the variables of templates stand for in one request.

use remuda_model::gateway::{RouteSpec, Variable};
use remuda_wire::http::decode_segment;

use super::table::bare_host;
use super::{Match, Subject, cookie_value, query_value};

/// What the variables of templates stand for in one request.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    /// What it was looked up by.
    pub subject: &'a Subject<'a>,
    /// What was found.
    pub found: &'a Match,
    /// The route.
    pub route: &'a RouteSpec,
    /// Path and query as they came.
    pub uri: &'a [u8],
    /// Who showed a password or token.
    pub user: Option<&'a str>,
    /// The request's id.
    pub request_id: &'a str,
    /// Parameters that are not there and have a default.
    pub defaults: &'a [(String, String)],
}

/// A value, and how its bytes are to be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// As it stood in the target: encoded, and fit for another.
    Encoded(Vec<u8>),
    /// Part of a path in normal form: decoded, but for `%2F` and `%25`.
    Normal(Vec<u8>),
    /// What it is.
    Plain(Vec<u8>),
}

impl Values<'_> {
    pub(super) fn value(&self, variable: &Variable) -> Value {
        let text = |text: &str| Value::Plain(text.as_bytes().to_vec());
        let path = self.uri.split(|byte| *byte == b'?').next().unwrap_or_default();
        match variable {
            Variable::Uri => Value::Encoded(self.uri.to_vec()),
            Variable::Path => Value::Encoded(path.to_vec()),
            Variable::Query => Value::Encoded(self.subject.query.unwrap_or_default().to_vec()),
            Variable::MarkedQuery => {
                Value::Encoded(self.subject.query.map(|query| [b"?", query].concat()).unwrap_or_default())
            }
            Variable::Host => {
                let mut buffer = [0; 253];
                Value::Encoded(bare_host(self.subject.host, &mut buffer).to_vec())
            }
            Variable::Authority => Value::Encoded(self.subject.host.to_ascii_lowercase()),
            Variable::Scheme => text(if self.subject.is_secure { "https" } else { "http" }),
            Variable::Method => text(self.subject.method),
            Variable::Client => {
                text(&self.subject.source.map(|source| source.to_string()).unwrap_or_default())
            }
            Variable::RequestId => text(self.request_id),
            Variable::Route => text(&self.route.name),
            Variable::User => text(self.user.unwrap_or_default()),
            Variable::QueryParameter(name) => Value::Plain(self.query(name).unwrap_or_default()),
            Variable::Header(name) => {
                Value::Plain(self.subject.fields.get(name).unwrap_or_default().to_vec())
            }
            Variable::Cookie(name) => {
                Value::Plain(cookie_value(self.subject.fields, name).unwrap_or_default())
            }
            Variable::Parameter(name) => self.parameter(name),
        }
    }

    fn query(&self, name: &str) -> Option<Vec<u8>> {
        query_value(self.subject.query?, name)
    }

    fn parameter(&self, name: &str) -> Value {
        use remuda_model::gateway::ParameterPlace as Place;
        if let Some(taken) = self.taken(name) {
            return Value::Normal(taken.to_vec());
        }
        let place = self.route.parameters.iter().find(|own| own.name == name).map(|own| own.place);
        let found = match place {
            Some(Place::Query) => self.query(name),
            Some(Place::Header) => self.subject.fields.get(name).map(<[u8]>::to_vec),
            Some(Place::Cookie) => cookie_value(self.subject.fields, name),
            Some(Place::Path) | None => None,
        };
        let default =
            || self.defaults.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone().into_bytes());
        Value::Plain(found.or_else(default).unwrap_or_default())
    }

    /// What a parameter of the pattern took, in normal form.
    #[must_use]
    pub fn taken(&self, name: &str) -> Option<&[u8]> {
        let number = self.route.pattern.parameters().position(|own| own == name)?;
        self.found.captures.get(number, self.subject.path)
    }

    /// The same decoded.
    #[must_use]
    pub fn taken_text(&self, name: &str) -> Option<Vec<u8>> {
        self.taken(name).map(decode_segment)
    }
}
