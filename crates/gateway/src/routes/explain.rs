//! Why a request takes a route, and why not the others.

use remuda_model::gateway::{RouteSpec, Segment};

use super::table::{Takes, bare_host, rank, takes};
use super::tree::normal;
use super::{Found, Subject, Table};

/// Why a request takes a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What was found.
    pub found: Found,
    /// For each route, in the order of the file, why it is or is not the one.
    pub verdicts: Vec<Verdict>,
}

/// What a route is for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It takes it.
    Taken,
    /// It is for other hosts.
    Host,
    /// It is for other paths; the segment that differs, from 1, and why.
    Path {
        /// Its number.
        segment: usize,
        /// Why it does not fit.
        why: String,
    },
    /// It is for other methods.
    Method,
    /// This condition does not hold.
    Condition(String),
    /// It would take it, were there not a more specific one.
    Behind(&'static str),
}

impl Table {
    /// Why `subject` takes the route it takes.
    #[must_use]
    pub fn explain(&self, subject: &Subject<'_>) -> Explanation {
        let found = self.find(subject);
        let winner = match &found {
            Found::Route(found) => Some(found.route),
            Found::Method(_) | Found::Nothing => None,
        };
        let verdicts = (0..self.specs.len()).map(|route| self.verdict(route, winner, subject)).collect();
        Explanation { found, verdicts }
    }

    fn verdict(&self, route: usize, winner: Option<usize>, subject: &Subject<'_>) -> Verdict {
        if winner == Some(route) {
            return Verdict::Taken;
        }
        let spec = &self.specs[route];
        let mut buffer = [0; 253];
        let host = bare_host(subject.host, &mut buffer);
        let host = std::str::from_utf8(host).unwrap_or_default();
        if !spec.hosts.is_empty() && !spec.hosts.iter().any(|own| own.matches(host)) {
            return Verdict::Host;
        }
        if let Some((segment, why)) = differs(spec, subject.path) {
            return Verdict::Path { segment, why };
        }
        if takes(spec, subject.method) == Takes::No {
            return Verdict::Method;
        }
        let failing = self.conditions[route].iter().find(|condition| !condition.holds(subject));
        if let Some(condition) = failing {
            return Verdict::Condition(condition.spec().to_string());
        }
        Verdict::Behind(
            winner.map_or("another", |winner| behind(&self.specs[winner], spec, host, subject.method)),
        )
    }
}

/// In what the winner is more specific.
fn behind(winner: &RouteSpec, spec: &RouteSpec, host: &str, method: &str) -> &'static str {
    let best = |spec: &RouteSpec| {
        spec.hosts
            .iter()
            .filter(|own| own.matches(host))
            .map(|own| (own.suffix().is_none(), own.as_str().len()))
            .max()
    };
    if best(winner) != best(spec) {
        return "host";
    }
    if winner.pattern.shape() != spec.pattern.shape() {
        return "path";
    }
    if winner.methods.is_empty() != spec.methods.is_empty() || takes(winner, method) != takes(spec, method) {
        return "method";
    }
    if rank(winner) != rank(spec) { "conditions" } else { "order of the file" }
}

/// The first segment of a path that a pattern has not, and why.
fn differs(spec: &RouteSpec, path: &[u8]) -> Option<(usize, String)> {
    let parts: Vec<&[u8]> = path.get(1..).unwrap_or_default().split(|byte| *byte == b'/').collect();
    let segments = spec.pattern.segments();
    for (index, segment) in segments.iter().enumerate() {
        let Some(part) = parts.get(index) else {
            return Some((index + 1, "the path ends before it".to_owned()));
        };
        let shown = String::from_utf8_lossy(part);
        match segment {
            Segment::Rest { .. } => return None,
            Segment::Text(text) if normal(text) == *part => {}
            Segment::Text(text) => return Some((index + 1, format!("{shown:?} is not {text:?}"))),
            Segment::Parameter { prefix, name, kind, suffix } => {
                let inside = part
                    .strip_prefix(normal(prefix).as_slice())
                    .and_then(|rest| rest.strip_suffix(normal(suffix).as_slice()));
                let fits = inside.is_some_and(|inside| match kind.word() {
                    None => !inside.is_empty(),
                    Some(_) => std::str::from_utf8(inside).is_ok_and(|text| kind.is(text)),
                });
                if !fits {
                    let what =
                        kind.word().map_or_else(|| format!("{prefix}{{{name}}}{suffix}"), str::to_owned);
                    return Some((index + 1, format!("{shown:?} is no {what}")));
                }
            }
        }
    }
    (parts.len() > segments.len()).then(|| (segments.len() + 1, "the path goes on".to_owned()))
}
