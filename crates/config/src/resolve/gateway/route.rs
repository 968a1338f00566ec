//! `[[route]]`, put together from its parts.

use std::collections::BTreeMap;

use remuda_model::gateway::{
    CacheRule, ConditionSpec, Expected, HeaderRules, IpRange, Pattern, RouteSpec, RouteTimeouts, Variable,
};

use super::{ROUTES_MOST, Surface, is_header_value, listed, span_of};
use crate::raw::{self, Field, Located};
use crate::report::Problem;
use crate::resolve::{Resolution, or};

/// What is resolved of one route, beside its spec.
pub(super) struct Frame<'a> {
    pub(super) raw: &'a Located<raw::Route>,
    /// Names that may stand in braces.
    pub(super) parameters: Vec<String>,
}

impl Resolution<'_> {
    pub(super) fn routes(&mut self, surface: &mut Surface<'_>) -> Vec<RouteSpec> {
        let file = self.file;
        if let Some(route) = file.route.get(ROUTES_MOST) {
            self.error(
                route.span.as_ref(),
                format!("this route is one too many: there are {ROUTES_MOST} at most"),
            );
        }
        let mut routes: Vec<(RouteSpec, &Located<raw::Route>)> = Vec::new();
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        for (index, raw) in file.route.iter().take(ROUTES_MOST).enumerate() {
            let route = self.section("route", &format!("#{index}"), |this| this.route(raw, surface));
            let Some(mut route) = route else { continue };
            if let Some(first) = names.get(&route.name).copied() {
                if let Some(name) = &raw.name {
                    let message = format!("two routes are named {:?}", name.value);
                    let first = span_of(&routes[first].1.name).or_else(|| routes[first].1.span.clone());
                    self.problems
                        .push(Problem::error(name.span.clone(), message).related(first, "first here"));
                }
                route.name = free_name(&route.name, &names);
            }
            names.insert(route.name.clone(), routes.len());
            routes.push((route, raw));
        }
        self.shadows(&routes);
        routes.into_iter().map(|(route, _)| route).collect()
    }

    fn route(&mut self, located: &Located<raw::Route>, surface: &mut Surface<'_>) -> Option<RouteSpec> {
        let raw = &located.value;
        let (methods, pattern) = self.matching(&raw.pattern);
        self.not_reserved(&pattern, raw);
        let mut parameters: Vec<String> = pattern.parameters().map(str::to_owned).collect();
        parameters.extend(raw.params.iter().flatten().map(|(name, _)| name.value.clone()));
        let frame = Frame { raw: located, parameters };
        let hosts = self.hosts(&raw.host);
        let conditions = self.conditions(raw);
        let action = self.action(&frame, &methods, &pattern, surface)?;
        let default = RouteSpec::new(&self.route_name(raw), pattern, action);
        Some(RouteSpec {
            methods,
            hosts,
            conditions,
            summary: raw.summary.as_ref().map(|text| text.value.clone()),
            description: raw.description.as_ref().map(|text| text.value.clone()),
            tags: listed(&raw.tags).into_iter().map(|text| text.value).collect(),
            documented: or(&raw.documented, default.documented),
            responses: self.described(raw.responses.as_ref()),
            request: self.request(raw.request.as_ref()),
            parameters: self.parameters(raw, &default.pattern),
            auth: raw.auth.as_ref().and_then(|auth| self.auth(auth, &default.name)),
            limit: raw.limit.as_ref().and_then(|limit| self.limit(limit)),
            cors: raw.cors.as_ref().map(|cors| self.cors(cors)),
            before: raw.before.as_ref().and_then(|before| self.subrequest(before, &frame, surface)),
            alter: raw.alter.as_ref().and_then(|alter| self.subrequest(alter, &frame, surface)),
            response: raw.response.as_ref().map(|response| self.response(response)),
            rewrite: raw.rewrite.as_ref().map(|text| self.rewrite(text, &frame)),
            request_headers: self.header_rules(raw.request_headers.as_ref(), &frame),
            response_headers: self.header_rules(raw.response_headers.as_ref(), &frame),
            timeouts: self.route_timeouts(raw.timeout.as_ref()),
            compress: raw.compress.as_ref().map(|compress| self.compress(compress)),
            cache: self.cache(raw.cache.as_ref()),
            access_log: or(&raw.access_log, true),
            ..default
        })
    }

    /// A parameter that is called like a variable could never be named.
    fn not_reserved(&mut self, pattern: &Pattern, raw: &raw::Route) {
        let named = pattern.parameters().map(|name| (name.to_owned(), span_of(&raw.pattern)));
        let checked = raw.params.iter().flatten().map(|(name, _)| (name.value.clone(), name.span.clone()));
        for (name, span) in named.chain(checked).collect::<Vec<_>>() {
            if Variable::RESERVED.contains(&name.as_str()) {
                let problem = Problem::error(
                    span,
                    format!("a parameter cannot be called {name:?}: {{{name}}} means something else"),
                );
                self.problems.push(problem.hint("give it another name"));
            }
        }
    }

    fn route_name(&mut self, raw: &raw::Route) -> String {
        let Some(name) = &raw.name else {
            let text = raw.pattern.as_ref().map_or("*", |text| text.trim());
            return text.split_whitespace().collect::<Vec<_>>().join(" ");
        };
        if name.is_empty() || name.len() > 128 || name.chars().any(char::is_control) {
            self.error(
                name.span.as_ref(),
                "the name of a route has 1 to 128 bytes, and no control characters",
            );
        }
        name.value.clone()
    }

    fn conditions(&mut self, raw: &raw::Route) -> Vec<ConditionSpec> {
        let mut conditions = Vec::new();
        for (name, expected) in raw.headers.iter().flatten() {
            let Some(header) = self.header_name(name) else { continue };
            if header.is("host") {
                let problem = Problem::error(name.span.clone(), "the host is no condition on headers here");
                self.problems.push(problem.hint("write host = \"example.org\""));
            }
            conditions.push(ConditionSpec::Header(header, self::expected(expected)));
        }
        for (name, expected) in raw.query.iter().flatten() {
            conditions.push(ConditionSpec::Query(name.value.clone(), self::expected(expected)));
        }
        for (name, expected) in raw.cookies.iter().flatten() {
            if self.header_name(name).is_some() {
                conditions.push(ConditionSpec::Cookie(name.value.clone(), self::expected(expected)));
            }
        }
        let ranges: Vec<IpRange> = listed(&raw.source).iter().filter_map(|text| self.word(text)).collect();
        if !ranges.is_empty() {
            conditions.push(ConditionSpec::Source(ranges));
        }
        match raw.scheme.as_ref().map(|scheme| scheme.as_str()) {
            Some("https") => conditions.push(ConditionSpec::Secure(true)),
            Some("http") => conditions.push(ConditionSpec::Secure(false)),
            Some(other) => {
                let message = format!("{other:?} is no scheme; write \"http\" or \"https\"");
                self.error(span_of(&raw.scheme).as_ref(), message);
            }
            None => {}
        }
        let sockets = self.own_sockets(&raw.socket);
        if !sockets.is_empty() {
            conditions.push(ConditionSpec::Socket(sockets));
        }
        conditions
    }

    fn described(&mut self, written: Option<&raw::TextTable>) -> Vec<(u16, String)> {
        let all = written.into_iter().flatten();
        all.filter_map(|(status, words)| Some((self.status(status)?, words.value.clone()))).collect()
    }

    /// A path that the action sees; it is filled in, so it may have variables anywhere but at its begin.
    fn rewrite(&mut self, text: &Located<String>, frame: &Frame<'_>) -> remuda_model::gateway::Template {
        if !text.starts_with('/') && !text.starts_with("{uri}") && !text.starts_with("{path}") {
            let problem = Problem::error(text.span.clone(), format!("{:?} is no path", text.value));
            self.problems.push(problem.hint("write what the action sees: \"/v1/{rest}\""));
        }
        if frame.raw.files.is_none() && frame.raw.to.is_none() {
            let message = "`rewrite` has no effect: this action does not look at the path";
            self.problems.push(Problem::warning(text.span.clone(), message));
        }
        if text.bytes().any(|byte| byte <= b' ' || byte >= 0x7f || byte == b'#') {
            self.error(
                text.span.as_ref(),
                "a path has no blanks, no \"#\", and ASCII alone; percent-encode the rest",
            );
        }
        self.template(text, &frame.parameters)
    }

    pub(super) fn header_rules(&mut self, raw: Option<&raw::Headers>, frame: &Frame<'_>) -> HeaderRules {
        let Some(raw) = raw else { return HeaderRules::default() };
        let mut pairs = |table: &Option<raw::TextTable>| {
            let mut pairs = Vec::new();
            for (name, value) in table.iter().flatten() {
                let value = self.header_value(value, &frame.parameters);
                let Some(checked) = self.header_name(name) else { continue };
                if FRAMING.iter().any(|framing| checked.is(framing)) {
                    let message = format!("{checked} says how bodies are framed, and is the gateway's own");
                    self.error(name.span.as_ref(), message);
                }
                pairs.push((checked, value));
            }
            pairs
        };
        let (set, add) = (pairs(&raw.set), pairs(&raw.add));
        HeaderRules { remove: self.header_names(&raw.remove), set, add }
    }

    fn route_timeouts(&mut self, raw: Option<&Located<raw::RouteTimeout>>) -> RouteTimeouts {
        let Some(raw) = raw else { return RouteTimeouts::default() };
        match &raw.value {
            raw::RouteTimeout::Text(text) => {
                let Some(time) = self.word::<raw::Duration>(&raw.with(text.clone())) else {
                    return RouteTimeouts::default();
                };
                let first_byte: Field<raw::Duration> = Some(raw.with(time));
                RouteTimeouts { first_byte: self.optional_time(&first_byte), ..RouteTimeouts::default() }
            }
            raw::RouteTimeout::Table(table) => RouteTimeouts {
                first_byte: self.optional_time(&table.first_byte),
                idle: self.optional_time(&table.idle),
                total: self.optional_time(&table.total),
            },
        }
    }

    fn cache(&mut self, raw: Option<&Located<raw::Cache>>) -> Vec<CacheRule> {
        let Some(raw) = raw else { return Vec::new() };
        let mut rules = match &raw.value {
            raw::Cache::Text(text) => vec![(Located::from("*"), raw.with(text.clone()))],
            raw::Cache::Paths(table) => {
                table.iter().map(|(path, value)| (path.clone(), value.clone())).collect()
            }
        };
        // The one that says most of a path comes first.
        rules.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        for (path, value) in &rules {
            if !is_header_value(value) || value.is_empty() {
                let problem = Problem::error(
                    value.span.clone(),
                    format!("{:?} is no value of Cache-Control", value.value),
                );
                self.problems.push(problem.hint("write \"public, max-age=3600\""));
            }
            if !path.starts_with(['/', '*']) {
                self.error(
                    path.span.as_ref(),
                    format!("{:?} is no path: it begins with \"/\" or \"*\"", path.value),
                );
            }
        }
        rules.into_iter().map(|(path, value)| CacheRule { paths: path.value, value: value.value }).collect()
    }
}

/// Headers that rules of a route would break messages with.
const FRAMING: [&str; 4] = ["content-length", "transfer-encoding", "connection", "upgrade"];

fn expected(written: &raw::Expected) -> Expected {
    match written {
        raw::Expected::There(true) => Expected::Present,
        raw::Expected::There(false) => Expected::Absent,
        raw::Expected::Like(text) => Expected::Like(text.clone()),
    }
}

fn free_name(name: &str, names: &BTreeMap<String, usize>) -> String {
    let numbered = (2..).map(|number: usize| format!("{name} ({number})"));
    numbered.into_iter().find(|name| !names.contains_key(name)).unwrap_or_default()
}
