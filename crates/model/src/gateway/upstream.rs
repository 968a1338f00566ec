//! Where requests are passed on to: services of this instance, and servers that Remuda does not run.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Address, ServiceName, SocketName};

/// Where requests are passed on to, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamSpec {
    /// Who answers.
    pub servers: UpstreamServers,
    /// What is spoken. Default [`UpstreamProtocol::Http1`].
    pub protocol: UpstreamProtocol,
    /// TLS towards it; `None` is without.
    pub tls: Option<UpstreamTls>,
    /// Who of several gets a request. Default [`UpstreamBalance::TwoChoices`].
    pub balance: UpstreamBalance,
    /// Requests that one server works on at once; further ones wait, in one queue, for the first that is free. For
    /// workers that do one thing at a time it is 1. `None`: no server is ever full.
    pub concurrency: Option<u32>,
    /// Requests at once, of one gateway worker; further ones wait in the queue. `None`: any number.
    pub inflight_max: Option<u32>,
    /// Requests that wait; further ones get 503. Default 1,000.
    pub queue_max: u32,
    /// So long a request waits in the queue; 503. Default 5 s.
    pub queue_wait: Duration,
    /// Whether bodies of requests are taken in whole before a server is asked. Default [`Buffering::Auto`].
    pub buffer_request: Buffering,
    /// Bytes of such a body that stay in memory; the rest goes to a file without a name. Default 64 KiB.
    pub buffer_memory: u64,
    /// Until a connection is there. Default 5 s, and 1 s for Unix sockets.
    pub connect: Option<Duration>,
    /// Until the first byte of the answer; 504. Default 60 s.
    pub first_byte: Duration,
    /// Between two bytes of the answer, not of streams of events; 0 is for ever. Default 60 s.
    pub idle: Duration,
    /// A connection without a request is kept so long; shorter than the server's own time. Default 1.5 s, below that of
    /// gunicorn (2 s), the shortest of those in wide use.
    pub keep_alive: Duration,
    /// Connections without a request that are kept for each server. Default 64.
    pub keep_alive_max: u32,
    /// The host that servers see: that of the request, or this one. Default that of the request.
    pub host: Option<String>,
    /// How servers are asked whether they are well; `None`: not at all.
    pub health: Option<HealthSpec>,
    /// When a server is left alone for a while because it failed.
    pub ejection: EjectionSpec,
    /// When a request is tried again.
    pub retry: RetrySpec,
    /// A server that comes back gets its full share after so long. Default 0: at once.
    pub slow_start: Duration,
    /// Tell servers who the client is by the PROXY protocol. Default not.
    pub proxy_protocol: Option<ProxyProtocol>,
}

impl UpstreamSpec {
    /// With these servers, and everything else by default.
    #[must_use]
    pub fn new(servers: UpstreamServers) -> Self {
        Self {
            servers,
            protocol: UpstreamProtocol::default(),
            tls: None,
            balance: UpstreamBalance::default(),
            concurrency: None,
            inflight_max: None,
            queue_max: 1000,
            queue_wait: Duration::from_secs(5),
            buffer_request: Buffering::default(),
            buffer_memory: 64 << 10,
            connect: None,
            first_byte: Duration::from_secs(60),
            idle: Duration::from_secs(60),
            keep_alive: Duration::from_millis(1500),
            keep_alive_max: 64,
            host: None,
            health: None,
            ejection: EjectionSpec::default(),
            retry: RetrySpec::default(),
            slow_start: Duration::ZERO,
            proxy_protocol: None,
        }
    }
}

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpstreamServers {
    /// A service of this instance. Where it is reached stands in
    /// [`GatewaySettings::services`](super::GatewaySettings::services), under the upstream's key.
    Service {
        /// Its name.
        service: ServiceName,
        /// Which of its sockets.
        socket: SocketName,
        /// Where that listens, as the config says: another address is another upstream.
        listen: Address,
    },
    /// These.
    Listed(Vec<UpstreamServer>),
}

/// A server that Remuda does not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamServer {
    /// Where it is.
    pub address: ServerAddress,
    /// Its share, 1 to 1000. Default 1.
    pub weight: u32,
}

/// Where a server is: `127.0.0.1:9000`, `[::1]:9000`, `api.internal:80`, `unix:/run/x.sock`, `unix:@name`. Names are
/// looked up when they are needed, and again every 30 s.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub enum ServerAddress {
    /// TCP.
    Tcp {
        /// A name, or an address without brackets.
        host: String,
        /// 1 to 65535.
        port: u16,
    },
    /// A Unix stream socket.
    Unix(PathBuf),
    /// One in the abstract name space, without the `@`.
    Abstract(String),
}

