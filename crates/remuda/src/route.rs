//! `remuda route`: the routes of a config, and which one a request takes. No instance has to run.

use std::fmt::Write as _;
use std::sync::Arc;

use remuda_gateway::routes::{Explanation, Found, Subject, Table, Values, Verdict};
use remuda_model::gateway::{Action, GatewaySpec, HostPattern, RouteSpec};
use remuda_wire::http::{Fields, normalize};
use serde_json::{Value, json};

use crate::arguments::{Global, RouteArguments, RouteCommand, RouteListArguments, RouteTestArguments};
use crate::config_file::{self, Adjustments, LoadError};
use crate::exit::{Exit, Failure, Outcome};
use crate::screen::{BOLD, DIM, GOOD, Screen, paint};
use crate::table::{Cell, Column, Table as Rows};

const fn column(title: &'static str, right: bool, dispensable: u8) -> Column {
    Column { title, right, dispensable }
}

/// Columns of `list`.
const LISTED: [Column; 6] = [
    column("LINE", true, 2),
    column("METHODS", false, 0),
    column("HOST", false, 3),
    column("PATH", false, 0),
    column("ACTION", false, 0),
    column("NAME", false, 1),
];
/// Columns of `test`.
const TESTED: [Column; 3] = [column("LINE", true, 1), column("ROUTE", false, 0), column("WHY NOT", false, 0)];

/// The routes of a config, with their lines.
struct Routes {
    spec: Arc<GatewaySpec>,
    lines: Vec<Option<usize>>,
    socket: String,
}

/// Shows routes.
pub(crate) fn run(arguments: &RouteArguments, global: &Global, screen: &mut Screen) -> Outcome {
    let routes = load(global)?;
    match &arguments.command {
        RouteCommand::List(arguments) => list(&routes, arguments, screen),
        RouteCommand::Test(arguments) => test(&routes, arguments, screen),
    }
}

fn load(global: &Global) -> Result<Routes, Failure> {
    let files = config_file::chosen(&[], global.config.as_deref())?;
    let read = config_file::load(&files, &Adjustments::default()).map_err(LoadError::into_failure)?;
    let loaded = read.loaded;
    let gateway =
        loaded.config.services.values().find_map(|service| Some((service.kind.gateway()?, service)));
    let Some((spec, service)) = gateway else {
        let hint = "write a service with kind = \"gateway\", and [[route]]s";
        return Err(Failure::misuse("this config has no gateway, and so no routes").hint(hint));
    };
    let socket = service.sockets.first().map(ToString::to_string).unwrap_or_default();
    Ok(Routes { spec: Arc::clone(spec), lines: loaded.routes, socket })
}

impl Routes {
    fn line(&self, route: usize) -> Option<usize> {
        self.lines.get(route).copied().flatten()
    }
}

fn list(routes: &Routes, arguments: &RouteListArguments, screen: &mut Screen) -> Outcome {
    if arguments.printing.json {
        let all =
            routes.spec.routes.iter().enumerate().map(|(number, route)| described(routes, number, route));
        screen.json(&json!({ "routes": all.collect::<Vec<_>>() }))?;
        return Ok(Exit::Done);
    }
    let mut rows = Rows::new(&LISTED);
    for (number, route) in routes.spec.routes.iter().enumerate() {
        rows.row(vec![
            Cell::maybe(routes.line(number).map(|line| line.to_string())),
            methods(route).into(),
            hosts(route).into(),
            route.pattern.as_str().into(),
            deed(&route.action).into(),
            Cell::styled(route.name.clone(), DIM),
        ]);
    }
    screen.text(&rows.render(screen.width()))?;
    Ok(Exit::Done)
}

