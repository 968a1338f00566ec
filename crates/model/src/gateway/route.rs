//! A route: which requests it is for, what it asks of them, and what it does with them.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AuthSpec, CacheRule, CompressSpec, ConditionSpec, CorsSpec, FilesSpec, HeaderRules, HostPattern, KeySpec,
    Method, ParameterSpec, Pattern, RateLimitSpec, RequestSpec, ResponseCheck, ServerSentSpec, SocketIoSpec,
    SubrequestSpec, Template, TopicSpec, WebSocketSpec,
};

/// A route of the config.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteSpec {
    /// Its name, in logs, figures and documents. Default: made of its pattern.
    pub name: String,
    /// The methods it is for; empty for all. A route for GET is for HEAD too.
    pub methods: Vec<Method>,
    /// The paths it is for. Default all.
    pub pattern: Pattern,
    /// The hosts it is for; empty for all.
    pub hosts: Vec<HostPattern>,
    /// What else must be so.
    pub conditions: Vec<ConditionSpec>,
    /// What is done.
    pub action: Action,
    /// One sentence for the documents.
    pub summary: Option<String>,
    /// More of them.
    pub description: Option<String>,
    /// Groups of the documents.
    pub tags: Vec<String>,
    /// Whether the documents speak of it. Default true, and false for the built-in pages.
    pub documented: bool,
    /// What answers mean, by status: documents only.
    pub responses: Vec<(u16, String)>,
    /// What the request must be like.
    pub request: RequestSpec,
    /// Parameters that are checked.
    pub parameters: Vec<ParameterSpec>,
    /// Who may ask.
    pub auth: Option<AuthSpec>,
    /// How often.
    pub limit: Option<RateLimitSpec>,
    /// Which pages of other origins may ask.
    pub cors: Option<CorsSpec>,
    /// A service that is asked first.
    pub before: Option<SubrequestSpec>,
    /// A service that makes another body of the answer's.
    pub alter: Option<SubrequestSpec>,
    /// What an answer must be like to be passed on.
    pub response: Option<ResponseCheck>,
    /// The target that the action sees instead of the request's.
    pub rewrite: Option<Template>,
    /// Changes of the request's headers.
    pub request_headers: HeaderRules,
    /// Changes of the answer's headers.
    pub response_headers: HeaderRules,
    /// Times other than those of the gateway.
    pub timeouts: RouteTimeouts,
    /// How answers are compressed; `None` is as the gateway has it.
    pub compress: Option<CompressSpec>,
    /// `Cache-Control` of answers, the first rule whose paths fit.
    pub cache: Vec<CacheRule>,
    /// Whether requests are written to the access log, where there is one. Default true.
    pub access_log: bool,
}

/// Times of a route; `None` is as the upstream or the gateway has it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RouteTimeouts {
    /// Until the first byte of an upstream's answer; 504.
    pub first_byte: Option<Duration>,
    /// Between two bytes of an upstream's answer. Streams of events have none.
    pub idle: Option<Duration>,
    /// From the end of the request's head to the end of the answer.
    pub total: Option<Duration>,
}

/// What a route does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Files of a folder, or one.
    Files(Box<FilesSpec>),
    /// Passes the request on to an upstream.
    Proxy(ProxySpec),
    /// Sends the client elsewhere.
    Redirect(RedirectSpec),
    /// This answer.
    Respond(RespondSpec),
    /// A topic of the bus: out by SSE or WebSocket, in by POST.
    Topic(TopicSpec),
    /// A stream of events (SSE).
    ServerSent(ServerSentSpec),
    /// A WebSocket between a client and topics.
    WebSocket(WebSocketSpec),
    /// An endpoint of Socket.IO.
    SocketIo(Box<SocketIoSpec>),
    /// A key of the store.
    Key(KeySpec),
    /// A built-in page.
    Page(Page),
}

impl RouteSpec {
    /// For every request of these paths, and everything else by default.
    #[must_use]
    pub fn new(name: &str, pattern: Pattern, action: Action) -> Self {
        Self {
            name: name.to_owned(),
            methods: Vec::new(),
            pattern,
            hosts: Vec::new(),
            conditions: Vec::new(),
            documented: !matches!(action, Action::Page(_)),
            action,
            summary: None,
            description: None,
            tags: Vec::new(),
            responses: Vec::new(),
            request: RequestSpec::default(),
            parameters: Vec::new(),
            auth: None,
            limit: None,
            cors: None,
            before: None,
            alter: None,
            response: None,
            rewrite: None,
            request_headers: HeaderRules::default(),
            response_headers: HeaderRules::default(),
            timeouts: RouteTimeouts::default(),
            compress: None,
            cache: Vec::new(),
            access_log: true,
        }
    }
}

impl Action {
    /// The key by which configs name it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Files(_) => "files",
            Self::Proxy(_) => "to",
            Self::Redirect(_) => "redirect",
            Self::Respond(_) => "respond",
            Self::Topic(_) => "topic",
            Self::ServerSent(_) => "sse",
            Self::WebSocket(_) => "websocket",
            Self::SocketIo(_) => "socketio",
            Self::Key(_) => "key",
            Self::Page(_) => "page",
        }
    }
}

/// Where a request is passed on to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxySpec {
    /// Key of the upstream in [`GatewaySpec::upstreams`](super::GatewaySpec::upstreams).
    pub upstream: String,
    /// What stands before the target; begins with a slash and does not end with one, or is empty.
    pub base: String,
}

/// Another place for the client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedirectSpec {
    /// 301, 302, 303, 307 or 308. Default 308, which keeps method and body.
    pub status: u16,
    /// `Location`.
    pub to: Template,
}

/// A fixed answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RespondSpec {
    /// 200 to 599. Default 200.
    pub status: u16,
    /// The body. Values are put in as they are, so it should not be HTML that has them.
    pub body: Template,
    /// `Content-Type`. Default `text/plain; charset=utf-8`.
    pub content_type: String,
}

/// A built-in page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Page {
    /// The documents of the routes, for people.
    Docs,
    /// The same as OpenAPI 3.1.
    Openapi,
    /// 200 as long as the worker serves, 503 while it ends.
    Health,
    /// Figures of this worker, for Prometheus.
    Metrics,
}