/// Why a text is no address of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no address of a server: write \"127.0.0.1:9000\", \"api.internal:80\" or \"unix:/run/x.sock\""
)]
pub struct ServerAddressError(String);

/// What is spoken with a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UpstreamProtocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2, without asking (prior knowledge; `h2c`, and `h2` over TLS): gRPC.
    Http2,
}

/// TLS towards a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamTls {
    /// The name its certificate must be for. Default its host.
    pub name: Option<String>,
    /// Authorities it may be signed by, PEM, absolute; `None`: those of the system.
    pub authorities: Option<PathBuf>,
    /// Whether its certificate is looked at. Default true.
    pub verify: bool,
}

/// Who of several servers gets a request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpstreamBalance {
    /// Of two at random the one with fewer requests.
    #[default]
    TwoChoices,
    /// Of two at random the one that is faster for what it has (peak EWMA).
    Latency,
    /// One after the other.
    RoundRobin,
    /// The one with the fewest requests.
    Least,
    /// The same one for the same value.
    Hash(HashKey),
}

/// What is the same for requests that go to the same server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HashKey {
    /// The client's address.
    Address,
    /// The path.
    Path,
    /// A header.
    Header(String),
    /// A cookie.
    Cookie(String),
}

/// Whether bodies of requests are taken in whole before a server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Buffering {
    /// Where `concurrency` is 4 or less, since a slow client would hold up others there.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// How servers are asked whether they are well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthSpec {
    /// What is asked for, by GET.
    pub path: String,
    /// The host that is named. Default the upstream's.
    pub host: Option<String>,
    /// So often, with a random part of a tenth. Default 2 s.
    pub every: Duration,
    /// So long an answer is waited for. Default 1 s.
    pub timeout: Duration,
    /// So many good answers after bad ones make it well. Default 2.
    pub rise: u32,
    /// So many bad ones make it ill. Default 3.
    pub fall: u32,
    /// Good answers, from and to. Default 200 to 399.
    pub statuses: (u16, u16),
}

/// When a server is left alone for a while because it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EjectionSpec {
    /// So many failures in a row: no connection, a reset, no answer in time. 0 is never. Default 5.
    pub failures: u32,
    /// For so long the first time, and twice as long each further time, up to 5 min. Default 10 s.
    pub time: Duration,
    /// So many of a hundred servers at most; where more are bad, all are tried. Default 50.
    pub max_percent: u32,
}

impl Default for EjectionSpec {
    fn default() -> Self {
        Self { failures: 5, time: Duration::from_secs(10), max_percent: 50 }
    }
}

/// When a request is tried again, on another server where there is one: only before the head of an answer, and where
/// doing it twice is doing it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetrySpec {
    /// So often at most; 0 is never. Default 1.
    pub attempts: u32,
    /// Of a hundred requests so many may be tried again … Default 20.
    pub budget_percent: u32,
    /// … and so many more each second. Default 10.
    pub budget_per_second: u32,
}

impl Default for RetrySpec {
    fn default() -> Self {
        Self { attempts: 1, budget_percent: 20, budget_per_second: 10 }
    }
}

/// A version of the PROXY protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyProtocol {
    /// A line of text.
    V1,
    /// Bytes.
    V2,
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Abstract(name) => write!(f, "unix:@{name}"),
        }
    }
}

impl FromStr for ServerAddress {
    type Err = ServerAddressError;
    fn from_str(text: &str) -> Result<Self, ServerAddressError> {
        let wrong = || ServerAddressError(text.chars().take(80).collect());
        match text.parse::<Address>() {
            Ok(Address::UnixStream(path)) => Ok(Self::Unix(path)),
            Ok(Address::Abstract(name)) => Ok(Self::Abstract(name)),
            // `8080` alone would be every address of this machine, which is nothing to connect to.
            Ok(Address::Tcp(address)) if address.port() != 0 && !address.ip().is_unspecified() => {
                Ok(Self::Tcp { host: address.ip().to_string(), port: address.port() })
            }
            Ok(Address::TcpHost { host, port }) if port != 0 && !host.contains('*') => {
                Ok(Self::Tcp { host: host.to_ascii_lowercase(), port })
            }
            _ => Err(wrong()),
        }
    }
}

impl TryFrom<String> for ServerAddress {
    type Error = ServerAddressError;
    fn try_from(text: String) -> Result<Self, ServerAddressError> {
        text.parse()
    }
}

impl From<ServerAddress> for String {
    fn from(address: ServerAddress) -> Self {
        address.to_string()
    }
}