fn test(routes: &Routes, arguments: &RouteTestArguments, screen: &mut Screen) -> Outcome {
    let (method, url) = match arguments.request.as_slice() {
        [method, url] => (method.as_str(), url.as_str()),
        [url] => ("GET", url.as_str()),
        _ => return Err(Failure::misuse("a request is a method and a URL")),
    };
    let asked = Asked::parse(url, &arguments.host)?;
    let mut fields = Fields::new();
    for (name, value) in &arguments.headers {
        fields.append(name, value);
    }
    let mut normal = Vec::new();
    let changed = normalize(asked.path.as_bytes(), &mut normal)
        .map_err(|why| Failure::misuse(format!("{:?} is no path: {why}", asked.path)))?;
    let subject = Subject {
        method,
        host: asked.host.as_bytes(),
        path: if changed { &normal } else { asked.path.as_bytes() },
        query: asked.query.as_deref().map(str::as_bytes),
        fields: &fields,
        source: Some(arguments.from),
        is_secure: asked.is_secure,
        socket: arguments.socket.as_deref().unwrap_or(&routes.socket),
    };
    let table = Table::new(routes.spec.routes.clone());
    let explanation = table.explain(&subject);
    let captured = captured(&explanation, &subject, &routes.spec, asked.uri());
    if arguments.printing.json {
        screen.json(&as_json(routes, &explanation, &captured))?;
    } else {
        let shown = format!("{method} {}", asked.shown());
        screen.text(&as_text(routes, &explanation, &captured, &shown, screen.width()))?;
    }
    let is_found = matches!(explanation.found, Found::Route(_));
    Ok(if is_found { Exit::Done } else { Exit::No })
}

/// A URL, taken apart.
struct Asked {
    is_secure: bool,
    host: String,
    path: String,
    query: Option<String>,
}

impl Asked {
    fn parse(url: &str, host: &str) -> Result<Self, Failure> {
        let (is_secure, host, rest) = match url.split_once("://") {
            Some((scheme @ ("http" | "https"), rest)) => {
                let end = rest.find(['/', '?']).unwrap_or(rest.len());
                (scheme == "https", &rest[..end], &rest[end..])
            }
            None if url.starts_with('/') => (false, host, url),
            _ => {
                let message = format!("{url:?} is no URL");
                return Err(Failure::misuse(message).hint("write https://HOST/PATH, or /PATH"));
            }
        };
        if !is_host(host) {
            let message = format!("{host:?} is no host");
            return Err(Failure::misuse(message).hint("write https://HOST/PATH, or /PATH"));
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        let path = if path.is_empty() { "/" } else { path };
        Ok(Self { is_secure, host: host.to_owned(), path: path.to_owned(), query: query.map(str::to_owned) })
    }

    fn uri(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    fn shown(&self) -> String {
        format!("{}://{}{}", if self.is_secure { "https" } else { "http" }, self.host, self.uri())
    }
}

/// Whether `text` names one host, perhaps with a port.
fn is_host(text: &str) -> bool {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !text.ends_with(']') => (name, Some(port)),
        _ => (text, None),
    };
    let is_name = !name.starts_with('*') && name.parse::<HostPattern>().is_ok();
    is_name && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// What the parameters of the route took.
fn captured(
    explanation: &Explanation,
    subject: &Subject<'_>,
    spec: &GatewaySpec,
    uri: String,
) -> Vec<(String, String)> {
    let Found::Route(found) = &explanation.found else { return Vec::new() };
    let route = &spec.routes[found.route];
    let values =
        Values { subject, found, route, uri: uri.as_bytes(), user: None, request_id: "", defaults: &[] };
    let text =
        |name: &str| String::from_utf8_lossy(&values.taken_text(name).unwrap_or_default()).into_owned();
    route.pattern.parameters().map(|name| (name.to_owned(), text(name))).collect()
}

fn as_json(routes: &Routes, explanation: &Explanation, captured: &[(String, String)]) -> Value {
    let verdicts = explanation.verdicts.iter().zip(&routes.spec.routes).enumerate();
    let verdicts: Vec<Value> = verdicts
        .map(|(number, (verdict, route))| {
            json!({ "route": route.name, "line": routes.line(number), "verdict": verdict_words(verdict) })
        })
        .collect();
    let (found, allow) = match &explanation.found {
        Found::Route(found) => {
            (described(routes, found.route, &routes.spec.routes[found.route]), Value::Null)
        }
        Found::Method(allow) => (Value::Null, json!(allow)),
        Found::Nothing => (Value::Null, Value::Null),
    };
    let parameters: serde_json::Map<String, Value> =
        captured.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    json!({ "route": found, "parameters": parameters, "allow": allow, "routes": verdicts })
}

fn as_text(
    routes: &Routes,
    explanation: &Explanation,
    captured: &[(String, String)],
    asked: &str,
    width: usize,
) -> String {
    // Writing to a String does not fail.
    let mut out = format!("{}\n\n", paint(BOLD, asked));
    match &explanation.found {
        Found::Route(found) => {
            let route = &routes.spec.routes[found.route];
            let line = routes.line(found.route).map(|line| format!(" (line {line})")).unwrap_or_default();
            let _ = writeln!(out, "  {} {}{}", paint(GOOD, "takes"), route.name, paint(DIM, &line));
            let _ = writeln!(out, "  {} {} {}", paint(DIM, "match"), methods(route), route.pattern);
            for (name, value) in captured {
                let _ = writeln!(out, "        {name} = {value}");
            }
            let _ = writeln!(out, "  {}  {}", paint(DIM, "does"), deed(&route.action));
            for (what, said) in asks(route) {
                let _ = writeln!(out, "  {} {said}", paint(DIM, &format!("{what:>5}")));
            }
        }
        Found::Method(allow) => {
            let _ = writeln!(out, "  no route for this method: 405, Allow: {}", allow.join(", "));
        }
        Found::Nothing => out.push_str("  no route: 404\n"),
    }
    let others = explanation.verdicts.iter().enumerate().filter(|(_, verdict)| **verdict != Verdict::Taken);
    let mut rows = Rows::new(&TESTED);
    for (number, verdict) in others {
        let line = Cell::maybe(routes.line(number).map(|line| line.to_string()));
        let name = routes.spec.routes[number].name.as_str();
        rows.row(vec![line, name.into(), Cell::styled(verdict_words(verdict), DIM)]);
    }
    if explanation.verdicts.iter().any(|verdict| *verdict != Verdict::Taken) {
        let _ = write!(out, "\n{}", rows.render(width));
    }
    out
}

fn verdict_words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Taken => "taken".to_owned(),
        Verdict::Host => "other hosts".to_owned(),
        Verdict::Path { segment, why } => format!("path, segment {segment}: {why}"),
        Verdict::Method => "other methods".to_owned(),
        Verdict::Condition(condition) => format!("not so: {condition}"),
        Verdict::Behind(what) => format!("would fit; the other is more specific by its {what}"),
    }
}

