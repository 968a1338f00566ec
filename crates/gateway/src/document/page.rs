//! The routes as a page.

use std::fmt::Write as _;

use remuda_model::gateway::{
    Action, AuthScheme, GatewaySpec, ParameterKind, ParameterPlace, ParameterSpec, RouteSpec, Segment,
};

use super::{answers, body_schema, deed, documented, methods};
use crate::server::escape;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The routes of a gateway as a page.
#[must_use]
pub fn page(spec: &GatewaySpec) -> String {
    let routes: Vec<(usize, &RouteSpec)> = documented(spec).enumerate().collect();
    let mut groups: Vec<(&str, Vec<(usize, &RouteSpec)>)> = Vec::new();
    for (number, route) in routes {
        let name = route.tags.first().map_or("", String::as_str);
        match groups.iter_mut().find(|(own, _)| *own == name) {
            Some((_, routes)) => routes.push((number, route)),
            None => groups.push((name, vec![(number, route)])),
        }
    }
    let title = escape(if spec.title.is_empty() { "API" } else { &spec.title });
    let mut out = String::with_capacity(32 << 10);
    // Writing to a String does not fail, here and below.
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head><body><div class=\"wrap\">\
         <nav aria-label=\"Routes\"><input id=\"filter\" type=\"search\" placeholder=\"Filter\" aria-label=\"Filter routes\">\
         <div class=\"list\">"
    );
    for (name, routes) in &groups {
        let _ = write!(out, "<div data-group><h2>{}</h2>", escape(shown(name)));
        for (number, route) in routes {
            let method = method_word(route);
            // What is too long for the menu is cut there, and whole where a pointer rests on it.
            let entry = escape(route.summary.as_deref().unwrap_or_else(|| route.pattern.as_str()));
            let _ = write!(
                out,
                "<a href=\"#r{number}\" title=\"{entry}\" data-words=\"{}\"><span class=\"m {method}\">{method}</span>\
                 <span class=\"t\">{entry}</span></a>",
                escape(&words(route)),
            );
        }
        out.push_str("</div>");
    }
    let _ = write!(out, "</div></nav><main><h1>{title}<small>version {}</small></h1>", escape(&spec.version));
    if let Some(description) = &spec.description {
        let _ = write!(out, "<p class=\"lead\">{}</p>", escape(description));
    }
    if groups.is_empty() {
        out.push_str("<p class=\"none\">No route is documented.</p>");
    }
    for (name, routes) in &groups {
        let _ = write!(out, "<section data-group><h2>{}</h2>", escape(shown(name)));
        routes.iter().for_each(|(number, route)| article(&mut out, *number, route));
        out.push_str("</section>");
    }
    let _ = writeln!(out, "</main></div><script>{SCRIPT}</script></body></html>");
    out
}

fn shown(group: &str) -> &str {
    if group.is_empty() { "Routes" } else { group }
}

fn method_word(route: &RouteSpec) -> &str {
    route.methods.first().map_or("ANY", |method| method.as_str())
}

/// What a route is found by.
fn words(route: &RouteSpec) -> String {
    let parts = [
        route.name.as_str(),
        route.pattern.as_str(),
        route.summary.as_deref().unwrap_or_default(),
        route.description.as_deref().unwrap_or_default(),
    ];
    parts.join(" ").to_lowercase()
}

fn article(out: &mut String, number: usize, route: &RouteSpec) {
    let _ = write!(out, "<article id=\"r{number}\" data-words=\"{}\"><h3>", escape(&words(route)));
    let names: Vec<&str> = if route.methods.is_empty() { vec!["ANY"] } else { methods(route) };
    for name in names {
        let _ = write!(out, "<span class=\"m {0}\">{0}</span>", escape(name));
    }
    let _ = write!(out, "<span class=\"path\">{}</span></h3>", path(route));
    if let Some(summary) = &route.summary {
        let _ = write!(out, "<p class=\"sum\">{}</p>", escape(summary));
    }
    let description = route.description.as_deref().unwrap_or_default();
    let _ = write!(out, "<p class=\"text\">{}</p>", escape(format!("{description}\n{}", deed(route)).trim()));
    chips(out, route);
    parameters(out, route);
    let _ = write!(out, "<table><thead><tr><th>Status</th><th>Meaning</th></tr></thead><tbody>");
    for (status, words) in answers(route) {
        let _ = write!(out, "<tr><td><code>{status}</code></td><td>{}</td></tr>", escape(&words));
    }
    out.push_str("</tbody></table>");
    if let Some(schema) = body_schema(route) {
        let _ = write!(
            out,
            "<details><summary>What the body must be (JSON Schema)</summary><pre>{}</pre></details>",
            escape(&schema)
        );
    }
    if !matches!(route.action, Action::WebSocket(_) | Action::SocketIo(_) | Action::ServerSent(_)) {
        form(out, route);
    }
    out.push_str("</article>");
}

