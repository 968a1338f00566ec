//! The routes as OpenAPI 3.1.
//!
//! OpenAPI knows a path by its shape, whatever its parameters are called, and has one operation for each method of it. So
//! routes that differ by host, type of a parameter or conditions alone share a path: the first is described, names the
//! others, and takes in their bodies and answers.

use std::collections::{BTreeMap, BTreeSet};

use remuda_model::gateway::{
    AuthScheme, GatewaySpec, ParameterKind, ParameterPlace, ParameterSpec, RequestSpec, RouteSpec, Segment,
    SegmentKind,
};
use serde_json::{Map, Value, json};

use super::{answers, deed, documented, methods};

/// Methods that OpenAPI has operations for.
const OPERATIONS: [&str; 8] = ["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"];

/// The routes of a gateway as an OpenAPI document.
#[must_use]
pub fn openapi(spec: &GatewaySpec) -> Value {
    let mut build = Build::default();
    for route in documented(spec) {
        build.route(route);
    }
    let mut info = json!({
        "title": if spec.title.is_empty() { "API" } else { &spec.title },
        "version": spec.version,
    });
    if let Some(description) = &spec.description {
        info["description"] = json!(description);
    }
    let paths: Map<String, Value> =
        build.paths.into_iter().map(|path| (path.key, Value::Object(path.item))).collect();
    let mut document = json!({
        "openapi": "3.1.0", "info": info, "servers": [{ "url": "/" }], "paths": paths,
    });
    if !build.tags.is_empty() {
        document["tags"] = build.tags.iter().map(|tag| json!({ "name": tag })).collect();
    }
    let mut components = Map::new();
    if !build.schemas.is_empty() {
        components.insert("schemas".into(), Value::Object(build.schemas));
    }
    if !build.schemes.is_empty() {
        let scheme = |name: &&'static str| ((*name).to_owned(), json!({ "type": "http", "scheme": name }));
        components
            .insert("securitySchemes".into(), Value::Object(build.schemes.iter().map(scheme).collect()));
    }
    if !components.is_empty() {
        document["components"] = Value::Object(components);
    }
    document
}

#[derive(Default)]
struct Build {
    paths: Vec<Path>,
    tags: Vec<String>,
    schemas: Map<String, Value>,
    schemes: BTreeSet<&'static str>,
    ids: BTreeSet<String>,
}

struct Path {
    shape: Vec<String>,
    key: String,
    /// Its parameters, in their order.
    names: Vec<String>,
    item: Map<String, Value>,
}

impl Build {
    fn route(&mut self, route: &RouteSpec) {
        for tag in &route.tags {
            if !self.tags.contains(tag) {
                self.tags.push(tag.clone());
            }
        }
        let place = self.path(route);
        for method in methods(route).into_iter().filter(|method| OPERATIONS.contains(method)) {
            let word = method.to_ascii_lowercase();
            if self.paths[place].item.contains_key(&word) {
                let body = self.body(route, method);
                take_in(&mut self.paths[place].item[&word], route, body);
                continue;
            }
            let operation = self.operation(route, method, place);
            self.paths[place].item.insert(word, operation);
        }
    }

    fn path(&mut self, route: &RouteSpec) -> usize {
        let mut shape = Vec::new();
        let (mut key, mut names) = (String::new(), Vec::new());
        for segment in route.pattern.segments() {
            key.push('/');
            match segment {
                Segment::Text(text) => {
                    key.push_str(text);
                    shape.push(text.clone());
                }
                Segment::Rest { name } => {
                    key.push_str(&format!("{{{name}}}"));
                    shape.push("{}".to_owned());
                    names.push(name.clone());
                }
                Segment::Parameter { prefix, name, suffix, .. } => {
                    key.push_str(&format!("{prefix}{{{name}}}{suffix}"));
                    shape.push(format!("{prefix}{{}}{suffix}"));
                    names.push(name.clone());
                }
            }
        }
        if let Some(known) = self.paths.iter().position(|path| path.shape == shape) {
            return known;
        }
        self.paths.push(Path { shape, key, names, item: Map::new() });
        self.paths.len() - 1
    }

    fn operation(&mut self, route: &RouteSpec, method: &str, place: usize) -> Value {
        let description =
            [route.description.clone(), Some(deed(route)), Some(when(route)).filter(|when| !when.is_empty())];
        let description: Vec<String> = description.into_iter().flatten().collect();
        let mut operation = json!({
            "operationId": self.id(route, method),
            "summary": route.summary.as_ref().unwrap_or(&route.name),
            "description": description.join("\n\n"),
            "parameters": self.parameters(route, place),
        });
        if !route.tags.is_empty() {
            operation["tags"] = json!(route.tags);
        }
        if let Some(body) = self.body(route, method) {
            operation["requestBody"] = body;
        }
        let answers = answers(route)
            .into_iter()
            .map(|(status, words)| (status.to_string(), json!({ "description": words })));
        operation["responses"] = Value::Object(answers.collect());
        if let Some(auth) = &route.auth {
            let word = match auth.scheme {
                AuthScheme::Basic => "basic",
                AuthScheme::Bearer => "bearer",
            };
            self.schemes.insert(word);
            operation["security"] = json!([{ word: [] }]);
        }
        operation
    }

