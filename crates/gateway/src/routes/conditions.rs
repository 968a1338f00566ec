//! Conditions of routes beside method and path.

use remuda_model::gateway::{ConditionSpec, Expected};
use remuda_wire::http::Fields;

use super::{Subject, query_pairs};

/// A condition, ready to be looked at.
#[derive(Debug)]
pub(super) struct Condition(ConditionSpec);

impl Condition {
    pub(super) fn new(spec: &ConditionSpec) -> Self {
        Self(spec.clone())
    }

    pub(super) fn spec(&self) -> &ConditionSpec {
        &self.0
    }

    /// Whether it holds. Of several values one has to fit.
    pub(super) fn holds(&self, subject: &Subject<'_>) -> bool {
        match &self.0 {
            ConditionSpec::Header(name, expected) => {
                let values = subject.fields.get_all(name.as_str()).map(<[u8]>::to_vec);
                fits(expected, values)
            }
            ConditionSpec::Query(name, expected) => {
                let pairs = query_pairs(subject.query.unwrap_or_default());
                fits(expected, pairs.filter(|(own, _)| own == name.as_bytes()).map(|(_, value)| value))
            }
            ConditionSpec::Cookie(name, expected) => {
                let lines = subject.fields.get_all("cookie");
                let values = lines.flat_map(|line| cookie(line, name)).map(<[u8]>::to_vec);
                fits(expected, values)
            }
            ConditionSpec::Source(ranges) => {
                subject.source.is_some_and(|source| ranges.iter().any(|range| range.contains(source)))
            }
            ConditionSpec::Secure(secure) => *secure == subject.is_secure,
            ConditionSpec::Socket(names) => names.iter().any(|name| name.as_str() == subject.socket),
        }
    }
}

fn fits(expected: &Expected, mut values: impl Iterator<Item = Vec<u8>>) -> bool {
    match expected {
        Expected::Present => values.next().is_some(),
        Expected::Absent => values.next().is_none(),
        Expected::Like(pattern) => values.any(|value| star_matches(pattern.as_bytes(), &value)),
    }
}

/// The values of a cookie in one line of `Cookie` (RFC 6265, 5.4).
pub(super) fn cookie<'l>(line: &'l [u8], name: &str) -> impl Iterator<Item = &'l [u8]> {
    line.split(|byte| *byte == b';').filter_map(move |pair| {
        let at = memchr::memchr(b'=', pair)?;
        let (own, value) = (pair[..at].trim_ascii(), pair[at + 1..].trim_ascii());
        let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
        (own == name.as_bytes()).then_some(value)
    })
}

/// The first value of a cookie.
#[must_use]
pub fn cookie_value(fields: &Fields, name: &str) -> Option<Vec<u8>> {
    fields.get_all("cookie").find_map(|line| cookie(line, name).next().map(<[u8]>::to_vec))
}

/// Whether `text` is like `pattern`, in which `*` stands for any bytes, none too. The work is at most one times the other.
#[must_use]
pub fn star_matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut seen, mut retry) = (0, 0, None);
    while seen < text.len() {
        if pattern.get(at) == Some(&b'*') {
            at += 1;
            retry = Some((at, seen));
        } else if pattern.get(at) == Some(&text[seen]) {
            at += 1;
            seen += 1;
        } else if let Some((behind, from)) = retry {
            at = behind;
            seen = from + 1;
            retry = Some((behind, seen));
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}
