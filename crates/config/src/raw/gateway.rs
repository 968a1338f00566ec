//! `[gateway]`, `[[certificate]]` and `[acme]`.

use std::borrow::Cow;

use remuda_model::gateway::{AccessLogFormat, AcmeChallenge, Encoding, IpRange, TlsVersion};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess};
use serde::{Deserialize, Serialize};

use super::shape::{Shape, read_by_shape};
use super::shorthand::shorthand;
use super::{Duration, Field, Located, Percent, Size, Texts};

/// What all services of kind `gateway` do: `[gateway]`, beside the routes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Gateway {
    /// Peers whose word about the client is believed, addresses or ranges: ["10.0.0.0/8"]. Default: none.
    pub trusted_proxies: Field<Vec<Located<IpRange>>>,
    /// Sockets on which each connection begins with the PROXY protocol, v1 or v2, from trusted proxies. Default: none.
    pub proxy_protocol: Field<Texts>,
    /// HTTP/2 without TLS, for clients that begin with it. Default: false.
    pub h2c: Field<bool>,
    /// What is written about requests, to the service's log: `off`, `json` or `combined`, or a table. Default: `off`.
    pub access_log: Field<AccessLog>,
    /// Whether answers are compressed where a route says nothing: true, a list of encodings, or a table. Default: false.
    pub compress: Field<Compress>,
    /// The `Server` header of answers of its own; "" for none. Default: "remuda".
    pub server: Field<String>,
    /// What the documents of the routes begin with.
    pub docs: Option<Docs>,
    /// How much it takes.
    pub limits: Option<GatewayLimits>,
    /// How long it waits.
    pub timeouts: Option<GatewayTimeouts>,
    /// TLS for clients.
    pub tls: Option<Tls>,
}

/// What the documents of the routes begin with.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Docs {
    /// Their title. Default: the name of the instance.
    pub title: Field<String>,
    /// The version of what they are about. Default: "1".
    pub version: Field<String>,
    /// Some words about it. Default: none.
    pub description: Field<String>,
}

/// How much one gateway worker takes. What is over a limit is counted.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GatewayLimits {
    /// Connections of clients; further ones wait to be accepted. 0 is what the limit of descriptors allows. Default: 0.
    pub connections: Field<u32>,
    /// Connections of one address; further ones are closed. 0 is any number. Default: 256.
    pub connections_per_address: Field<u32>,
    /// Requests on one connection of HTTP/1; 0 is any number. Default: 0.
    pub requests_per_connection: Field<u64>,
    /// A request's line and headers, 1KiB to 1MiB (431). Default: "32KiB".
    pub head: Field<Size>,
    /// A request's target (414). Default: "8KiB".
    pub target: Field<Size>,
    /// Headers of a request, 8 to 1000 (431). Default: 100.
    pub headers: Field<u32>,
    /// A request's body where the route says nothing (413); 0 is any. Default: 0.
    pub body: Field<Size>,
    /// A body that is kept whole: for a schema, `before` and `alter` (413, 502); at most 64 MiB. Default: "1MiB".
    pub kept_body: Field<Size>,
    /// Trailers of a chunked body, and extensions of one chunk. Default: "4KiB".
    pub trailers: Field<Size>,
    /// Streams of one HTTP/2 connection. Default: 100.
    pub http2_streams: Field<u32>,
    /// Headers of an HTTP/2 request, each counted with 32 bytes more. Default: "16KiB".
    pub http2_headers: Field<Size>,
    /// Streams that a client may open and reset before they are answered, until it is closed. Default: 200.
    pub http2_resets: Field<u32>,
    /// Clients that the limit of a route remembers, at most 10000000. Default: 65536.
    pub rate_keys: Field<u32>,
}

/// How long a gateway waits for its clients.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GatewayTimeouts {
    /// For a request's head (408). Default: "10s".
    pub header: Field<Duration>,
    /// For a TLS handshake, and for the PROXY protocol's header. Default: "10s".
    pub handshake: Field<Duration>,
    /// A body may be slower than `body_rate` for so long. Default: "10s".
    pub body_grace: Field<Duration>,
    /// A body comes with so many bytes a second at least (408); 0 is any. Default: 240.
    pub body_rate: Field<u32>,
    /// A connection without a request is closed. Default: "75s".
    pub idle: Field<Duration>,
    /// A client that takes nothing is cut off. Default: "1m".
    pub send: Field<Duration>,
    /// After an early answer, so long the rest of the request is read. Default: "5s".
    pub linger: Field<Duration>,
    /// When a worker ends, connections that are idle for so long are closed. Default: "1s".
    pub drain_idle: Field<Duration>,
}

/// TLS for clients: `[gateway.tls]`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// Sockets that speak it, of those of the gateway services. Required.
    pub sockets: Field<Texts>,
    /// The oldest version, "1.2" or "1.3". Default: "1.2".
    pub min_version: Field<TlsVersion>,
    /// Offer HTTP/2. Default: true.
    pub http2: Field<bool>,
    /// Send requests that come without TLS to `https`. Default: false.
    pub redirect: Field<bool>,
    /// `Strict-Transport-Security` for so long. Default: none.
    pub hsts: Field<Duration>,
    /// Clients show a certificate.
    pub client: Option<ClientCertificate>,
}

