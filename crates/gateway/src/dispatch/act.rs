//! What routes do.

use bytes::Bytes;
use data_encoding::HEXLOWER;
use remuda_model::gateway::{
    Action, GatewaySettings, HeaderRules, Page, ProxySpec, ResponseCheck, Template, TemplatePart, TopicSpec,
    Variable, Via,
};
use remuda_wire::http::{Fields, Method, normalize};
use sha2::{Digest as _, Sha256};

use super::check::is_of;
use super::plan::{Means, Plan};
use super::{Dispatch, Way, body, keys, metrics, schema};
use crate::document;
use crate::realtime::{Channel, Owner, Place as SwitchboardPlace};
use crate::routes::{Place, render};
use crate::server::{Body, Request, Response, error_response};
use crate::upstream::Forward;

/// Where this worker is among the gateways.
pub(super) fn place(settings: &GatewaySettings) -> SwitchboardPlace {
    // The number is unique in the instance until four billion workers have been; what a session's name leads to then is
    // a gateway that does not know it, as for one that has ended.
    let owner = Owner(u32::try_from(settings.worker & u64::from(u32::MAX)).unwrap_or_default());
    // The name space of these sockets is the machine's; no two instances have one runtime folder.
    let digest = Sha256::digest(settings.peers_dir.as_os_str().as_encoded_bytes());
    SwitchboardPlace { owner, prefix: format!("remuda-{}", HEXLOWER.encode(&digest[..16])) }
}

/// A page that stays the same while a worker lives.
pub(super) fn fixed_page(page: Page, settings: &GatewaySettings) -> Option<Bytes> {
    match page {
        Page::Docs => Some(document::page(&settings.spec).into()),
        Page::Openapi => Some(document::openapi(&settings.spec).to_string().into()),
        Page::Health | Page::Metrics => None,
    }
}

impl Dispatch {
    /// Does what the route of a request says.
    pub(super) async fn act(&self, request: &mut Request, way: &Way, plan: &Plan) -> Response {
        let spec = &self.table.routes()[way.route];
        if spec.alter.is_some() || plan.response_schema.is_some() {
            // What is looked at must not be packed; behind that it may be.
            let taken: Vec<_> =
                request.head.fields().get_all("accept-encoding").map(<[u8]>::to_vec).collect();
            request.head.fields_mut().remove("accept-encoding");
            let response = self.act_on(request, way, plan).await;
            for value in taken {
                request.head.fields_mut().append("Accept-Encoding", value);
            }
            return response;
        }
        self.act_on(request, way, plan).await
    }

    async fn act_on(&self, request: &mut Request, way: &Way, plan: &Plan) -> Response {
        let spec = &self.table.routes()[way.route];
        if !spec.request_headers.is_empty() {
            let mut changed = request.head.fields().clone();
            self.apply(&spec.request_headers, request, way, &mut changed);
            self.take_over(request, &spec.request_headers, &changed);
        }
        let mut response = self.perform(request, way, plan).await;
        if let Some(check) = &spec.response {
            response = self.checked(request, check, plan, response).await;
        }
        match &spec.alter {
            Some(alter) => self.alter(request, way, alter, response).await,
            None => response,
        }
    }

    /// Gives a request the headers that rules name as they are in `changed`: what else a head knows of its target stands
    /// beside its headers in one buffer, and stays.
    fn take_over(&self, request: &mut Request, rules: &HeaderRules, changed: &Fields) {
        let named = rules.set.iter().chain(&rules.add).map(|(name, _)| name).chain(&rules.remove);
        for name in named {
            let fields = request.head.fields_mut();
            fields.remove(name.as_str());
            for value in changed.get_all(name.as_str()) {
                fields.append(name.as_str(), value);
            }
        }
    }

