//! All routes, ready to be looked up.

use std::collections::HashMap;
use std::net::IpAddr;

use remuda_model::gateway::{PATTERN_PARAMETERS_MAX, RouteSpec};
use remuda_wire::http::Fields;

use super::conditions::Condition;
use super::tree::Tree;

/// Longest name of a host, bytes; a longer one is nobody's.
const HOST_BYTES_MAX: usize = 253;

/// What of a request decides which route it takes.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its host, perhaps with a port, in any case.
    pub host: &'a [u8],
    /// Its path, in normal form.
    pub path: &'a [u8],
    /// Its query, as it came.
    pub query: Option<&'a [u8]>,
    /// Its headers.
    pub fields: &'a Fields,
    /// The client's address, where it has one.
    pub source: Option<IpAddr>,
    /// Whether it came by TLS.
    pub is_secure: bool,
    /// The socket it came in on.
    pub socket: &'a str,
}

/// What the parameters of a pattern took: places in the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Captures {
    places: [(u32, u32); PATTERN_PARAMETERS_MAX],
    len: usize,
}

impl Captures {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What the parameter of this number took of `path`.
    #[must_use]
    pub fn get<'p>(&self, number: usize, path: &'p [u8]) -> Option<&'p [u8]> {
        let (from, to) = *self.places[..self.len].get(number)?;
        path.get(usize::try_from(from).ok()?..usize::try_from(to).ok()?)
    }

    pub(super) fn push(&mut self, from: usize, to: usize) {
        let place = (u32::try_from(from).unwrap_or(u32::MAX), u32::try_from(to).unwrap_or(u32::MAX));
        if let Some(free) = self.places.get_mut(self.len) {
            *free = place;
            self.len += 1;
        }
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }
}

/// The route a request takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    /// Its number, in the order of the file.
    pub route: usize,
    /// What its parameters took.
    pub captures: Captures,
}

/// What a lookup found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A route.
    Route(Match),
    /// Routes for this path, and none for this method; what they allow, in order, each once.
    Method(Vec<String>),
    /// None.
    Nothing,
}

/// All routes.
#[derive(Debug)]
pub struct Table {
    pub(super) specs: Vec<RouteSpec>,
    pub(super) conditions: Vec<Vec<Condition>>,
    exact: HashMap<Box<[u8]>, Tree>,
    /// With the dot in front, the longest first.
    suffixes: Vec<(Box<[u8]>, Tree)>,
    any: Tree,
}

impl Table {
    /// Of these routes, in the order of the file.
    #[must_use]
    pub fn new(specs: Vec<RouteSpec>) -> Self {
        let conditions: Vec<Vec<Condition>> =
            specs.iter().map(|spec| spec.conditions.iter().map(Condition::new).collect()).collect();
        let mut table = Self {
            conditions,
            exact: HashMap::new(),
            suffixes: Vec::new(),
            any: Tree::default(),
            specs: Vec::new(),
        };
        let mut order: Vec<usize> = (0..specs.len()).collect();
        order.sort_by_key(|route| rank(&specs[*route]));
        for route in order {
            let spec = &specs[route];
            if spec.hosts.is_empty() {
                table.any.add(&spec.pattern, route);
            }
            for host in &spec.hosts {
                table.tree_of(host.as_str(), host.suffix()).add(&spec.pattern, route);
            }
        }
        table.suffixes.sort_by_key(|(suffix, _)| std::cmp::Reverse(suffix.len()));
        table.specs = specs;
        table
    }

    fn tree_of(&mut self, host: &str, suffix: Option<&str>) -> &mut Tree {
        let Some(suffix) = suffix else { return self.exact.entry(host.as_bytes().into()).or_default() };
        let place = self.suffixes.iter().position(|(known, _)| known.as_ref() == suffix.as_bytes());
        let place = place.unwrap_or_else(|| {
            self.suffixes.push((suffix.as_bytes().into(), Tree::default()));
            self.suffixes.len() - 1
        });
        &mut self.suffixes[place].1
    }

    /// The routes, in the order of the file.
    #[must_use]
    pub fn routes(&self) -> &[RouteSpec] {
        &self.specs
    }

    /// The route that `subject` takes. Nothing is allocated where there is one.
    #[must_use]
    pub fn find(&self, subject: &Subject<'_>) -> Found {
        let found = self.reach(subject, |routes, captures| {
            let route = self.choose(routes, subject)?;
            Some(Match { route, captures: *captures })
        });
        match found {
            Some(found) => Found::Route(found),
            None => self.allowed(subject),
        }
    }

