//! A request's way through its route: looked up, checked, answered, and the answer finished.
//!
//! ```text
//! routes::Table::find ─► checks (how often, who, parameters, body) ─► before ─► rewrite, headers ─► action ─► alter
//!        │ none: 404, 405, OPTIONS, preflight          └ refused, with a page that says why            │
//!        └──────────────────────────────────────────────────────────── finish: CORS, cache, headers ◄──┘
//! ```
//!
//! Everything that can be made ready is, once, when the worker starts ([`Plan`]): a request costs the lookup and what its
//! route asks for.

mod access_log;
mod act;
mod auth;
mod body;
mod check;
mod finish;
mod keys;
mod metrics;
mod plan;
mod schema;
mod subrequest;

use std::net::IpAddr;
use std::rc::Rc;
use std::time::Instant;

use remuda_model::gateway::{AccessLogFormat, GatewaySettings};
use remuda_toolkit::DaemonError;
use remuda_toolkit::client::Address;
use remuda_toolkit::daemon::AnyError;

use crate::compress::Packers;
use crate::process::{self, Process};
use crate::realtime::Switchboard;
use crate::routes::{CorsAnswer, Found, Subject, Table};
use crate::server::{Ending, Handler, Request, Response, Server, error_response};
use crate::upstream::{Forwarding, Upstreams, client_of};
use access_log::AccessLog;
use plan::Plan;

/// Serves as the settings say until the process is asked to end.
///
/// # Errors
/// Why it ended otherwise.
pub fn serve(settings: GatewaySettings) -> Result<(), DaemonError> {
    let process = Process::of(&settings);
    let drain_within = process.drain_within;
    process::run(process, move |server| {
        let dispatch = Rc::new(Dispatch::new(settings, server, drain_within)?);
        if let Some(switchboard) = &dispatch.switchboard {
            switchboard.take_passed(Rc::new(Shared(Rc::clone(&dispatch))));
        }
        Ok(Shared(dispatch))
    })
}

/// The one dispatch, for clients of our own and those that other gateways pass on.
#[derive(Debug)]
struct Shared(Rc<Dispatch>);

impl Handler for Shared {
    async fn handle(&self, request: &mut Request) -> Response {
        self.0.handle(request).await
    }

    fn ended(&self, request: &Request, ending: &Ending) {
        self.0.ended(request, ending);
    }
}

/// Answers requests by routes.
#[derive(Debug)]
pub struct Dispatch {
    table: Table,
    plans: Vec<Plan>,
    settings: Rc<GatewaySettings>,
    server: Rc<Server>,
    forwarding: Forwarding,
    upstreams: Upstreams,
    switchboard: Option<Rc<Switchboard>>,
    log: Option<AccessLog>,
    /// What rates are counted from.
    begun: Instant,
}

/// A way of a request through its route.
struct Way {
    route: usize,
    captures: crate::routes::Captures,
    source: Option<IpAddr>,
    is_secure: bool,
    user: Option<String>,
    defaults: Vec<(String, String)>,
    id: String,
}

impl Dispatch {
    /// For these settings. To be made in a [`LocalSet`](tokio::task::LocalSet).
    ///
    /// # Errors
    /// What cannot be had: a folder, a file, an upstream.
    pub fn new(
        settings: GatewaySettings,
        server: &Rc<Server>,
        drain_within: std::time::Duration,
    ) -> Result<Self, AnyError> {
        let settings = Rc::new(settings);
        let spec = &settings.spec;
        let forwarding = Forwarding { trusted: spec.trusted_proxies.clone() };
        let seed = u64::from_le_bytes(remuda_sys::random::bytes()?);
        let upstreams =
            Upstreams::new(server, &spec.upstreams, &settings.services, forwarding.clone(), seed)?;
        let switchboard = settings.hub.as_ref().map(|hub| {
            let mut address = Address::unix(&hub.store);
            address.login = Some((hub.user.clone(), hub.token.clone()));
            let place = act::place(&settings);
            Switchboard::new(server, address, &settings.node, Some(place), drain_within)
        });
        if let Some(switchboard) = &switchboard {
            let told = Rc::downgrade(switchboard);
            server.figures().ask_realtime(move || {
                told.upgrade().map(|switchboard| switchboard.figures_by_path()).unwrap_or_default()
            });
        }
        let packers = Packers::default();
        let plan = |route| Plan::new(route, &settings, switchboard.as_ref(), &packers);
        let plans = spec.routes.iter().map(plan);
        let plans = plans.collect::<Result<Vec<_>, _>>()?;
        let log =
            (spec.access_log.format != AccessLogFormat::Off).then(|| AccessLog::new(spec.access_log, seed));
        Ok(Self {
            table: Table::new(spec.routes.clone()),
            plans,
            server: Rc::clone(server),
            forwarding,
            upstreams,
            switchboard,
            log,
            begun: Instant::now(),
            settings: Rc::clone(&settings),
        })
    }