    /// A name that no other operation has.
    fn id(&mut self, route: &RouteSpec, method: &str) -> String {
        let mut id = String::new();
        for part in route.name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()) {
            id.push_str(if id.is_empty() { "" } else { "_" });
            id.push_str(part);
        }
        if id.is_empty() {
            id.push_str("route");
        }
        if methods(route).len() > 1 {
            id = format!("{id}_{}", method.to_ascii_lowercase());
        }
        let base = id.clone();
        let mut number = 2;
        while !self.ids.insert(id.clone()) {
            id = format!("{base}_{number}");
            number += 1;
        }
        id
    }

    fn parameters(&self, route: &RouteSpec, place: usize) -> Value {
        let known = &self.paths[place].names;
        let mut all: Vec<Value> = Vec::new();
        let segments = route.pattern.segments().iter().filter(|segment| segment.parameter().is_some());
        for (segment, shown) in segments.zip(known) {
            let own = segment.parameter().unwrap_or_default();
            let checked =
                route.parameters.iter().find(|spec| spec.name == own && spec.place == ParameterPlace::Path);
            let schema = checked.map_or_else(|| of_segment(segment), |spec| of_kind(&spec.kind));
            let mut value = json!({ "name": shown, "in": "path", "required": true, "schema": schema });
            let words = checked.and_then(|spec| spec.description.clone());
            let rest = matches!(segment, Segment::Rest { .. })
                .then(|| "The rest of the path, slashes too.".to_owned());
            if let Some(words) = words.or(rest) {
                value["description"] = json!(words);
            }
            all.push(value);
        }
        all.extend(route.parameters.iter().filter(|spec| spec.place != ParameterPlace::Path).map(parameter));
        let headers = route.request.headers.iter().filter(|name| {
            !["content-type", "accept", "authorization"].iter().any(|own| name.is(own))
                && !route
                    .parameters
                    .iter()
                    .any(|spec| spec.place == ParameterPlace::Header && name.is(&spec.name))
        });
        all.extend(headers.map(|name| {
            json!({ "name": name.as_str(), "in": "header", "required": true, "schema": { "type": "string" } })
        }));
        Value::Array(all)
    }

    fn body(&mut self, route: &RouteSpec, method: &str) -> Option<Value> {
        let request = &route.request;
        let has_none = *request == RequestSpec::default();
        if has_none || matches!(method, "GET" | "HEAD" | "DELETE" | "OPTIONS" | "TRACE") {
            return None;
        }
        let schema =
            request.schema.as_ref().and_then(|schema| serde_json::from_str::<Value>(&schema.text).ok());
        let schema = schema.map(|schema| self.schema(&route.name, schema));
        let json_only = || vec!["application/json".to_owned()];
        let types = match (request.types.as_slice(), &schema) {
            ([], Some(_)) => json_only(),
            ([], None) => vec!["*/*".to_owned()],
            (types, _) => types.to_vec(),
        };
        let media = |name: &String| {
            let is_json = name.contains("json");
            let value = schema
                .clone()
                .filter(|_| is_json)
                .map_or_else(|| json!({}), |schema| json!({ "schema": schema }));
            (name.clone(), value)
        };
        let mut body = json!({ "required": request.required, "content": types.iter().map(media).collect::<Map<_, _>>() });
        if let Some(words) = &request.description {
            body["description"] = json!(words);
        }
        Some(body)
    }

    /// A schema among the components, its references pointing there.
    fn schema(&mut self, route: &str, schema: Value) -> Value {
        let plain: String = route.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let mut name = plain.clone();
        let mut number = 2;
        let refer = |name: &str| format!("#/components/schemas/{name}");
        loop {
            let moved = moved(schema.clone(), &refer(&name));
            match self.schemas.get(&name) {
                Some(other) if *other != moved => {
                    name = format!("{plain}_{number}");
                    number += 1;
                }
                _ => {
                    self.schemas.insert(name.clone(), moved);
                    return json!({ "$ref": refer(&name) });
                }
            }
        }
    }
}