    async fn perform(&self, request: &mut Request, way: &Way, plan: &Plan) -> Response {
        let spec = &self.table.routes()[way.route];
        let fill = |template: &Template, place| {
            self.with_values(request, way, |values| render(template, values, place))
        };
        match (&spec.action, &plan.means) {
            (Action::Files(_), Means::Files(files)) => match self.file_path(request, way) {
                Some(path) => files.respond(request, &path).await,
                None => {
                    error_response(404, "There is nothing at this address.", request.id, Some(&request.head))
                }
            },
            (Action::Proxy(proxy), _) => self.proxy(request, way, proxy).await,
            (Action::Redirect(redirect), _) => {
                Response::new(redirect.status).field("Location", fill(&redirect.to, Place::Url))
            }
            (Action::Respond(respond), _) => {
                let body = fill(&respond.body, Place::Text);
                if body.is_empty() {
                    return Response::new(respond.status);
                }
                Response::with_body(respond.status, &respond.content_type, body)
            }
            (Action::Topic(topic), Means::Channel(channel)) => self.topic(request, way, topic, channel).await,
            (Action::ServerSent(sse), Means::Channel(channel)) => {
                let topics: Vec<_> = sse.topics.iter().map(|topic| fill(topic, Place::Text)).collect();
                channel.events(request, &topics)
            }
            (Action::WebSocket(socket), Means::Channel(channel)) => {
                let topics = socket.topics.iter().map(|topic| fill(topic, Place::Text)).collect();
                let publish = socket.publish.as_ref().map(|topic| fill(topic, Place::Text));
                channel.websocket(request, topics, publish)
            }
            (Action::SocketIo(_), Means::SocketIo(endpoint)) => endpoint.handle(request).await,
            (Action::Key(key), Means::Keys(store)) => {
                let name = fill(&key.key, Place::Text);
                keys::answer(store, request, key, &name).await
            }
            (Action::Page(page), means) => self.page(request, *page, means),
            _ => error_response(500, "This route has not what it needs.", request.id, Some(&request.head)),
        }
    }

    async fn proxy(&self, request: &mut Request, way: &Way, proxy: &ProxySpec) -> Response {
        let spec = &self.table.routes()[way.route];
        let Some(upstream) = self.upstreams.get(&proxy.upstream) else {
            return error_response(502, "Nobody is there to answer.", request.id, Some(&request.head));
        };
        let target = self.target(request, way);
        let how = Forward { base: &proxy.base, target: target.as_deref(), timeouts: Some(&spec.timeouts) };
        upstream.forward(request, how).await
    }

    /// The target that an upstream sees, if it is another than the request's.
    fn target(&self, request: &Request, way: &Way) -> Option<Vec<u8>> {
        let rewrite = self.table.routes()[way.route].rewrite.as_ref();
        if rewrite.is_none() && way.defaults.is_empty() {
            return None;
        }
        let mut target = rewrite.map_or_else(
            || request.head.origin_form().to_vec(),
            |template| self.with_values(request, way, |values| render(template, values, Place::Url)),
        );
        if let (Some(query), Some(template)) = (request.head.query(), rewrite)
            && !says_query(template)
        {
            target.push(b'?');
            target.extend_from_slice(query);
        }
        for (name, value) in &way.defaults {
            target.push(if target.contains(&b'?') { b'&' } else { b'?' });
            for text in [name.as_str(), "=", value] {
                let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~=".contains(&byte);
                for byte in text.bytes() {
                    if kept(byte) {
                        target.push(byte);
                    } else {
                        target.extend_from_slice(format!("%{byte:02X}").as_bytes());
                    }
                }
            }
        }
        Some(target)
    }

    /// The path of a file beneath a route's folder: what the rest of the pattern took, or what the rewrite says.
    fn file_path(&self, request: &Request, way: &Way) -> Option<Vec<u8>> {
        let spec = &self.table.routes()[way.route];
        if let Some(rewrite) = &spec.rewrite {
            let target = self.with_values(request, way, |values| render(rewrite, values, Place::Url));
            let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
            let mut normal = Vec::new();
            return Some(if normalize(path, &mut normal).ok()? { normal } else { path.to_vec() });
        }
        let path = request.head.path();
        Some(match spec.pattern.rest() {
            // The rest is the last parameter.
            Some(_) => [b"/", way.captures.get(way.captures.len().checked_sub(1)?, path)?].concat(),
            None => path.to_vec(),
        })
    }

