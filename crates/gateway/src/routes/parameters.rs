//! Parameters that are checked before anything else sees them.

use regex_lite::Regex;
use remuda_model::gateway::{ParameterFault, ParameterKind, ParameterPlace, ParameterSpec, RouteSpec};
use remuda_wire::http::decode_segment;

use super::conditions::cookie;
use super::{Match, Subject, query_pairs};

/// The parameters of one route, ready to be checked.
#[derive(Debug)]
pub struct ParameterCheck {
    parameters: Vec<(ParameterSpec, Option<Regex>, Option<usize>)>,
}

/// A parameter that is not what it has to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place} parameter {name:?}: {why}")]
pub struct ParameterError {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub place: &'static str,
    /// What is wrong with it.
    pub why: String,
}

impl ParameterCheck {
    /// Of a route. A pattern of its config that is none, which no config has, matches nothing.
    #[must_use]
    pub fn new(route: &RouteSpec) -> Self {
        let compile = |spec: &ParameterSpec| match &spec.kind {
            ParameterKind::String { pattern: Some(pattern), .. } => {
                Regex::new(&format!("^(?:{pattern})$")).ok()
            }
            _ => None,
        };
        let number = |spec: &ParameterSpec| route.pattern.parameters().position(|own| own == spec.name);
        let all = route.parameters.iter().map(|spec| (spec.clone(), compile(spec), number(spec)));
        Self { parameters: all.collect() }
    }

    /// Checks what a request has. Returns the defaults of those that are not there.
    ///
    /// # Errors
    /// All that are wrong.
    pub fn check(
        &self,
        subject: &Subject<'_>,
        found: &Match,
    ) -> Result<Vec<(String, String)>, Vec<ParameterError>> {
        let (mut defaults, mut errors) = (Vec::new(), Vec::new());
        for (spec, pattern, number) in &self.parameters {
            let values = values(spec, *number, subject, found);
            let mut fail = |why: String| {
                errors.push(ParameterError { name: spec.name.clone(), place: word(spec.place), why });
            };
            if values.is_empty() {
                match &spec.default {
                    Some(default) => defaults.push((spec.name.clone(), default.clone())),
                    None if spec.required => fail("it is required".to_owned()),
                    None => {}
                }
            }
            // What comes twice could be read otherwise by who gets the request.
            if values.len() > 1 {
                fail("it is there more than once".to_owned());
            }
            if let Some(value) = values.first()
                && let Err(why) = check(&spec.kind, pattern.as_ref(), value)
            {
                fail(why);
            }
        }
        if errors.is_empty() { Ok(defaults) } else { Err(errors) }
    }
}

fn check(kind: &ParameterKind, pattern: Option<&Regex>, value: &[u8]) -> Result<(), String> {
    let Ok(text) = std::str::from_utf8(value) else { return Err("it is not UTF-8".to_owned()) };
    kind.check(text).map_err(|why| why.to_string())?;
    match (kind, pattern) {
        (ParameterKind::String { pattern: Some(written), .. }, Some(pattern)) if !pattern.is_match(text) => {
            Err(ParameterFault::Pattern(written.clone()).to_string())
        }
        _ => Ok(()),
    }
}

fn values(spec: &ParameterSpec, number: Option<usize>, subject: &Subject<'_>, found: &Match) -> Vec<Vec<u8>> {
    match spec.place {
        ParameterPlace::Path => {
            let taken = number.and_then(|number| found.captures.get(number, subject.path));
            taken.map(decode_segment).into_iter().collect()
        }
        ParameterPlace::Query => {
            let pairs = query_pairs(subject.query.unwrap_or_default());
            pairs.filter(|(name, _)| name == spec.name.as_bytes()).map(|(_, value)| value).collect()
        }
        ParameterPlace::Header => subject.fields.get_all(&spec.name).map(<[u8]>::to_vec).collect(),
        ParameterPlace::Cookie => {
            let lines = subject.fields.get_all("cookie");
            lines.flat_map(|line| cookie(line, &spec.name)).map(<[u8]>::to_vec).collect()
        }
    }
}

fn word(place: ParameterPlace) -> &'static str {
    match place {
        ParameterPlace::Query => "query",
        ParameterPlace::Path => "path",
        ParameterPlace::Header => "header",
        ParameterPlace::Cookie => "cookie",
    }
}