/// Adds to an operation what another route has besides, which gets requests that the first does not.
fn take_in(first: &mut Value, route: &RouteSpec, body: Option<Value>) {
    let text = first["description"].as_str().unwrap_or_default();
    let more = format!("Also: {}. {}", route.name, when(route));
    first["description"] = json!(format!("{text}\n\n{more}").trim());
    match (first.get_mut("requestBody"), body) {
        (Some(known), Some(body)) => {
            known["required"] = json!(known["required"] == true && body["required"] == true);
            missing(&mut known["content"], &body["content"]);
        }
        (Some(known), None) => known["required"] = json!(false),
        (None, Some(mut body)) => {
            body["required"] = json!(false);
            first["requestBody"] = body;
        }
        (None, None) => {}
    }
    let answers = answers(route)
        .into_iter()
        .map(|(status, words)| (status.to_string(), json!({ "description": words })));
    missing(&mut first["responses"], &Value::Object(answers.collect()));
}

/// Puts into an object what it lacks of another.
fn missing(known: &mut Value, other: &Value) {
    let (Some(known), Some(other)) = (known.as_object_mut(), other.as_object()) else { return };
    for (key, value) in other {
        known.entry(key).or_insert_with(|| value.clone());
    }
}

/// A schema whose own references are from `base` on.
fn moved(schema: Value, base: &str) -> Value {
    match schema {
        Value::Object(object) => Value::Object(
            object
                .into_iter()
                .map(|(key, value)| match (key.as_str(), value) {
                    ("$ref", Value::String(text)) if text.starts_with('#') => {
                        (key, Value::String(format!("{base}{}", &text[1..])))
                    }
                    (_, value) => (key, moved(value, base)),
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(|item| moved(item, base)).collect()),
        other => other,
    }
}

/// Hosts and conditions of a route, as a sentence; empty without.
fn when(route: &RouteSpec) -> String {
    let hosts = route.hosts.iter().map(|host| host.to_string());
    let conditions = route.conditions.iter().map(|condition| condition.to_string());
    let all: Vec<String> = hosts.map(|host| format!("host {host}")).chain(conditions).collect();
    if all.is_empty() { String::new() } else { format!("Where: {}.", all.join(", ")) }
}

fn parameter(spec: &ParameterSpec) -> Value {
    let place = match spec.place {
        ParameterPlace::Query => "query",
        ParameterPlace::Path => "path",
        ParameterPlace::Header => "header",
        ParameterPlace::Cookie => "cookie",
    };
    let mut schema = of_kind(&spec.kind);
    if let Some(default) = &spec.default {
        schema["default"] = match &spec.kind {
            ParameterKind::Int { .. } | ParameterKind::Number { .. } => {
                serde_json::from_str(default).unwrap_or_else(|_| json!(default))
            }
            ParameterKind::Bool => json!(matches!(default.as_str(), "true" | "1")),
            _ => json!(default),
        };
    }
    let mut value = json!({ "name": spec.name, "in": place, "required": spec.required, "schema": schema });
    if let Some(words) = &spec.description {
        value["description"] = json!(words);
    }
    value
}

fn of_segment(segment: &Segment) -> Value {
    match segment {
        Segment::Parameter { kind: SegmentKind::Int, .. } => json!({ "type": "integer", "format": "int64" }),
        Segment::Parameter { kind: SegmentKind::Uuid, .. } => json!({ "type": "string", "format": "uuid" }),
        Segment::Parameter { kind: SegmentKind::Alpha, .. } => {
            json!({ "type": "string", "pattern": "^[A-Za-z]+$" })
        }
        _ => json!({ "type": "string" }),
    }
}

fn of_kind(kind: &ParameterKind) -> Value {
    let mut bounds: BTreeMap<&str, Value> = BTreeMap::new();
    let number =
        |text: &Option<String>| text.as_ref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let (word, format) = match kind {
        ParameterKind::String { min, max, pattern } => {
            bounds.extend(min.map(|min| ("minLength", json!(min))));
            bounds.extend(max.map(|max| ("maxLength", json!(max))));
            bounds.extend(pattern.as_ref().map(|pattern| ("pattern", json!(format!("^(?:{pattern})$")))));
            ("string", None)
        }
        ParameterKind::Int { min, max } => {
            bounds.extend(min.map(|min| ("minimum", json!(min))));
            bounds.extend(max.map(|max| ("maximum", json!(max))));
            ("integer", Some("int64"))
        }
        ParameterKind::Number { min, max } => {
            bounds.extend(number(min).map(|min| ("minimum", min)));
            bounds.extend(number(max).map(|max| ("maximum", max)));
            ("number", None)
        }
        ParameterKind::Bool => ("boolean", None),
        ParameterKind::Uuid => ("string", Some("uuid")),
        ParameterKind::Date => ("string", Some("date")),
        ParameterKind::Enum(values) => {
            bounds.insert("enum", json!(values));
            ("string", None)
        }
    };
    let mut schema = json!({ "type": word });
    if let Some(format) = format {
        schema["format"] = json!(format);
    }
    for (key, value) in bounds {
        schema[key] = value;
    }
    schema
}