    async fn topic(
        &self,
        request: &mut Request,
        way: &Way,
        spec: &TopicSpec,
        channel: &std::rc::Rc<Channel>,
    ) -> Response {
        let refuse = |request: &Request, status, detail: &str| {
            error_response(status, detail, request.id, Some(&request.head))
        };
        let topic = self.with_values(request, way, |values| render(&spec.topic, values, Place::Text));
        if *request.head.method() == Method::Post {
            if !spec.publish {
                return refuse(request, 405, "Nobody may publish here.").field("Allow", "GET, OPTIONS");
            }
            let read = request.body.read_all(spec.stream.message_max).await;
            let message = match read {
                Ok(message) => message,
                Err(error) => return refuse(request, error.status(), &error.to_string()),
            };
            let is_sent = self.switchboard.as_ref().is_some_and(|hub| hub.bus().publish(&topic, &message));
            if is_sent {
                return Response::new(202);
            }
            return refuse(request, 503, "The hub does not take messages now.").field("Retry-After", "1");
        }
        let upgrades =
            request.head.upgrade().is_some_and(|upgrade| upgrade.eq_ignore_ascii_case(b"websocket"));
        let by_socket = match spec.via {
            Via::Auto => upgrades,
            Via::Sse => false,
            Via::Websocket => true,
        };
        if by_socket {
            let publish = spec.publish.then(|| topic.clone());
            return channel.websocket(request, vec![topic], publish);
        }
        channel.events(request, &[topic])
    }

    fn page(&self, request: &Request, page: Page, means: &Means) -> Response {
        let is_read = matches!(request.head.method(), Method::Get | Method::Head);
        if !is_read {
            let response =
                error_response(405, "This page can only be read.", request.id, Some(&request.head));
            return response.field("Allow", "GET, HEAD");
        }
        match (page, means) {
            (Page::Docs, Means::Page(bytes)) => {
                Response::with_body(200, "text/html; charset=utf-8", bytes.clone())
                    .field("Content-Security-Policy", document::POLICY)
                    .field("X-Content-Type-Options", "nosniff")
            }
            (_, Means::Page(bytes)) => Response::with_body(200, "application/json", bytes.clone()),
            (Page::Metrics, _) => {
                let text = metrics::text(&self.server.figures().tell(), &self.upstreams.figures());
                Response::with_body(200, "text/plain; version=0.0.4; charset=utf-8", text)
            }
            _ if self.server.drain().has_begun() => {
                Response::with_body(503, "text/plain; charset=utf-8", "ending\n")
                    .field("Cache-Control", "no-store")
            }
            _ => Response::with_body(200, "text/plain; charset=utf-8", "ok\n")
                .field("Cache-Control", "no-store"),
        }
    }

    /// An answer that is what the route says it is, or another.
    async fn checked(
        &self,
        request: &Request,
        check: &ResponseCheck,
        plan: &Plan,
        mut response: Response,
    ) -> Response {
        let has_body = !matches!(response.head.status, 204 | 304) && *request.head.method() != Method::Head;
        if response.head.status >= 300 || !has_body || matches!(response.body, Body::TakeOver(_)) {
            return response;
        }
        let refuse = |detail: &str| {
            self.server.figures().count("answer-refused");
            error_response(check.otherwise, detail, request.id, Some(&request.head))
        };
        let written = response.head.fields.get_str("content-type").unwrap_or_default();
        if !check.types.is_empty() && !is_of(written, &check.types) {
            return refuse("The answer is not of the type it should be.");
        }
        let Some(validator) = &plan.response_schema else { return response };
        match body::whole(std::mem::take(&mut response.body), self.settings.spec.limits.kept_body_bytes).await
        {
            Ok(whole) if schema::check(validator, &whole).is_ok() => response.body = whole.into(),
            Ok(_) => return refuse("The answer is not what it should be."),
            Err(error) => return refuse(&error.to_string()),
        }
        response
    }
}

/// Whether a rewrite says something of the query, so that the request's is not kept by itself.
fn says_query(template: &Template) -> bool {
    template.parts().iter().any(|part| match part {
        TemplatePart::Text(text) => text.contains('?'),
        TemplatePart::Variable(variable) => {
            matches!(variable, Variable::Query | Variable::MarkedQuery | Variable::Uri)
        }
    })
}
