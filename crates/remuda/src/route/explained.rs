//! Which route a request takes, as words: the same ones on the command line and in the control API.

use std::sync::Arc;

use remuda_control::{GatewayRoute, RouteList, RouteMatch, RouteQuestion, RouteVerdict, Routing};
use remuda_gateway::routes::{Explanation, Found, Subject, Table, Values, Verdict};
use remuda_model::Config;
use remuda_model::gateway::{Action, GatewaySpec, RouteSpec};

use super::asked::Asked;

/// Answers the control API, from the config in force.
pub(crate) const ROUTING: Routing = Routing {
    list: |config| Routes::of(config, Vec::new()).map(|routes| routes.document()).unwrap_or_default(),
    test: |config, question| match Routes::of(config, Vec::new()) {
        Some(routes) => routes.explain(question).map(|explained| routes.found(&explained)),
        None => Err("this instance has no gateway, and so no routes".to_owned()),
    },
};

/// The routes of a config, with their lines where these are known.
#[derive(Debug)]
pub(super) struct Routes {
    pub(super) spec: Arc<GatewaySpec>,
    lines: Vec<Option<usize>>,
    /// The first one of the first gateway.
    socket: String,
}

/// What becomes of a request.
#[derive(Debug)]
pub(super) struct Explained {
    /// Its method and URL.
    pub(super) asked: String,
    pub(super) explanation: Explanation,
    /// What the parameters of the route took, in the order of its pattern.
    pub(super) parameters: Vec<(String, String)>,
}

impl Routes {
    /// None where the config has no gateway.
    pub(super) fn of(config: &Config, lines: Vec<Option<usize>>) -> Option<Self> {
        let mut services = config.services.values();
        let (spec, service) = services.find_map(|service| Some((service.kind.gateway()?, service)))?;
        let socket = service.sockets.first().map(ToString::to_string).unwrap_or_default();
        Some(Self { spec: Arc::clone(spec), lines, socket })
    }

    pub(super) fn line(&self, route: usize) -> Option<usize> {
        self.lines.get(route).copied().flatten()
    }

    /// In a sentence, why it is no request.
    pub(super) fn explain(&self, question: &RouteQuestion) -> Result<Explained, String> {
        let asked = Asked::parse(question)?;
        let subject = asked.subject(question, question.socket.as_deref().unwrap_or(&self.socket));
        let explanation = Table::new(self.spec.routes.clone()).explain(&subject);
        let parameters = captured(&explanation, &subject, &self.spec, &asked.uri());
        Ok(Explained { asked: format!("{} {}", question.method, asked.shown()), explanation, parameters })
    }

    pub(super) fn document(&self) -> RouteList {
        let routes = self.spec.routes.iter().enumerate();
        RouteList { routes: routes.map(|(number, route)| self.described(number, route)).collect() }
    }

    pub(super) fn found(&self, explained: &Explained) -> RouteMatch {
        let Explained { explanation, parameters, .. } = explained;
        let (route, allow) = match &explanation.found {
            Found::Route(found) => (Some(self.described(found.route, &self.spec.routes[found.route])), None),
            Found::Method(allow) => (None, Some(allow.clone())),
            Found::Nothing => (None, None),
        };
        let verdicts = explanation.verdicts.iter().zip(&self.spec.routes).enumerate();
        let verdicts = verdicts.map(|(number, (verdict, route))| RouteVerdict {
            route: route.name.clone(),
            line: self.line(number),
            verdict: verdict_words(verdict),
        });
        RouteMatch {
            route,
            allow,
            parameters: parameters.iter().cloned().collect(),
            routes: verdicts.collect(),
        }
    }

    fn described(&self, number: usize, route: &RouteSpec) -> GatewayRoute {
        GatewayRoute {
            name: route.name.clone(),
            line: self.line(number),
            methods: route.methods.iter().map(|method| method.as_str().to_owned()).collect(),
            hosts: route.hosts.iter().map(|host| host.as_str().to_owned()).collect(),
            path: route.pattern.as_str().to_owned(),
            conditions: route.conditions.iter().map(ToString::to_string).collect(),
            action: route.action.word().to_owned(),
            does: deed(&route.action),
        }
    }
}

/// What the parameters of the route took.
fn captured(
    explanation: &Explanation,
    subject: &Subject<'_>,
    spec: &GatewaySpec,
    uri: &str,
) -> Vec<(String, String)> {
    let Found::Route(found) = &explanation.found else { return Vec::new() };
    let route = &spec.routes[found.route];
    let values =
        Values { subject, found, route, uri: uri.as_bytes(), user: None, request_id: "", defaults: &[] };
    let text =
        |name: &str| String::from_utf8_lossy(&values.taken_text(name).unwrap_or_default()).into_owned();
    route.pattern.parameters().map(|name| (name.to_owned(), text(name))).collect()
}

pub(super) fn verdict_words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Taken => "taken".to_owned(),
        Verdict::Host => "other hosts".to_owned(),
        Verdict::Path { segment, why } => format!("path, segment {segment}: {why}"),
        Verdict::Method => "other methods".to_owned(),
        Verdict::Condition(condition) => format!("not so: {condition}"),
        Verdict::Behind(what) => format!("would fit; the other is more specific by its {what}"),
    }
}

pub(super) fn methods(route: &RouteSpec) -> String {
    if route.methods.is_empty() {
        return "any".to_owned();
    }
    route.methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join("|")
}

pub(super) fn hosts(route: &RouteSpec) -> String {
    if route.hosts.is_empty() {
        return "any".to_owned();
    }
    route.hosts.iter().map(|host| host.as_str()).collect::<Vec<_>>().join(", ")
}

/// What an action does, as its key and value would be written.
pub(super) fn deed(action: &Action) -> String {
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
pub(super) fn asks(route: &RouteSpec) -> Vec<(&'static str, String)> {
    let mut asks = Vec::new();
    asks.extend(route.auth.as_ref().map(|auth| ("auth", auth.file.display().to_string())));
    asks.extend(route.limit.as_ref().map(|limit| ("limit", limit.rate.to_string())));
    asks.extend(route.rewrite.as_ref().map(|rewrite| ("as", rewrite.to_string())));
    asks.extend(route.before.as_ref().map(|before| ("asks", format!("{} {}", before.upstream, before.path))));
    asks.extend(route.alter.as_ref().map(|alter| ("alter", format!("{} {}", alter.upstream, alter.path))));
    asks
}
