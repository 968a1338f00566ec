//! What a route asks of requests and answers.

use std::time::Duration;

use regex_lite::Regex;
use remuda_model::gateway::{
    AuthScheme, AuthSpec, CorsSpec, HeaderName, LimitKey, PASSWORD_FILE_BYTES_MAX, ParameterKind,
    ParameterPlace, ParameterSpec, PasswordHash, Pattern, Rate, RateLimitSpec, RequestSpec, ResponseCheck,
    SchemaSpec, SubrequestSpec, Template, password_lines,
};

use super::route::Frame;
use super::{COUNT_MOST, Surface, listed, span_of};
use crate::nearest::nearest;
use crate::raw::{self, Field, Located};
use crate::report::Problem;
use crate::resolve::{Resolution, or};

/// Longest JSON Schema, bytes.
const SCHEMA_BYTES_MAX: usize = 1 << 20;

impl Resolution<'_> {
    pub(super) fn request(&mut self, raw: Option<&Located<raw::Request>>) -> RequestSpec {
        let Some(raw) = raw else { return RequestSpec::default() };
        let table = match &raw.value {
            raw::Request::Text(text) => raw::RequestTable {
                types: Some(raw.with(raw::Texts(vec![raw.with(text.clone())]))),
                ..raw::RequestTable::default()
            },
            raw::Request::Table(table) => table.clone(),
        };
        RequestSpec {
            types: self.types(&table.types),
            max: table.max.as_ref().map(|size| size.0),
            required: or(&table.required, false),
            schema: table.schema.as_ref().and_then(|file| self.schema(file)),
            headers: self.header_names(&table.headers),
            description: table.description.map(|text| text.value),
        }
    }

    pub(super) fn response(&mut self, raw: &Located<raw::Response>) -> ResponseCheck {
        let table = match &raw.value {
            raw::Response::Text(text) => raw::ResponseTable {
                types: Some(raw.with(raw::Texts(vec![raw.with(text.clone())]))),
                ..raw::ResponseTable::default()
            },
            raw::Response::Table(table) => table.clone(),
        };
        self.demand(
            &table.otherwise,
            |status| (400..=599).contains(status),
            "this is a status from 400 to 599",
        );
        ResponseCheck {
            types: self.types(&table.types),
            schema: table.schema.as_ref().and_then(|file| self.schema(file)),
            otherwise: or(&table.otherwise, 502),
        }
    }

    /// A JSON Schema in a file; it refers to no other file.
    fn schema(&mut self, written: &Located<String>) -> Option<SchemaSpec> {
        let (path, text) = self.file_text(written, "the schema", SCHEMA_BYTES_MAX)?;
        let schema: serde_json::Value = match serde_json::from_str(&text) {
            Ok(schema) => schema,
            Err(why) => {
                self.error(written.span.as_ref(), format!("the schema {} is no JSON: {why}", path.display()));
                return None;
            }
        };
        if let Err(why) = crate::json_schema::check(&schema) {
            self.error(written.span.as_ref(), format!("{} is no JSON Schema: {why}", path.display()));
            return None;
        }
        Some(SchemaSpec { path, text: schema.to_string() })
    }

    pub(super) fn parameters(&mut self, raw: &raw::Route, pattern: &Pattern) -> Vec<ParameterSpec> {
        let all = raw.params.iter().flatten();
        all.filter_map(|(name, parameter)| self.parameter(name, parameter, pattern)).collect()
    }

    fn parameter(
        &mut self,
        name: &Located<String>,
        raw: &Located<raw::Parameter>,
        pattern: &Pattern,
    ) -> Option<ParameterSpec> {
        let table = match &raw.value {
            raw::Parameter::Text(kind) => {
                raw::ParameterTable { kind: Some(raw.with(kind.clone())), ..raw::ParameterTable::default() }
            }
            raw::Parameter::Table(table) => table.clone(),
        };
        let in_path = pattern.parameters().any(|own| own == name.as_str());
        let default = if in_path { ParameterPlace::Path } else { ParameterPlace::Query };
        let place = or(&table.place, default);
        if place == ParameterPlace::Path && !in_path {
            let problem =
                Problem::error(span_of(&table.place), format!("`match` has no parameter {:?}", name.value));
            self.problems.push(problem.nearest(nearest(name, pattern.parameters())));
        }
        if matches!(place, ParameterPlace::Header | ParameterPlace::Cookie) && HeaderName::new(name).is_err()
        {
            self.error(name.span.as_ref(), format!("{:?} is no name of a header or cookie", name.value));
        }
        let kind = self.parameter_kind(&table)?;
        let spec = ParameterSpec {
            name: name.value.clone(),
            place,
            kind,
            required: or(&table.required, place == ParameterPlace::Path),
            default: table.default.as_ref().map(|value| value.to_string()),
            description: table.description.as_ref().map(|text| text.value.clone()),
        };
        if let (Some(_), false) = (&table.default, place == ParameterPlace::Query) {
            self.error(span_of(&table.default).as_ref(), "only a parameter of the query has a default");
        }
        if let Some(value) = &spec.default
            && let Err(why) = spec.kind.check(value)
        {
            self.error(span_of(&table.default).as_ref(), format!("its own default does not fit: {why}"));
        }
        if let (Some(_), true) = (&spec.default, spec.required) {
            self.error(span_of(&table.required).as_ref(), "what is required has no use for a default");
        }
        Some(spec)
    }

    fn parameter_kind(&mut self, table: &raw::ParameterTable) -> Option<ParameterKind> {
        const KINDS: [&str; 6] = ["string", "int", "number", "bool", "uuid", "date"];
        let word = table.kind.clone().unwrap_or_else(|| "string".into());
        if let Some(values) = &table.values {
            let all: Vec<String> = listed(&table.values).into_iter().map(|text| text.value).collect();
            if all.is_empty() || word.as_str() != "string" {
                self.error(values.span.as_ref(), "`values` are the texts that a string may be, at least one");
            }
            return Some(ParameterKind::Enum(all));
        }
        let is_bounded = matches!(word.as_str(), "string" | "int" | "number");
        for (key, span) in [("min", span_of(&table.min)), ("max", span_of(&table.max))] {
            if span.is_some() && !is_bounded {
                self.error(span.as_ref(), format!("a parameter of type {:?} has no `{key}`", word.value));
            }
        }
        if let (Some(pattern), false) = (&table.pattern, word.as_str() == "string") {
            self.error(pattern.span.as_ref(), "only a string has a `pattern`");
        }
        Some(match word.as_str() {
            "string" => {
                let pattern = table.pattern.as_ref().and_then(|pattern| self.whole_pattern(pattern));
                let length = |this: &mut Self, bound: &Field<raw::Bound>| {
                    this.bound::<u64>(bound, "a whole number from 0 up")
                };
                ParameterKind::String {
                    min: length(self, &table.min),
                    max: length(self, &table.max),
                    pattern,
                }
            }
            "int" => ParameterKind::Int {
                min: self.bound(&table.min, "a whole number"),
                max: self.bound(&table.max, "a whole number"),
            },
            "number" => {
                let bound = |this: &mut Self, bound: &Field<raw::Bound>| {
                    this.bound::<f64>(bound, "a number").map(|number| number.to_string())
                };
                ParameterKind::Number { min: bound(self, &table.min), max: bound(self, &table.max) }
            }
            "bool" => ParameterKind::Bool,
            "uuid" => ParameterKind::Uuid,
            "date" => ParameterKind::Date,
            other => {
                let message = format!("{other:?} is no type of a parameter; write {}", KINDS.join(", "));
                self.problems.push(Problem::error(word.span.clone(), message).nearest(nearest(other, KINDS)));
                return None;
            }
        })
    }

    fn bound<T: std::str::FromStr>(&mut self, written: &Field<raw::Bound>, what: &str) -> Option<T> {
        let written = written.as_ref()?;
        let parsed = written.to_string().parse().ok();
        if parsed.is_none() {
            self.error(written.span.as_ref(), format!("this is {what} here"));
        }
        parsed
    }

    fn whole_pattern(&mut self, written: &Located<String>) -> Option<String> {
        match Regex::new(&format!("^(?:{})$", written.value)) {
            Ok(_) => Some(written.value.clone()),
            Err(why) => {
                self.error(written.span.as_ref(), format!("this is no regular expression: {why}"));
                None
            }
        }
    }

    pub(super) fn auth(&mut self, raw: &Located<raw::Auth>, route: &str) -> Option<AuthSpec> {
        let (scheme, file, realm) = match &raw.value {
            raw::Auth::Text(text) => {
                let (scheme, file) = match text.split_once(':') {
                    Some(("basic", file)) => (AuthScheme::Basic, file),
                    Some(("bearer", file)) => (AuthScheme::Bearer, file),
                    _ => {
                        let problem =
                            Problem::error(raw.span.clone(), format!("{text:?} does not say who may ask"));
                        self.problems.push(
                            problem.hint("write \"basic:FILE\" for passwords, \"bearer:FILE\" for tokens"),
                        );
                        return None;
                    }
                };
                (scheme, raw.with(file.to_owned()), None)
            }
            raw::Auth::Table(table) => {
                let (Some(scheme), Some(file)) = (&table.scheme, &table.file) else {
                    self.error(raw.span.as_ref(), "who may ask is said by a `scheme` and a `file`");
                    return None;
                };
                (scheme.value, file.clone(), table.realm.clone())
            }
        };
        let realm = realm.unwrap_or_else(|| route.to_owned().into());
        if realm.contains(['"', '\\']) || !super::is_header_value(&realm) {
            self.error(
                realm.span.as_ref().or(raw.span.as_ref()),
                "a realm has no quotes, backslashes and control characters",
            );
        }
        let (path, text) = self.file_text(&file, "the file of who may ask,", PASSWORD_FILE_BYTES_MAX)?;
        match password_lines(&text) {
            Ok(lines) if lines.is_empty() => {
                let message = format!("nobody is in {}: nobody may ask", path.display());
                self.problems.push(Problem::warning(file.span.clone(), message));
            }
            Ok(lines) => {
                let slow = lines
                    .iter()
                    .any(|line| matches!(line.hash, PasswordHash::Bcrypt(_) | PasswordHash::ShaCrypt(_)));
                if slow && scheme == AuthScheme::Bearer {
                    let message = format!(
                        "{} has hashes of passwords: tokens are compared faster as sha256:HEX",
                        path.display()
                    );
                    self.problems.push(Problem::warning(file.span.clone(), message));
                }
            }
            Err(why) => self.error(file.span.as_ref(), format!("{}: {why}", path.display())),
        }
        Some(AuthSpec { scheme, file: path, realm: realm.value })
    }

    pub(super) fn limit(&mut self, raw: &Located<raw::RateLimit>) -> Option<RateLimitSpec> {
        let table = match &raw.value {
            raw::RateLimit::Text(text) => {
                raw::RateLimitTable { rate: Some(raw.with(text.clone())), ..raw::RateLimitTable::default() }
            }
            raw::RateLimit::Table(table) => table.clone(),
        };
        let Some(rate) = &table.rate else {
            self.error(raw.span.as_ref(), "a limit has a `rate`");
            return None;
        };
        let rate: Rate = self.word(rate)?;
        self.demand(
            &table.burst,
            |count| (1..=COUNT_MOST).contains(count),
            "a burst is a number from 1 to 10000000",
        );
        let key = table.key.as_ref().map_or_else(LimitKey::default, |text| self.limit_key(text));
        Some(RateLimitSpec { rate, burst: or(&table.burst, rate.count()), key })
    }

    fn limit_key(&mut self, text: &Located<String>) -> LimitKey {
        const WORDS: [&str; 6] = ["address", "route", "host", "user", "header:NAME", "cookie:NAME"];
        let token = |name: &str| HeaderName::new(name).ok().map(|_| name.to_owned());
        let found = match text.as_str() {
            "address" => Some(LimitKey::Address),
            "route" => Some(LimitKey::Route),
            "host" => Some(LimitKey::Host),
            "user" => Some(LimitKey::User),
            other => match other.split_once(':') {
                Some(("header", name)) => token(name).map(LimitKey::Header),
                Some(("cookie", name)) => token(name).map(LimitKey::Cookie),
                _ => None,
            },
        };
        found.unwrap_or_else(|| {
            let message =
                format!("{:?} does not say who is counted together; write {}", text.value, WORDS.join(", "));
            self.problems.push(Problem::error(text.span.clone(), message).nearest(nearest(text, WORDS)));
            LimitKey::default()
        })
    }

    pub(super) fn cors(&mut self, raw: &Located<raw::Cors>) -> CorsSpec {
        let table = match &raw.value {
            raw::Cors::Origins(origins) => {
                raw::CorsTable { origins: Some(raw.with(origins.clone())), ..raw::CorsTable::default() }
            }
            raw::Cors::Table(table) => (**table).clone(),
        };
        let origins = self.origins(&table.origins);
        if origins.is_empty() && listed(&table.origins).is_empty() {
            self.error(raw.span.as_ref(), "CORS has `origins`");
        }
        let credentials = or(&table.credentials, false);
        if credentials && origins.iter().any(|origin| origin == "*") {
            let problem = Problem::error(
                span_of(&table.credentials),
                "every page of the web could act for its visitors: no browser takes `credentials` with \"*\"",
            );
            self.problems
                .push(problem.related(span_of(&table.origins), "all origins").hint("name the origins"));
        }
        CorsSpec {
            origins,
            methods: self.methods(&table.methods),
            headers: self.header_names(&table.headers),
            expose: self.header_names(&table.expose),
            credentials,
            max_age: table.max_age.as_ref().map_or(Duration::from_secs(3600), |time| time.0),
        }
    }

    pub(super) fn subrequest(
        &mut self,
        raw: &Located<raw::Subrequest>,
        frame: &Frame<'_>,
        surface: &mut Surface<'_>,
    ) -> Option<SubrequestSpec> {
        let table = match &raw.value {
            raw::Subrequest::Text(text) => {
                let (to, path) = text
                    .trim()
                    .split_once(' ')
                    .map_or((text.trim(), None), |(to, path)| (to, Some(path.trim_start())));
                raw::SubrequestTable {
                    to: Some(raw.with(to.to_owned())),
                    path: path.map(|path| raw.with(path.to_owned())),
                    ..raw::SubrequestTable::default()
                }
            }
            raw::Subrequest::Table(table) => table.clone(),
        };
        let Some(to) = &table.to else {
            self.error(raw.span.as_ref(), "who is asked is said by `to`");
            return None;
        };
        let (upstream, base) = self.target(to, surface)?;
        self.demand(
            &table.refuse,
            |status| (400..=599).contains(status),
            "a refusal has a status from 400 to 599",
        );
        let path = table.path.clone().unwrap_or_else(|| "{uri}".into());
        if !path.starts_with(['/', '{']) {
            self.error(path.span.as_ref(), format!("{:?} is no path", path.value));
        }
        let path: Template = self.template(&path.with(format!("{base}{}", path.value)), &frame.parameters);
        Some(SubrequestSpec {
            upstream,
            path,
            timeout: self.time(&table.timeout, Duration::from_secs(5)),
            body: or(&table.body, false),
            headers: self.header_names(&table.headers),
            refuse: table.refuse.as_ref().map(|status| status.value),
        })
    }
}
