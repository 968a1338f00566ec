//! Routes that no request ever reaches.
//!
//! Which of two routes for the same request wins is a matter of how specific they are, and only at last of their order. So
//! one hides another for good when they have the same hosts and the same shape of path, the same conditions, and all its
//! methods are taken by routes before it. It may take several to hide one.

use std::collections::{BTreeMap, BTreeSet};

use remuda_model::gateway::{ConditionSpec, RouteSpec, Segment};

use super::span_of;
use crate::raw::{self, Located};
use crate::report::Problem;
use crate::resolve::Resolution;

/// What two routes have in common when only their methods tell them apart.
type Place = (String, Vec<Segment>, Vec<String>);

impl Resolution<'_> {
    /// Refuses routes that others hide.
    pub(super) fn shadows(&mut self, routes: &[(RouteSpec, &Located<raw::Route>)]) {
        let mut taken: BTreeMap<Place, BTreeMap<String, usize>> = BTreeMap::new();
        for (index, (route, raw)) in routes.iter().enumerate() {
            let places = places(route);
            let methods = methods(route);
            let wanted = places.iter().flat_map(|place| methods.iter().map(move |method| (place, method)));
            let hiding = |(place, method): (&Place, &String)| taken.get(place)?.get(method).copied();
            let hidden: Option<BTreeSet<usize>> = wanted.map(hiding).collect();
            if let Some(hiding) = hidden
                && let Some(first) = hiding.first()
            {
                self.hidden((route, raw), &routes[*first], hiding.len());
            }
            for place in places {
                let methods_there = taken.entry(place).or_default();
                for method in &methods {
                    methods_there.entry(method.clone()).or_insert(index);
                }
            }
        }
    }

    fn hidden(
        &mut self,
        (route, raw): (&RouteSpec, &Located<raw::Route>),
        (first, earlier): &(RouteSpec, &Located<raw::Route>),
        count: usize,
    ) {
        let place = |raw: &Located<raw::Route>| span_of(&raw.pattern).or_else(|| raw.span.clone());
        let line = place(earlier)
            .and_then(|span| self.sources.place(&span))
            .map(|place| format!(" in line {}", place.line));
        let others = if count > 1 { " and others" } else { "" };
        let message = format!(
            "no request reaches the route {:?}: {:?}{}{others} takes all of them",
            route.name,
            first.name,
            line.unwrap_or_default()
        );
        let problem = Problem::error(place(raw), message).related(place(earlier), "this one comes first");
        self.problems.push(problem.hint("leave one out, or tell them apart by method, host or conditions"));
    }
}

/// Where a route stands: for each of its hosts, the shape of its path and its conditions.
fn places(route: &RouteSpec) -> Vec<Place> {
    let shape = route.pattern.shape();
    let mut conditions: Vec<String> = route.conditions.iter().map(ConditionSpec::to_string).collect();
    conditions.sort();
    let hosts: Vec<String> = match route.hosts.as_slice() {
        [] => vec![String::new()],
        hosts => hosts.iter().map(|host| host.as_str().to_owned()).collect(),
    };
    hosts.into_iter().map(|host| (host, shape.clone(), conditions.clone())).collect()
}

fn methods(route: &RouteSpec) -> Vec<String> {
    match route.methods.as_slice() {
        [] => vec![String::new()],
        methods => methods.iter().map(|method| method.as_str().to_owned()).collect(),
    }
}
