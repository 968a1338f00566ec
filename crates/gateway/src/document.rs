//! What the routes are, for people and for programs: a page, and OpenAPI.
//!
//! Both are made of the config's routes alone, when a worker starts, so that they cannot differ from what is served. The
//! page is complete in itself: it asks nobody else for anything, and works where there is no network but this one.

mod openapi;
mod page;

use remuda_model::gateway::{Action, GatewaySpec, Page, RouteSpec};

pub use openapi::openapi;
pub use page::page;

/// What the page may do: nothing but what stands in it, and asking this very server.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The routes that are documented.
fn documented(spec: &GatewaySpec) -> impl Iterator<Item = &RouteSpec> {
    spec.routes.iter().filter(|route| route.documented)
}

/// The methods of a route: those it names, or those of which its action makes something.
fn methods(route: &RouteSpec) -> Vec<&str> {
    if !route.methods.is_empty() {
        return route.methods.iter().map(|method| method.as_str()).collect();
    }
    match &route.action {
        // What may not come without a body comes by a method that has one.
        Action::Proxy(_) | Action::Respond(_) | Action::Redirect(_) if route.request.required => {
            vec!["POST", "PUT", "PATCH"]
        }
        Action::Proxy(_) | Action::Respond(_) | Action::Redirect(_) => {
            vec!["GET", "POST", "PUT", "PATCH", "DELETE"]
        }
        Action::SocketIo(_) => vec!["GET", "POST"],
        Action::Topic(topic) if topic.publish => vec!["GET", "POST"],
        Action::Topic(_)
        | Action::Files(_)
        | Action::ServerSent(_)
        | Action::WebSocket(_)
        | Action::Key(_)
        | Action::Page(_) => vec!["GET"],
    }
}

/// What bodies must look like, as it is written in the file of the schema, indented.
fn body_schema(route: &RouteSpec) -> Option<String> {
    let text = &route.request.schema.as_ref()?.text;
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    serde_json::to_string_pretty(&value).ok()
}

/// What a route does, in a sentence.
fn deed(route: &RouteSpec) -> String {
    match &route.action {
        Action::Files(_) => "Serves files.".to_owned(),
        Action::Proxy(proxy) => {
            let who =
                proxy.upstream.split_once(':').map_or(proxy.upstream.as_str(), |(kind, name)| match kind {
                    "service" | "upstream" => name.split('/').next().unwrap_or(name),
                    _ => proxy.upstream.as_str(),
                });
            format!("Answered by {who}.")
        }
        Action::Redirect(redirect) => format!("Leads to {} ({}).", redirect.to, redirect.status),
        Action::Respond(respond) => format!("Always answers {}.", respond.status),
        Action::Topic(topic) if topic.publish => {
            format!("Streams the topic {}; what is posted is published on it.", topic.topic)
        }
        Action::Topic(topic) => format!("Streams the topic {}.", topic.topic),
        Action::ServerSent(_) => "A stream of events.".to_owned(),
        Action::WebSocket(_) => "A WebSocket.".to_owned(),
        Action::SocketIo(_) => "An endpoint of Socket.IO.".to_owned(),
        Action::Key(key) => format!("The key {} of the store.", key.key),
        Action::Page(Page::Docs) => "This page.".to_owned(),
        Action::Page(Page::Openapi) => "These routes as OpenAPI 3.1.".to_owned(),
        Action::Page(Page::Health) => "Whether this gateway serves.".to_owned(),
        Action::Page(Page::Metrics) => "Figures of this gateway.".to_owned(),
    }
}

/// Answers of a route by status: what the config says, and what the gateway answers itself.
fn answers(route: &RouteSpec) -> std::collections::BTreeMap<u16, String> {
    let request = &route.request;
    let own = [
        (
            400,
            "The request is not what it has to be.",
            request.required || !request.headers.is_empty() || !route.parameters.is_empty(),
        ),
        (401, "Who asks has to show who they are.", route.auth.is_some()),
        (413, "The body is too long.", request.max.is_some()),
        (415, "The body is of another type.", !request.types.is_empty()),
        (422, "The body does not fit its schema.", request.schema.is_some()),
        (429, "Too many requests.", route.limit.is_some()),
        (404, "There is no such file.", matches!(route.action, Action::Files(_))),
        (404, "There is no such key.", matches!(route.action, Action::Key(_))),
    ];
    let mut answers: std::collections::BTreeMap<u16, String> = own
        .into_iter()
        .filter(|(.., is_so)| *is_so)
        .map(|(status, words, _)| (status, words.to_owned()))
        .collect();
    let usual = match &route.action {
        Action::Redirect(redirect) => Some((redirect.status, "Go there.")),
        Action::Respond(respond) => Some((respond.status, "As said.")),
        Action::WebSocket(_) => Some((101, "The connection is a WebSocket.")),
        _ if route.responses.iter().any(|(status, _)| *status < 400) => None,
        _ => Some((200, "Done.")),
    };
    answers.extend(usual.map(|(status, words)| (status, words.to_owned())));
    answers.extend(route.responses.iter().cloned());
    answers
}

#[cfg(test)]
mod tests;
