//! Lookups beside a naive matcher, patterns beside regular expressions, rates beside arithmetic.

use std::cmp::Ordering;
use std::time::Duration;

use proptest::prelude::*;
use remuda_model::gateway::{Pattern, RouteSpec, Segment};
use remuda_wire::http::Fields;

use super::super::{Found, Match, RateLimiter, Subject, Table, Verdict, star_matches};
use super::{route, subject, table};

/// A route's rank for a path, by the rules in words: segment by segment, then method, conditions, order.
fn naive(routes: &[RouteSpec], method: &str, host: &str, path: &str) -> Option<usize> {
    let parts: Vec<&str> = path[1..].split('/').collect();
    let fits = |pattern: &Pattern| {
        let segments = pattern.segments();
        let rest = pattern.rest().is_some();
        let long_enough = if rest { parts.len() >= segments.len() } else { parts.len() == segments.len() };
        long_enough
            && segments.iter().zip(&parts).all(|(segment, part)| match segment {
                Segment::Text(text) => text == part,
                Segment::Rest { .. } => true,
                Segment::Parameter { prefix, kind, suffix, .. } => {
                    part.len() >= prefix.len() + suffix.len()
                        && part.starts_with(prefix.as_str())
                        && part.ends_with(suffix.as_str())
                        && kind.is(&part[prefix.len()..part.len() - suffix.len()])
                }
            })
    };
    let host_rank = |spec: &RouteSpec| {
        let best = spec.hosts.iter().filter(|own| own.matches(host));
        best.map(|own| (own.suffix().is_none(), own.as_str().len())).max()
    };
    let segment_rank = |segment: &Segment| match segment {
        Segment::Text(_) => (0, 0, 0, 0),
        Segment::Parameter { prefix, kind, suffix, .. } => {
            (1, usize::MAX - prefix.len() - suffix.len(), usize::MAX - prefix.len(), *kind as usize)
        }
        Segment::Rest { .. } => (2, 0, 0, 0),
    };
    let named = |spec: &RouteSpec, method: &str| spec.methods.iter().any(|own| own.as_str() == method);
    let method_rank = |spec: &RouteSpec| match () {
        () if spec.methods.is_empty() => Some(2),
        () if named(spec, method) => Some(0),
        () if method == "HEAD" && named(spec, "GET") => Some(1),
        () => None,
    };
    let candidates = routes.iter().enumerate().filter(|(_, spec)| {
        (spec.hosts.is_empty() || host_rank(spec).is_some())
            && fits(&spec.pattern)
            && method_rank(spec).is_some()
    });
    let compare = |(one, a): &(usize, &RouteSpec), (two, b): &(usize, &RouteSpec)| {
        let path = |spec: &RouteSpec| spec.pattern.segments().iter().map(segment_rank).collect::<Vec<_>>();
        host_rank(b)
            .cmp(&host_rank(a))
            .then_with(|| path(a).cmp(&path(b)))
            .then_with(|| method_rank(a).cmp(&method_rank(b)))
            .then_with(|| one.cmp(two))
            .then(Ordering::Equal)
    };
    candidates.min_by(compare).map(|(index, _)| index)
}

fn any_route() -> impl Strategy<Value = RouteSpec> {
    let segment = prop_oneof![
        4 => Just("a".to_owned()), 2 => Just("b".to_owned()), 1 => Just(String::new()),
        2 => Just("{P}".to_owned()), 1 => Just("{P:int}".to_owned()), 1 => Just("{P:alpha}".to_owned()),
        1 => Just("a{P}".to_owned()), 1 => Just("{P}b".to_owned()),
    ];
    let methods = prop_oneof![3 => Just(""), 2 => Just("GET "), 1 => Just("HEAD "), 1 => Just("GET|POST ")];
    let hosts = prop::sample::subsequence(vec!["h.x", "*.x", "*.h.x", "y"], 0..=2);
    (methods, prop::collection::vec(segment, 1..4), prop::bool::weighted(0.2), hosts).prop_map(
        |(methods, segments, rest, hosts)| {
            let mut path: String = segments
                .iter()
                .enumerate()
                .map(|(n, segment)| format!("/{}", segment.replace('P', &format!("p{n}"))))
                .collect();
            if rest {
                path.push_str("/*");
            }
            route(&format!("{methods}{path}"), &hosts)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn the_tree_finds_what_a_naive_matcher_finds(
        routes in prop::collection::vec(any_route(), 1..12),
        method in prop::sample::select(vec!["GET", "HEAD", "POST", "PUT"]),
        host in prop::sample::select(vec!["h.x", "a.h.x", "q.x", "y", "z"]),
        path in "(/(a|b|ab|7|)){1,5}",
    ) {
        let expected = naive(&routes, method, host, &path);
        let table = Table::new(routes);
        let fields = Fields::new();
        let subject = subject(method, host, &path, &fields);
        let found = table.find(&subject);
        let route = match &found { Found::Route(Match { route, .. }) => Some(*route), _ => None };
        prop_assert_eq!(route, expected, "{:?}", table.routes().iter().map(|r| &r.name).collect::<Vec<_>>());
        let explained = table.explain(&subject);
        let taken = explained.verdicts.iter().filter(|verdict| **verdict == Verdict::Taken).count();
        prop_assert_eq!(taken, usize::from(route.is_some()));
        if let Found::Route(found) = found {
            let count = table.routes()[found.route].pattern.parameters().count();
            prop_assert_eq!(found.captures.len(), count);
        }
    }

    #[test]
    fn any_bytes_are_looked_up(path in prop::collection::vec(any::<u8>(), 0..60), host in prop::collection::vec(any::<u8>(), 0..20)) {
        let table = table(&["/*", "/a/{x}", "/{n:int}/v{y}.z"]);
        let fields = Fields::new();
        let subject = Subject { path: &path, host: &host, query: Some(&path), ..subject("GET", "h", "/", &fields) };
        let _ = table.explain(&subject);
    }

    #[test]
    fn a_star_matches_as_a_regular_expression_does(pattern in "[ab*]{0,8}", text in "[ab]{0,10}") {
        let regex = regex_lite::Regex::new(&format!("^{}$", pattern.replace('*', ".*"))).unwrap();
        prop_assert_eq!(star_matches(pattern.as_bytes(), text.as_bytes()), regex.is_match(&text));
    }

    #[test]
    fn no_schedule_gets_more_through_than_rate_and_burst(gaps in prop::collection::vec(0u64..400, 1..200), burst in 1u32..6) {
        let mut limiter = RateLimiter::new("5/s".parse().unwrap(), burst, 4);
        let (mut now, mut through) = (0u64, Vec::new());
        for gap in gaps {
            now += gap;
            if limiter.ask(b"k", Duration::from_millis(now)).is_ok() {
                through.push(now);
            }
        }
        for (index, begin) in through.iter().enumerate() {
            for (count, end) in through[index..].iter().enumerate() {
                let most = u64::from(burst) + (end - begin) / 200 ;
                prop_assert!(u64::try_from(count).unwrap() < most + 1, "{count} more in {} ms", end - begin);
            }
        }
    }
}
