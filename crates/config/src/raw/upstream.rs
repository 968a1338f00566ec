//! `[upstream.NAME]`.

use remuda_model::gateway::{Buffering, ProxyProtocol, UpstreamProtocol};
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess};
use serde::{Deserialize, Serialize};

use super::shape::{Shape, read_by_shape};
use super::shorthand::shorthand;
use super::{Duration, Field, Located, Percent, Size};

/// Where requests are passed on to, and how: `[upstream.NAME]`, for `to = "upstream:NAME"`. Servers that Remuda does not
/// run, or a service; then `to = "service:…"` is the same.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Upstream {
    /// Servers: ["127.0.0.1:9000", "unix:/run/x.sock", { address = "api.internal:80", weight = 2 }]. This or `service`.
    pub servers: Field<Vec<Located<Server>>>,
    /// A service, "NAME" or "NAME/SOCKET". This or `servers`.
    pub service: Field<String>,
    /// What is spoken: `http1`, or `http2` without asking first. Default: `http1`.
    pub protocol: Field<UpstreamProtocol>,
    /// TLS towards servers: true, or a table. Default: false; for `to = "https://…"` true.
    pub tls: Field<ServerTls>,
    /// Who gets a request: `two-choices`, `latency`, `round-robin`, `least`, `hash:address`, `hash:path`, `hash:header:NAME`,
    /// `hash:cookie:NAME`. Default: `two-choices`.
    pub balance: Field<String>,
    /// Requests that one server works on at once; further ones wait for the first that is free. Default: any number.
    pub concurrency: Field<u32>,
    /// Requests at once, from one gateway worker. Default: any number.
    pub inflight_max: Field<u32>,
    /// Requests that wait (503). Default: 1000.
    pub queue_max: Field<u32>,
    /// So long a request waits (503). Default: "5s".
    pub queue_wait: Field<Duration>,
    /// Take bodies of requests in whole first: `on`, `off`, or `auto`, where `concurrency` is 4 or less. Default: `auto`.
    pub buffer_request: Field<Buffering>,
    /// So much of such a body stays in memory. Default: "64KiB".
    pub buffer_memory: Field<Size>,
    /// Until a connection is there. Default: "5s", and "1s" for Unix sockets.
    pub connect: Field<Duration>,
    /// Until the first byte of an answer (504). Default: "1m".
    pub first_byte: Field<Duration>,
    /// Between two bytes of an answer, not of streams of events; "0s" is for ever. Default: "1m".
    pub idle: Field<Duration>,
    /// A connection without a request is kept so long; shorter than the server's own time. Default: "1500ms".
    pub keep_alive: Field<Duration>,
    /// Connections without a request that are kept for each server. Default: 64.
    pub keep_alive_max: Field<u32>,
    /// The host that servers are told. Default: that of the request.
    pub host: Field<String>,
    /// How servers are asked whether they are well: a path, or a table. Default: not.
    pub health: Field<Health>,
    /// When a server that failed is left alone for a while.
    pub ejection: Option<Ejection>,
    /// When a request is tried again.
    pub retry: Option<Retry>,
    /// A server that comes back has its full share after so long; "0s" is at once. Default: "0s".
    pub slow_start: Field<Duration>,
    /// Tell servers who the client is by the PROXY protocol: `v1` or `v2`. Default: not.
    pub proxy_protocol: Field<ProxyProtocol>,
}

shorthand! {
    /// A server.
    Server = ServerTable, "an address, or { address = …, weight = … }"
}

/// A server with its settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ServerTable {
    /// Where it is. Required.
    pub address: Field<String>,
    /// Its share, 1 to 1000. Default: 1.
    pub weight: Field<u32>,
}

/// TLS towards servers.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ServerTls {
    /// With everything as it is by default, or not at all.
    Flag(bool),
    /// With its settings.
    Table(ServerTlsTable),
}

/// TLS towards servers with its settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ServerTlsTable {
    /// The name their certificates must be for. Default: their host.
    pub name: Field<String>,
    /// A file of authorities that sign them, PEM. Default: those of the system.
    pub authorities: Field<String>,
    /// Look at their certificates. Default: true.
    pub verify: Field<bool>,
}

impl Shape for ServerTls {
    const EXPECTED: &'static str = "true, false, or a table";
    fn from_flag<E: Error>(flag: bool) -> Result<Self, E> {
        Ok(Self::Flag(flag))
    }
    fn from_table<'de, A: MapAccess<'de>>(table: A) -> Result<Self, A::Error> {
        ServerTlsTable::deserialize(MapAccessDeserializer::new(table)).map(Self::Table)
    }
}

read_by_shape!(ServerTls);

shorthand! {
    /// How servers are asked whether they are well.
    Health = HealthTable, "a path, or a table"
}

/// How servers are asked, with its settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HealthTable {
    /// What is asked for, by GET. Required.
    pub path: Field<String>,
    /// The host that is named. Default: as for requests.
    pub host: Field<String>,
    /// So often. Default: "2s".
    pub every: Field<Duration>,
    /// So long an answer is waited for. Default: "1s".
    pub timeout: Field<Duration>,
    /// So many good answers make an ill server well. Default: 2.
    pub rise: Field<u32>,
    /// So many bad ones make a well server ill. Default: 3.
    pub fall: Field<u32>,
    /// Good answers: "200-399", "204". Default: "200-399".
    pub statuses: Field<String>,
}

/// When a server that failed is left alone for a while.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ejection {
    /// So many failures in a row; 0 is never. Default: 5.
    pub failures: Field<u32>,
    /// For so long, and twice as long each further time. Default: "10s".
    pub time: Field<Duration>,
    /// So many of the servers at most. Default: "50%".
    pub max: Field<Percent>,
}

/// When a request is tried again.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Retry {
    /// So often at most; 0 is never. Default: 1.
    pub attempts: Field<u32>,
    /// So many of the requests … Default: "20%".
    pub budget: Field<Percent>,
    /// … and so many more each second. Default: 10.
    pub budget_per_second: Field<u32>,
}