/// Clients show a certificate: `[gateway.tls.client]`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClientCertificate {
    /// A file of the authorities that sign them, PEM. Required.
    pub authorities: Field<String>,
    /// Who shows none is refused. Default: true.
    pub required: Field<bool>,
    /// Hosts it holds for. Default: all.
    pub hosts: Field<Texts>,
}

shorthand! {
    /// What is written about requests.
    AccessLog = AccessLogTable, "\"off\", \"json\", \"combined\", or a table"
}

/// The access log with its settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AccessLogTable {
    /// `off`, `json` or `combined`. Default: `json`.
    pub format: Field<AccessLogFormat>,
    /// So many of the requests; those answered with 500 and above always. Default: "100%".
    pub sample: Field<Percent>,
}

/// How answers are compressed while they are sent.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Compress {
    /// With everything as it is by default, or not at all.
    Flag(bool),
    /// With these encodings, the best first.
    Encodings(Vec<Located<Encoding>>),
    /// With its settings.
    Table(CompressTable),
}

/// Compression with its settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CompressTable {
    /// `br`, `gzip`, the best first. Default: ["br", "gzip"].
    pub encodings: Field<Vec<Located<Encoding>>>,
    /// Shorter answers are not compressed. Default: "1KiB".
    pub min: Field<Size>,
    /// Types of answers that are: "text/html", "text/*". Default: texts, JSON, JavaScript, XML, SVG, WebAssembly.
    pub types: Field<Texts>,
}

impl Shape for Compress {
    const EXPECTED: &'static str = "true, false, a list of encodings, or a table";
    fn from_flag<E: Error>(flag: bool) -> Result<Self, E> {
        Ok(Self::Flag(flag))
    }
    fn from_list<'de, A: SeqAccess<'de>>(list: A) -> Result<Self, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(Self::Encodings)
    }
    fn from_table<'de, A: MapAccess<'de>>(table: A) -> Result<Self, A::Error> {
        CompressTable::deserialize(MapAccessDeserializer::new(table)).map(Self::Table)
    }
}

read_by_shape!(Compress);

/// A certificate for TLS: `[[certificate]]`. The first is shown to who asks for a host that has none.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Certificate {
    /// A file of the certificate and those between it and its authority, PEM; read again when it changes. Required.
    pub certificate: Field<String>,
    /// A file of its key, PEM. Required.
    pub key: Field<String>,
    /// Hosts it is used for: "example.org", "*.example.org". Default: those that it names.
    pub hosts: Field<Texts>,
}

/// Certificates from an authority that speaks ACME, such as Let's Encrypt: `[acme]`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Acme {
    /// Hosts, each of which gets a certificate. Required.
    pub hosts: Field<Texts>,
    /// The authority's terms are agreed to. Required to be true.
    pub terms_agreed: Field<bool>,
    /// Mail addresses it may write to. Default: none.
    pub contacts: Field<Texts>,
    /// The authority's directory. Default: Let's Encrypt's.
    pub directory: Field<String>,
    /// How a host is shown to be ours: `http-01` (port 80), `tls-alpn-01` (port 443). Default: both, in this order.
    pub challenges: Field<Vec<Located<AcmeChallenge>>>,
    /// A profile of the authority, such as `shortlived`. Default: none.
    pub profile: Field<String>,
    /// An account that exists already.
    pub external_account: Option<ExternalAccount>,
    /// A file of authorities that sign the directory's own certificate, PEM. Default: those of the system.
    pub authorities: Field<String>,
    /// Folder of account, keys and certificates, mode 0700. Default: `/var/lib/remuda/NAME/gateway` for root, else
    /// `$XDG_STATE_HOME/remuda/NAME/gateway`, `$HOME/.local/state/remuda/NAME/gateway` or
    /// `/var/tmp/remuda-UID/NAME/gateway`.
    pub state: Field<String>,
}

/// An account at the authority that exists already (external account binding).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExternalAccount {
    /// Which. Required.
    pub key_id: Field<String>,
    /// A file of its key, base64url. Required.
    pub key_file: Field<String>,
}

/// Something that is there or not, or like a text in which `*` stands for any bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Expected {
    /// It is there (true), or not.
    There(bool),
    /// It is like this.
    Like(String),
}

impl Shape for Expected {
    const EXPECTED: &'static str = "a text, in which \"*\" stands for anything, true or false";
    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        Ok(Self::Like(text.to_owned()))
    }
    fn from_flag<E: Error>(flag: bool) -> Result<Self, E> {
        Ok(Self::There(flag))
    }
}

impl JsonSchema for Expected {
    fn schema_name() -> Cow<'static, str> {
        "Expected".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": ["string", "boolean"] })
    }
}

read_by_shape!(Expected);
