//! The config as it is written: every key optional, nothing resolved.
//!
//! These declarations are the one place that knows the keys. Reading, writing, the JSON Schema, the reference page
//! and the nearest-name hints are all derived from them; the documentation of a field is its description everywhere.
//! Most values are [`Located`], so that whatever is found wrong with them later can still point at the text.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::interpolate;

mod amount;
mod bus;
mod command;
mod dashboard;
mod duration;
mod gateway;
mod herd;
mod hub;
mod instance;
mod life;
mod limits;
mod located;
mod locks;
mod mode;
mod route;
mod service;
mod shape;
mod shorthand;
mod size;
mod socket;
mod store;
mod upstream;
mod workers;

pub use amount::{Amount, Limit, LimitPair};
pub use bus::{Bus, Replay};
pub use command::{Command, Hook, HookTable, Hooks};
pub use dashboard::Dashboard;
pub use duration::{Duration, DurationError};
pub use gateway::{
    AccessLog, AccessLogTable, Acme, Certificate, ClientCertificate, Compress, CompressTable, Docs, Expected,
    ExternalAccount, Gateway, GatewayLimits, GatewayTimeouts, Tls,
};
pub use herd::Herd;
pub use hub::{Access, Hub, Listen};
pub use instance::Instance;
pub use life::{
    Backoff, Log, LogTable, OnDemand, OnDemandTable, Reload, ReloadTable, Schedule, ScheduleTable, Stop,
    StopTable,
};
pub use limits::Limits;
pub use located::{Field, Located, Span};
pub use locks::Locks;
pub use mode::{FileMode, FileModeError, Percent, PercentError};
pub use route::{
    Auth, AuthTable, Bound, Cache, Cors, CorsTable, Files, FilesTable, Headers, Key, KeyTable, Parameter,
    ParameterTable, RateLimit, RateLimitTable, Request, RequestTable, Respond, RespondTable, Response,
    ResponseTable, Route, RouteTimeout, RouteTimeoutTable, ServerSent, ServerSentTable, SocketIo,
    SocketIoTable, Subrequest, SubrequestTable, TextTable, Topic, TopicTable, WebSocket, WebSocketTable,
};
pub use service::{Account, Kind, Service, Variable};
pub use shorthand::Texts;
pub use size::{Size, SizeError};
pub use socket::{Keepalive, KeepaliveTable, Socket};
pub use store::{Events, Fsync, Script, Store};
pub use upstream::{
    Ejection, Health, HealthTable, Retry, Server, ServerTable, ServerTls, ServerTlsTable, Upstream,
};
pub use workers::{WorkerBounds, WorkerCount, Workers};

/// A config file of Remuda, `remuda.toml`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct File {
    /// What concerns the arbiter itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remuda: Option<Instance>,
    /// The page for browsers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dashboard: Option<Dashboard>,
    /// The sockets, by name: `[socket.web]`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub socket: BTreeMap<Located<String>, Socket>,
    /// The services, by name: `[service.web]`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub service: BTreeMap<Located<String>, Service>,
    /// Messages between workers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bus: Option<Bus>,
    /// Keys and values that workers share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<Store>,
    /// Other servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub herd: Option<Herd>,
    /// Locks that workers share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locks: Field<Locks>,
    /// The worker that is the hub.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hub: Field<Hub>,
    /// What services may do on the hub, by name of the service: `[access.web]`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub access: BTreeMap<Located<String>, Access>,
    /// What the gateway does besides its routes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Field<Gateway>,
    /// What the gateway does with requests.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub route: Vec<Located<Route>>,
    /// Where requests are passed on to: `[upstream.pool]`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub upstream: BTreeMap<Located<String>, Upstream>,
    /// Certificates for TLS.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificate: Vec<Located<Certificate>>,
    /// Certificates by ACME.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acme: Field<Acme>,
}

impl File {
    /// The file as TOML, without the keys that are not set. Reads back as the same file: a `$` that reading would
    /// take for a variable is escaped.
    ///
    /// # Errors
    /// Never for values that TOML can hold; a number beyond 2^63-1 is one that it cannot.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        let mut table = toml::Table::try_from(self)?;
        table.iter_mut().for_each(|(_, value)| escape(value));
        toml::to_string(&table)
    }
}

fn escape(value: &mut toml::Value) {
    match value {
        toml::Value::String(text) => *text = interpolate::escape(text).into_owned(),
        toml::Value::Array(items) => items.iter_mut().for_each(escape),
        toml::Value::Table(table) => table.iter_mut().for_each(|(_, value)| escape(value)),
        _ => {}
    }
}