    fn subject<'r>(&self, request: &'r Request, source: Option<IpAddr>, is_secure: bool) -> Subject<'r> {
        Subject {
            method: request.head.method().as_str(),
            host: request.head.host(),
            path: request.head.path(),
            query: request.head.query(),
            fields: request.head.fields(),
            source,
            is_secure,
            socket: &request.peer.listener,
        }
    }

    /// Whether it came by TLS, to us or to somebody before us who is believed.
    fn is_secure(&self, request: &Request) -> bool {
        let told = || request.head.fields().get("x-forwarded-proto") == Some(b"https");
        request.peer.is_secure || (self.forwarding.trusts(request.peer.address) && told())
    }

    /// Answers where there is no route for the method, or none at all.
    fn unrouted(&self, request: &Request, found: &Found, subject: &Subject<'_>) -> Response {
        let refuse = |status, detail: &str| error_response(status, detail, request.id, Some(&request.head));
        let Found::Method(allowed) = found else {
            if subject.method == "OPTIONS" && subject.path == b"*" {
                return Response::new(204).field("Allow", "GET, HEAD, OPTIONS");
            }
            return refuse(404, "There is nothing at this address.");
        };
        let allow = allowed.join(", ");
        if subject.method == "OPTIONS" {
            return Response::new(204).field("Allow", allow);
        }
        refuse(405, "This address does not take this method.").field("Allow", allow)
    }

    /// Answers a page of another origin that asks whether it may ask, if its route says something about that.
    fn preflight(&self, subject: &Subject<'_>) -> Option<Response> {
        let method = subject.fields.get_str("access-control-request-method")?;
        if subject.method != "OPTIONS" || !subject.fields.contains("origin") {
            return None;
        }
        let Found::Route(found) = self.table.find(&Subject { method, ..*subject }) else { return None };
        let cors = self.plans[found.route].cors.as_ref()?;
        let mut response = Response::new(204);
        if let CorsAnswer::Allowed(headers) = cors.preflight(subject.fields) {
            response =
                headers.into_iter().fold(response, |response, (name, value)| response.field(name, value));
        }
        Some(response.field("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"))
    }

    async fn routed(&self, request: &mut Request, mut way: Way) -> Response {
        let plan = &self.plans[way.route];
        let answered = match self.check(request, &mut way, plan).await {
            Ok(()) => self.act(request, &way, plan).await,
            Err(refusal) => refusal,
        };
        self.finish(request, &way, plan, answered)
    }
}

impl Handler for Dispatch {
    async fn handle(&self, request: &mut Request) -> Response {
        let source = client_of(&self.forwarding, request.peer.address, request.head.fields());
        let is_secure = self.is_secure(request);
        let subject = self.subject(request, source, is_secure);
        if let Some(response) = self.preflight(&subject) {
            return response;
        }
        let found = match self.table.find(&subject) {
            Found::Route(found) => found,
            other => {
                let response = self.unrouted(request, &other, &subject);
                return self.sign(response);
            }
        };
        request.route = found.route + 1;
        let way = Way {
            route: found.route,
            captures: found.captures,
            source,
            is_secure,
            user: None,
            defaults: Vec::new(),
            id: request.id.to_string(),
        };
        self.routed(request, way).await
    }

    fn ended(&self, request: &Request, ending: &Ending) {
        let Some(log) = &self.log else { return };
        let route = request.route.checked_sub(1).map(|route| &self.table.routes()[route]);
        if route.is_none_or(|route| route.access_log) {
            let source = client_of(&self.forwarding, request.peer.address, request.head.fields());
            log.write(request, route.map_or("", |route| route.name.as_str()), source, ending);
        }
    }
}