fn described(routes: &Routes, number: usize, route: &RouteSpec) -> Value {
    json!({
        "name": route.name,
        "line": routes.line(number),
        "methods": route.methods.iter().map(|method| method.as_str()).collect::<Vec<_>>(),
        "hosts": route.hosts.iter().map(|host| host.as_str()).collect::<Vec<_>>(),
        "path": route.pattern.as_str(),
        "conditions": route.conditions.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "action": route.action.word(),
        "does": deed(&route.action),
    })
}

fn methods(route: &RouteSpec) -> String {
    if route.methods.is_empty() {
        return "any".to_owned();
    }
    route.methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join("|")
}

fn hosts(route: &RouteSpec) -> String {
    if route.hosts.is_empty() {
        return "any".to_owned();
    }
    route.hosts.iter().map(|host| host.as_str()).collect::<Vec<_>>().join(", ")
}

/// What an action does, as its key and value would be written.
fn deed(action: &Action) -> String {
    match action {
        Action::Files(files) => format!("files {}", files.root.display()),
        Action::Proxy(proxy) => format!("to {}{}", proxy.upstream, proxy.base),
        Action::Redirect(redirect) => format!("redirect {} {}", redirect.status, redirect.to),
        Action::Respond(respond) => format!("respond {}", respond.status),
        Action::Topic(topic) => format!("topic {}", topic.topic),
        Action::ServerSent(spec) => {
            format!("sse {}", spec.topics.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        Action::WebSocket(spec) => {
            format!(
                "websocket {}",
                spec.topics.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            )
        }
        Action::SocketIo(spec) => format!("socketio {}", spec.name),
        Action::Key(key) => format!("key {}", key.key),
        Action::Page(page) => format!("page {page:?}").to_lowercase(),
    }
}

/// What a route asks of requests, and does besides its action.
fn asks(route: &RouteSpec) -> Vec<(&'static str, String)> {
    let mut asks = Vec::new();
    asks.extend(route.auth.as_ref().map(|auth| ("auth", auth.file.display().to_string())));
    asks.extend(route.limit.as_ref().map(|limit| ("limit", limit.rate.to_string())));
    asks.extend(route.rewrite.as_ref().map(|rewrite| ("as", rewrite.to_string())));
    asks.extend(route.before.as_ref().map(|before| ("asks", format!("{} {}", before.upstream, before.path))));
    asks.extend(route.alter.as_ref().map(|alter| ("alter", format!("{} {}", alter.upstream, alter.path))));
    asks
}