/// The pattern, its parameters marked.
fn path(route: &RouteSpec) -> String {
    let mut out = String::new();
    for segment in route.pattern.segments() {
        out.push('/');
        match segment {
            Segment::Text(text) => out.push_str(&escape(text)),
            Segment::Rest { name } => {
                let _ = write!(out, "<b>{{{}*}}</b>", escape(name));
            }
            Segment::Parameter { prefix, name, suffix, .. } => {
                let _ = write!(out, "{}<b>{{{}}}</b>{}", escape(prefix), escape(name), escape(suffix));
            }
        }
    }
    out
}

fn chips(out: &mut String, route: &RouteSpec) {
    let mut chips: Vec<String> = route.hosts.iter().map(|host| format!("host {host}")).collect();
    chips.extend(route.conditions.iter().map(ToString::to_string));
    chips.extend(route.auth.as_ref().map(|auth| match auth.scheme {
        AuthScheme::Basic => "name and password".to_owned(),
        AuthScheme::Bearer => "token".to_owned(),
    }));
    chips.extend(route.limit.as_ref().map(|limit| format!("at most {}", limit.rate)));
    chips.extend(route.request.types.iter().map(|kind| format!("takes {kind}")));
    chips.extend(route.request.max.map(|max| format!("body up to {max} bytes")));
    chips.extend(route.cors.as_ref().map(|cors| format!("pages of {}", cors.origins.join(", "))));
    if chips.is_empty() {
        return;
    }
    let items: String = chips.iter().map(|chip| format!("<li>{}</li>", escape(chip))).collect();
    let _ = write!(out, "<ul class=\"chips\">{items}</ul>");
}

fn parameters(out: &mut String, route: &RouteSpec) {
    let bare = route.pattern.segments().iter().filter_map(|segment| {
        let name = segment.parameter()?;
        let is_checked = route.parameters.iter().any(|spec| spec.name == name);
        (!is_checked).then(|| (name.to_owned(), "path", kind_of(segment), String::new()))
    });
    let checked = route.parameters.iter().map(|spec| {
        let mut words = spec.description.clone().unwrap_or_default();
        if let Some(default) = &spec.default {
            words = format!("{words} Default: {default}.");
        }
        let need = if spec.required { "" } else { ", optional" };
        (spec.name.clone(), place(spec.place), format!("{}{need}", kind(spec)), words)
    });
    let headers = route
        .request
        .headers
        .iter()
        .map(|name| (name.to_string(), "header", "required".to_owned(), String::new()));
    let rows: Vec<_> = bare.chain(checked).chain(headers).collect();
    if rows.is_empty() {
        return;
    }
    out.push_str(
        "<table><thead><tr><th>Parameter</th><th>In</th><th>Type</th><th>Meaning</th></tr></thead><tbody>",
    );
    for (name, place, kind, words) in rows {
        let _ = write!(
            out,
            "<tr><td><code>{}</code></td><td>{place}</td><td>{}</td><td>{}</td></tr>",
            escape(&name),
            escape(&kind),
            escape(words.trim())
        );
    }
    out.push_str("</tbody></table>");
}

fn place(place: ParameterPlace) -> &'static str {
    match place {
        ParameterPlace::Query => "query",
        ParameterPlace::Path => "path",
        ParameterPlace::Header => "header",
        ParameterPlace::Cookie => "cookie",
    }
}

fn kind_of(segment: &Segment) -> String {
    match segment {
        Segment::Parameter { kind, .. } => kind.word().unwrap_or("text").to_owned(),
        Segment::Rest { .. } => "rest of the path".to_owned(),
        Segment::Text(_) => String::new(),
    }
}

