//! What the config asks of the gateway, and what its workers are told when they start.
//!
//! The gateway is the built-in worker that serves the web in front of the others. To the arbiter it is a service like any
//! other (`kind = "gateway"`); several of them share one set of settings: `[gateway]`, `[[route]]`, `[upstream.NAME]`,
//! `[[certificate]]` and `[acme]`. A [`GatewaySpec`] is that, resolved: part of the config and no secret. It is part of
//! the spec of each gateway service, so that a changed route replaces the workers of these services and of no others.
//! [`GatewaySettings`] is what a worker reads from its standard input, a sealed memory file: the spec, and what only the
//! arbiter knows.
//!
//! Small words (patterns, templates, hosts, rates …) are parsed when they are read, and say at which column they are wrong.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::hub::Secret;
use crate::{Address, ServiceName, SocketName};

mod answer;
mod certificate;
mod check;
mod header;
mod host;
mod limits;
mod metrics;
mod password;
mod pattern;
mod range;
mod rate;
mod realtime;
mod route;
mod template;
mod upstream;
mod upstream_metrics;

pub use answer::{AccessLogFormat, AccessLogSpec, CacheRule, CompressSpec, Encoding, FilesSpec, Links};
pub use certificate::{
    AcmeChallenge, AcmeSpec, CertificateSpec, ClientCertificateSpec, ExternalAccount, TlsSpec, TlsVersion,
};
pub use check::{
    AuthScheme, AuthSpec, ConditionSpec, CorsSpec, Expected, LimitKey, ParameterFault, ParameterKind,
    ParameterPlace, ParameterSpec, RateLimitSpec, RequestSpec, ResponseCheck, SchemaSpec, SubrequestSpec,
};
pub use header::{HeaderName, HeaderRules, Method, TokenError};
pub use host::{HostPattern, HostPatternError};
pub use limits::{LimitSpec, TimeoutSpec};
pub use metrics::{
    CertificateMetrics, FIGURES_BYTES_MAX, FIGURES_ENDING, GatewayMetrics, RouteMetrics, TimeMetrics,
    figures_socket,
};
pub use password::{
    PASSWORD_FILE_BYTES_MAX, PasswordError, PasswordFault, PasswordHash, PasswordLine, password_lines,
};
pub use pattern::{
    PATTERN_BYTES_MAX, PATTERN_PARAMETERS_MAX, Pattern, PatternError, PatternFault, REST, Segment,
    SegmentKind,
};
pub use range::{IpRange, IpRangeError};
pub use rate::{Rate, RateError};
pub use realtime::{
    Admission, KeySpec, ServerSentSpec, SlowClient, SocketIoSpec, StreamSpec, TopicSpec, Transport, Via,
    WebSocketSpec,
};
pub use route::{Action, Page, ProxySpec, RedirectSpec, RespondSpec, RouteSpec, RouteTimeouts};
pub use template::{Template, TemplateError, TemplatePart, Variable};
pub use upstream::{
    Buffering, EjectionSpec, HashKey, HealthSpec, ProxyProtocol, RetrySpec, ServerAddress,
    ServerAddressError, UpstreamBalance, UpstreamProtocol, UpstreamServer, UpstreamServers, UpstreamSpec,
    UpstreamTls,
};
pub use upstream_metrics::UpstreamMetrics;

/// The word of its kind, and of its worker on the command line.
pub const GATEWAY: &str = "gateway";

/// The folder of the gateways' own sockets, in the runtime folder of the instance.
pub const PEERS_FOLDER: &str = "gateway";

/// Longest [`GatewaySettings`] as JSON, bytes: 10,000 routes of some kilobytes, with schemas.
pub const SETTINGS_BYTES_MAX: usize = 64 << 20;

/// What the config asks of the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewaySpec {
    /// How much it takes.
    pub limits: LimitSpec,
    /// How long it waits.
    pub timeouts: TimeoutSpec,
    /// Peers whose word about the client is believed: `X-Forwarded-*`, `Forwarded`, `X-Request-Id`, the PROXY protocol.
    /// Default none.
    pub trusted_proxies: Vec<IpRange>,
    /// Sockets on which each connection begins with the PROXY protocol; from peers that are not trusted it is refused.
    pub proxy_protocol: Vec<SocketName>,
    /// TLS, where there is any.
    pub tls: Option<TlsSpec>,
    /// Certificates from files, in the order of the file; the first is the default.
    pub certificates: Vec<CertificateSpec>,
    /// Certificates by ACME.
    pub acme: Option<AcmeSpec>,
    /// HTTP/2 without TLS, for who begins with it (prior knowledge). Default false.
    pub h2c: bool,
    /// What is written about requests.
    pub access_log: AccessLogSpec,
    /// How answers are compressed where a route says nothing. Default not.
    pub compress: CompressSpec,
    /// The `Server` header of answers of its own; empty for none. Default `remuda`.
    pub server: String,
    /// The title of the documents. Default the name of the instance.
    pub title: String,
    /// The version of what they are about. Default `1`.
    pub version: String,
    /// What they begin with. Default nothing.
    pub description: Option<String>,
    /// The routes, in the order of the file.
    pub routes: Vec<RouteSpec>,
    /// Where requests are passed on to, by key: `upstream:NAME`, `service:NAME/SOCKET`, or `http://HOST:PORT`.
    pub upstreams: BTreeMap<String, UpstreamSpec>,
}

/// All that a gateway's worker is told, as JSON on its standard input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewaySettings {
    /// What the config asks.
    pub spec: Arc<GatewaySpec>,
    /// Name of the instance.
    pub instance: String,
    /// Name of this machine.
    pub node: String,
    /// The service it is a worker of.
    pub service: ServiceName,
    /// Its slot.
    pub slot: u32,
    /// Counts the reloads of its service.
    pub generation: u64,
    /// The number of its worker, which no other worker of the instance ever has.
    pub worker: u64,
    /// Where the services are that requests are passed on to, by the key of their upstream.
    pub services: BTreeMap<String, Vec<ServicePlace>>,
    /// The hub, where there is one and the service may use it.
    pub hub: Option<HubAccess>,
    /// Folder in which each gateway worker may have a Unix socket for the others, whose name is the number of the worker;
    /// absolute, mode 0700, and theirs. Such a path fits into the address of a socket.
    pub peers_dir: PathBuf,
    /// What all gateway workers of the instance share and nobody else knows: keys of TLS tickets are made of it.
    pub secret: Secret,
}

/// Where a service is reached. All its workers are behind it: which of them takes a connection is theirs to say, or, on a
/// per-worker socket, the kernel's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServicePlace {
    /// The address, bound: no port is 0, no name is to be looked up, and none is that of all interfaces.
    pub address: Address,
}

/// Where the hub is, and who we are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubAccess {
    /// Its Unix socket for RESP, absolute.
    pub store: PathBuf,
    /// The user of `AUTH`.
    pub user: String,
    /// The password of `AUTH`.
    pub token: String,
}

impl Default for GatewaySpec {
    fn default() -> Self {
        Self {
            limits: LimitSpec::default(),
            timeouts: TimeoutSpec::default(),
            trusted_proxies: Vec::new(),
            proxy_protocol: Vec::new(),
            tls: None,
            certificates: Vec::new(),
            acme: None,
            h2c: false,
            access_log: AccessLogSpec::default(),
            compress: CompressSpec::off(),
            server: "remuda".to_owned(),
            title: String::new(),
            version: "1".to_owned(),
            description: None,
            routes: Vec::new(),
            upstreams: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests;