    /// Calls `take` with the routes of each place that host and path reach, the most specific first.
    fn reach<T>(
        &self,
        subject: &Subject<'_>,
        mut take: impl FnMut(&[usize], &Captures) -> Option<T>,
    ) -> Option<T> {
        let mut buffer = [0; HOST_BYTES_MAX];
        let host = bare_host(subject.host, &mut buffer);
        let mut captures = Captures::default();
        let mut walk = |tree: &Tree| tree.walk(subject.path, &mut captures, &mut take);
        if let Some(tree) = self.exact.get(host)
            && let Some(found) = walk(tree)
        {
            return Some(found);
        }
        for (suffix, tree) in &self.suffixes {
            if host.len() > suffix.len()
                && host.ends_with(suffix)
                && let Some(found) = walk(tree)
            {
                return Some(found);
            }
        }
        walk(&self.any)
    }

    /// Of routes of one place, in the order of their rank, the first that takes the method and whose conditions hold. One
    /// that names HEAD comes before one that has it for its GET.
    fn choose(&self, routes: &[usize], subject: &Subject<'_>) -> Option<usize> {
        let mut implied = None;
        for route in routes {
            match takes(&self.specs[*route], subject.method) {
                Takes::No => {}
                _ if !self.hold(*route, subject) => {}
                Takes::ByGet => implied = implied.or(Some(*route)),
                Takes::Named => return Some(*route),
                Takes::Any => return implied.or(Some(*route)),
            }
        }
        implied
    }

    pub(super) fn hold(&self, route: usize, subject: &Subject<'_>) -> bool {
        self.conditions[route].iter().all(|condition| condition.holds(subject))
    }

    /// What the routes of this path allow, if they would take another method.
    fn allowed(&self, subject: &Subject<'_>) -> Found {
        let mut methods: Vec<String> = Vec::new();
        let mut add = |method: &str| {
            if !methods.iter().any(|known| known == method) {
                methods.push(method.to_owned());
            }
        };
        let none: Option<()> = self.reach(subject, |routes, _| {
            for route in routes.iter().filter(|route| self.hold(**route, subject)) {
                for method in &self.specs[*route].methods {
                    add(method.as_str());
                    if method.as_str() == "GET" {
                        add("HEAD");
                    }
                }
            }
            None
        });
        debug_assert!(none.is_none(), "nothing is taken by who only looks");
        if methods.is_empty() {
            return Found::Nothing;
        }
        if !methods.iter().any(|method| method == "OPTIONS") {
            methods.push("OPTIONS".to_owned());
        }
        Found::Method(methods)
    }
}

/// Whether a route takes a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    No,
    /// It names it.
    Named,
    /// It is HEAD, and the route names GET.
    ByGet,
    /// It takes every method.
    Any,
}

pub(super) fn takes(spec: &RouteSpec, method: &str) -> Takes {
    if spec.methods.is_empty() {
        return Takes::Any;
    }
    let names = |wanted: &str| spec.methods.iter().any(|own| own.as_str() == wanted);
    if names(method) {
        Takes::Named
    } else if method == "HEAD" && names("GET") {
        Takes::ByGet
    } else {
        Takes::No
    }
}

/// Where a route stands among those of its place: methods, then conditions; the order of the file comes by itself.
pub(super) fn rank(spec: &RouteSpec) -> (bool, std::cmp::Reverse<usize>) {
    (spec.methods.is_empty(), std::cmp::Reverse(spec.conditions.len()))
}

/// A host in lower case, without a port or a dot at its end, in `buffer`.
pub(super) fn bare_host<'b>(host: &[u8], buffer: &'b mut [u8; HOST_BYTES_MAX]) -> &'b [u8] {
    let name = match host.first() {
        Some(b'[') => host
            .split(|byte| *byte == b']')
            .next()
            .map_or(host, |inside| &host[..(inside.len() + 1).min(host.len())]),
        _ => host.split(|byte| *byte == b':').next().unwrap_or_default(),
    };
    let name = name.strip_suffix(b".").unwrap_or(name);
    let Some(place) = buffer.get_mut(..name.len()) else { return &[] };
    place.copy_from_slice(name);
    place.make_ascii_lowercase();
    place
}