fn kind(spec: &ParameterSpec) -> String {
    let range = |min: Option<String>, max: Option<String>| match (min, max) {
        (Some(min), Some(max)) => format!(" from {min} to {max}"),
        (Some(min), None) => format!(" from {min}"),
        (None, Some(max)) => format!(" up to {max}"),
        (None, None) => String::new(),
    };
    match &spec.kind {
        ParameterKind::String { min, max, pattern } => {
            let length = range(min.map(|min| min.to_string()), max.map(|max| max.to_string()));
            let length = if length.is_empty() { length } else { format!(", length{length}") };
            let pattern = pattern.as_ref().map(|pattern| format!(", like {pattern}")).unwrap_or_default();
            format!("text{length}{pattern}")
        }
        ParameterKind::Int { min, max } => {
            format!("whole number{}", range(min.map(|min| min.to_string()), max.map(|max| max.to_string())))
        }
        ParameterKind::Number { min, max } => format!("number{}", range(min.clone(), max.clone())),
        ParameterKind::Bool => "true or false".to_owned(),
        ParameterKind::Uuid => "UUID".to_owned(),
        ParameterKind::Date => "date".to_owned(),
        ParameterKind::Enum(values) => values.join(" or "),
    }
}

/// A form by which a request can be sent.
fn form(out: &mut String, route: &RouteSpec) {
    let (target, mut fields) = path_fields(route);
    checked_fields(&mut fields, route);
    let names = methods(route);
    let options: String = names.iter().map(|name| format!("<option>{}</option>", escape(name))).collect();
    if names.iter().any(|name| matches!(*name, "POST" | "PUT" | "PATCH")) {
        let default = if route.request.schema.is_some() { "application/json" } else { "" };
        let kind = route.request.types.first().map_or(default, String::as_str);
        let _ = write!(
            fields,
            "<label>Content-Type<input name=\"type\" value=\"{}\"></label><label class=\"wide\">Body\
             <textarea name=\"body\" spellcheck=\"false\"></textarea></label>",
            escape(kind)
        );
    }
    let _ = write!(
        out,
        "<details><summary>Try it</summary><form data-path=\"{}\"><label>Method<select name=\"method\">{options}</select>\
         </label>{fields}<button>Send</button></form><pre hidden aria-live=\"polite\"></pre></details>",
        escape(&target)
    );
}

/// The path with its parameters in braces, and a field for each.
fn path_fields(route: &RouteSpec) -> (String, String) {
    let (mut target, mut fields) = (String::new(), String::new());
    for segment in route.pattern.segments() {
        target.push('/');
        let (prefix, name, suffix, kind) = match segment {
            Segment::Text(text) => {
                target.push_str(text);
                continue;
            }
            Segment::Rest { name } => ("", name, "", "data-rest"),
            Segment::Parameter { prefix, name, suffix, .. } => {
                (prefix.as_str(), name, suffix.as_str(), "required")
            }
        };
        let _ = write!(target, "{prefix}{{{name}}}{suffix}");
        let _ = write!(
            fields,
            "<label>{0}<input data-in=\"path\" data-name=\"{0}\" {kind}></label>",
            escape(name)
        );
    }
    (target, fields)
}

/// Fields for what a route checks.
fn checked_fields(fields: &mut String, route: &RouteSpec) {
    let is_field =
        |spec: &&ParameterSpec| matches!(spec.place, ParameterPlace::Query | ParameterPlace::Header);
    for spec in route.parameters.iter().filter(is_field) {
        let hint = spec.default.as_deref().unwrap_or_default();
        let need = if spec.required { " required" } else { "" };
        let _ = write!(
            fields,
            "<label>{0}<input data-in=\"{1}\" data-name=\"{0}\" placeholder=\"{2}\"{need}></label>",
            escape(&spec.name),
            place(spec.place),
            escape(hint)
        );
    }
    for name in &route.request.headers {
        let _ = write!(
            fields,
            "<label>{0}<input data-in=\"header\" data-name=\"{0}\" required></label>",
            escape(name.as_str())
        );
    }
    let Some(auth) = &route.auth else { return };
    let (kind, words) = match auth.scheme {
        AuthScheme::Basic => ("password", "name:password"),
        AuthScheme::Bearer => ("token", "token"),
    };
    let _ = write!(
        fields,
        "<label>{words}<input type=\"password\" autocomplete=\"off\" data-in=\"{kind}\"></label>"
    );
}
