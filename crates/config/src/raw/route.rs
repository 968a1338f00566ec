//! `[[route]]`.

use std::collections::BTreeMap;

use remuda_model::gateway::{AuthScheme, Encoding, Links, Page, ParameterPlace};
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess};
use serde::{Deserialize, Serialize};

use super::gateway::{Compress, Expected};
use super::shape::{Shape, read_by_shape};
use super::shorthand::shorthand;
use super::{Duration, Field, Located, Size, Texts};

mod realtime;

pub use realtime::{
    Key, KeyTable, ServerSent, ServerSentTable, SocketIo, SocketIoTable, Topic, TopicTable, WebSocket,
    WebSocketTable,
};

/// Texts by name.
pub type TextTable = BTreeMap<Located<String>, Located<String>>;

/// What the gateway does with some requests: `[[route]]`. The most specific route that fits takes a request: by host,
/// path, method and conditions, in this order; among equals the first in the file. Each has exactly one of `files`, `to`,
/// `redirect`, `respond`, `topic`, `sse`, `websocket`, `socketio`, `key` and `page`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Route {
    /// Methods and path: "/about", "GET|HEAD /static/*", "POST /u/{id:int}". Default: every request.
    #[serde(rename = "match")]
    pub pattern: Field<String>,
    /// Hosts: "example.org", "*.example.org", or a list. Default: all.
    pub host: Field<Texts>,
    /// Headers that must be like this: { X-Env = "test*", X-Old = false }. Default: any.
    pub headers: Option<BTreeMap<Located<String>, Located<Expected>>>,
    /// Parameters of the query that must be like this. Default: any.
    pub query: Option<BTreeMap<Located<String>, Located<Expected>>>,
    /// Cookies that must be like this. Default: any.
    pub cookies: Option<BTreeMap<Located<String>, Located<Expected>>>,
    /// The client's address, or ranges of them: "10.0.0.0/8". Default: any.
    pub source: Field<Texts>,
    /// How the request came: `http` or `https`. Default: either.
    pub scheme: Field<String>,
    /// Sockets it came in on. Default: any.
    pub socket: Field<Texts>,

    /// Serves files: a folder, or one file; or a table.
    pub files: Field<Files>,
    /// Passes the request on: "service:NAME", "service:NAME/SOCKET", "upstream:NAME", "http://HOST:PORT/BASE".
    pub to: Field<String>,
    /// Sends the client elsewhere: "https://{host}{uri}", with another status than 308 before it: "303 /login".
    pub redirect: Field<String>,
    /// Answers this: a text, a status, or a table.
    pub respond: Field<Respond>,
    /// Streams a topic of the bus: its name, or a table.
    pub topic: Field<Topic>,
    /// Streams topics as events (SSE): a topic, or a table.
    pub sse: Field<ServerSent>,
    /// Streams topics by WebSocket: a topic, or a table.
    pub websocket: Field<WebSocket>,
    /// An endpoint of Socket.IO: its name, or a table.
    pub socketio: Field<SocketIo>,
    /// Reads (GET), and where `match` says so writes (PUT) and removes (DELETE), a key of the store: a key, or a table.
    pub key: Field<Key>,
    /// A built-in page: `docs`, `openapi`, `health` or `metrics`.
    pub page: Field<Page>,

    /// Its name in logs, figures and documents. Default: made of `match`.
    pub name: Field<String>,
    /// One sentence for the documents. Default: none.
    pub summary: Field<String>,
    /// More words for the documents. Default: none.
    pub description: Field<String>,
    /// Groups of the documents it is in. Default: none.
    pub tags: Field<Texts>,
    /// The documents speak of it. Default: true, and false for a `page`.
    pub documented: Field<bool>,
    /// What answers mean, by status, for the documents: { 200 = "The short URL", 404 = "Unknown" }. Default: none.
    pub responses: Option<TextTable>,

    /// What a request must be like: the type of its body, or a table. Default: anything.
    pub request: Field<Request>,
    /// Parameters that are checked: { ttl = { type = "int", min = 60, default = 3600 } }. Default: none.
    pub params: Option<BTreeMap<Located<String>, Located<Parameter>>>,
    /// Who may ask: "basic:FILE", "bearer:FILE", or a table. Default: everybody.
    pub auth: Field<Auth>,
    /// How often: "20/m", or a table (429). Default: any number of times.
    pub limit: Field<RateLimit>,
    /// Which pages of other origins may ask: `https://example.org`, a list, or a table. Default: as the action answers.
    pub cors: Field<Cors>,
    /// A service that is asked first: "service:NAME /path", or a table. What it refuses is refused. Default: none.
    pub before: Field<Subrequest>,
    /// A service that gets the answer's body and gives another: "service:NAME /path", or a table. Default: none.
    pub alter: Field<Subrequest>,
    /// What an answer must be like to be passed on: a type, or a table. Default: anything.
    pub response: Field<Response>,
    /// The path, and the query if it has one, that the action sees instead: "/v1/{rest}". Default: as it came.
    pub rewrite: Field<String>,
    /// Changes of the request's headers: { set = { X-From = "edge" }, remove = ["Cookie"] }. Default: none.
    pub request_headers: Option<Headers>,
    /// Changes of the answer's headers. Default: none.
    pub response_headers: Option<Headers>,
    /// So long the first byte of an answer is waited for (504), or a table. Default: as the upstream says.
    pub timeout: Field<RouteTimeout>,
    /// How answers are compressed: true, false, a list of encodings, or a table. Default: as `[gateway]` says.
    pub compress: Field<Compress>,
    /// `Cache-Control` of answers: a value, or values by path: { "/assets/*" = "max-age=31536000, immutable" }. Default:
    /// none.
    pub cache: Field<Cache>,
    /// Requests are written to the access log, where there is one. Default: true.
    pub access_log: Field<bool>,
}

shorthand! {
    /// Files of a folder, or one.
    Files = FilesTable, "a folder, a file, or a table"
}

/// Files with their settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FilesTable {
    /// The folder, or the file; relative to the config file. Beneath a folder lies what `*` in `match` stands for. Required.
    pub root: Field<String>,
    /// Files that stand for their folder. Default: "index.html".
    pub index: Field<Texts>,
    /// A folder without one shows what is in it. Default: false.
    pub listing: Field<bool>,
    /// The file that is served where nothing is found, for applications of one page: "index.html". Default: none.
    pub fallback: Field<String>,
    /// Files that are served with an error, by status: { 404 = "404.html" }. Default: none.
    pub error_pages: Option<TextTable>,
    /// Siblings that are served to who takes them: `br` (.br), `zstd` (.zst), `gzip` (.gz). Default: all.
    pub precompressed: Field<Vec<Located<Encoding>>>,
    /// Names that begin with a dot are served, besides `.well-known`. Default: false.
    pub dot_files: Field<bool>,
    /// Symbolic links that are followed: `none`, those that stay `beneath` the folder, or `all`. Default: `beneath`.
    pub links: Field<Links>,
    /// Files may be kept open, and small ones in memory; they are looked at again each second. Default: true.
    pub cache: Field<bool>,
    /// Types by ending, before the built-in ones: { mjs = "text/javascript" }. Default: none.
    pub types: Option<TextTable>,
}

/// A fixed answer.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Respond {
    /// 200 with this text.
    Text(String),
    /// A status without a body.
    Status(u16),
    /// With its settings.
    Table(RespondTable),
}

/// A fixed answer with its settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RespondTable {
    /// 200 to 599. Default: 200.
    pub status: Field<u16>,
    /// Its body; variables are filled in as they are. Default: none.
    pub body: Field<String>,
    /// `Content-Type`. Default: "text/plain; charset=utf-8".
    #[serde(rename = "type")]
    pub content_type: Field<String>,
}

impl Shape for Respond {
    const EXPECTED: &'static str = "a text, a status, or { status = …, body = …, type = … }";
    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        Ok(Self::Text(text.to_owned()))
    }
    fn from_number<E: Error>(number: i64) -> Result<Self, E> {
        let status = u16::try_from(number).ok();
        status.map(Self::Status).ok_or_else(|| E::custom(format!("{number} is no status, 200 to 599")))
    }
    fn from_table<'de, A: MapAccess<'de>>(table: A) -> Result<Self, A::Error> {
        RespondTable::deserialize(MapAccessDeserializer::new(table)).map(Self::Table)
    }
}

shorthand! {
    /// What a request must be like.
    Request = RequestTable, "the type of its body, or a table"
}

/// What a request must be like, with everything.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RequestTable {
    /// Types of its body: "application/json", "image/*" (415). Default: any.
    #[serde(rename = "type")]
    pub types: Field<Texts>,
    /// The longest body (413). Default: as `[gateway.limits]` says.
    pub max: Field<Size>,
    /// It must have a body (400). Default: false.
    pub required: Field<bool>,
    /// A file with a JSON Schema that its body must fit (422). Default: none.
    pub schema: Field<String>,
    /// Headers it must have (400). Default: none.
    pub headers: Field<Texts>,
    /// What its body is, for the documents. Default: none.
    pub description: Field<String>,
}

shorthand! {
    /// What an answer must be like to be passed on.
    Response = ResponseTable, "the type of its body, or a table"
}

/// What an answer must be like, with everything.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ResponseTable {
    /// Types of its body. Default: any.
    #[serde(rename = "type")]
    pub types: Field<Texts>,
    /// A file with a JSON Schema that its body must fit. Default: none.
    pub schema: Field<String>,
    /// The status that the client gets instead, 400 to 599. Default: 502.
    pub otherwise: Field<u16>,
}

shorthand! {
    /// A parameter that is checked.
    Parameter = ParameterTable, "a type such as \"int\", or a table"
}

/// A parameter with its settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ParameterTable {
    /// Where it stands: `query`, `path`, `header` or `cookie`. Default: `path` if it is in `match`, else `query`.
    #[serde(rename = "in")]
    pub place: Field<ParameterPlace>,
    /// `string`, `int`, `number`, `bool`, `uuid` or `date`. Default: `string`.
    #[serde(rename = "type")]
    pub kind: Field<String>,
    /// The least number, or the shortest text. Default: none.
    pub min: Field<Bound>,
    /// The greatest number, or the longest text. Default: none.
    pub max: Field<Bound>,
    /// A regular expression that all of a text matches. Default: none.
    pub pattern: Field<String>,
    /// The only texts it may be. Default: any.
    pub values: Field<Texts>,
    /// Without it a request is refused (400). Default: false, and true in the path.
    pub required: Field<bool>,
    /// What it is where it is not there; only in the query. Default: none.
    pub default: Field<Bound>,
    /// What it is, for the documents. Default: none.
    pub description: Field<String>,
}

/// A number, or a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Bound {
    /// A whole number.
    Whole(i64),
    /// Another number, or a text.
    Text(String),
}

impl Shape for Bound {
    const EXPECTED: &'static str = "a number or a text";
    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        Ok(Self::Text(text.to_owned()))
    }
    fn from_number<E: Error>(number: i64) -> Result<Self, E> {
        Ok(Self::Whole(number))
    }
    fn from_fraction<E: Error>(number: f64) -> Result<Self, E> {
        Ok(Self::Text(number.to_string()))
    }
    fn from_flag<E: Error>(flag: bool) -> Result<Self, E> {
        Ok(Self::Text(flag.to_string()))
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl JsonSchema for Bound {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Bound".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["number", "string", "boolean"] })
    }
}

shorthand! {
    /// Who may ask.
    Auth = AuthTable, "\"basic:FILE\", \"bearer:FILE\", or a table"
}

/// Who may ask, with its settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuthTable {
    /// How they show it: `basic` (name and password) or `bearer` (a token). Required.
    pub scheme: Field<AuthScheme>,
    /// A file of lines `NAME:HASH`, as htpasswd writes it; for tokens `NAME:sha256:HEX`. Required.
    pub file: Field<String>,
    /// What browsers show to people. Default: the route's name.
    pub realm: Field<String>,
}

shorthand! {
    /// How often somebody may ask.
    RateLimit = RateLimitTable, "a rate such as \"20/m\", or a table"
}

/// How often, with its settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimitTable {
    /// So many in so long: "20/m", "5/s", "1000/h". Required.
    pub rate: Field<String>,
    /// So many at once after a silence. Default: as many as `rate` has in its time.
    pub burst: Field<u32>,
    /// Who is counted together: `address`, `route`, `host`, `user`, `header:NAME` or `cookie:NAME`. Default: `address`.
    pub key: Field<String>,
}

/// Which pages of other origins may ask.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Cors {
    /// Those of these origins.
    Origins(Texts),
    /// With its settings.
    Table(Box<CorsTable>),
}

/// CORS with its settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CorsTable {
    /// Origins: `https://example.org`, `https://*.example.org`, "*". Required.
    pub origins: Field<Texts>,
    /// Methods. Default: those of the route.
    pub methods: Field<Texts>,
    /// Headers that pages may send. Default: those they ask for.
    pub headers: Field<Texts>,
    /// Headers of answers that pages may read. Default: none besides the usual.
    pub expose: Field<Texts>,
    /// Cookies and passwords come along; not with "*". Default: false.
    pub credentials: Field<bool>,
    /// So long a browser need not ask again. Default: "1h".
    pub max_age: Field<Duration>,
}

impl Shape for Cors {
    const EXPECTED: &'static str = "an origin, a list of them, or a table";
    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        Texts::from_text(text).map(Self::Origins)
    }
    fn from_list<'de, A: serde::de::SeqAccess<'de>>(list: A) -> Result<Self, A::Error> {
        Texts::from_list(list).map(Self::Origins)
    }
    fn from_table<'de, A: MapAccess<'de>>(table: A) -> Result<Self, A::Error> {
        CorsTable::deserialize(MapAccessDeserializer::new(table)).map(Box::new).map(Self::Table)
    }
}

shorthand! {
    /// A service that is asked.
    Subrequest = SubrequestTable, "\"service:NAME /path\", or a table"
}

/// A service that is asked, with its settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SubrequestTable {
    /// Who: "service:NAME", "upstream:NAME", "http://HOST:PORT". Required.
    pub to: Field<String>,
    /// For what. Default: the request's own path.
    pub path: Field<String>,
    /// So long its answer is waited for (504). Default: "5s".
    pub timeout: Field<Duration>,
    /// It gets the request's body too. Default: false; `alter` gets the answer's.
    pub body: Field<bool>,
    /// Headers of its answer that are taken over. Default: none.
    pub headers: Field<Texts>,
    /// The status that a client gets when it refuses, 400 to 599. Default: its own answer is passed on.
    pub refuse: Field<u16>,
}

/// Changes of headers: first `remove`, then `set`, then `add`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Headers {
    /// These have this value and no other; variables are filled in. Default: none.
    pub set: Option<TextTable>,
    /// These have this value too. Default: none.
    pub add: Option<TextTable>,
    /// These go. Default: none.
    pub remove: Field<Texts>,
}

shorthand! {
    /// Times of a route.
    RouteTimeout = RouteTimeoutTable, "a duration such as \"30s\", or a table"
}

/// Times of a route, each.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RouteTimeoutTable {
    /// Until the first byte of an upstream's answer (504). Default: as the upstream says.
    pub first_byte: Field<Duration>,
    /// Between two bytes of it; streams of events have none. Default: as the upstream says.
    pub idle: Field<Duration>,
    /// From the request's head to the end of the answer. Default: none.
    pub total: Field<Duration>,
}

/// `Cache-Control` of answers.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Cache {
    /// Of all.
    Text(String),
    /// By path, in which `*` stands for any text; the longest that fits.
    Paths(TextTable),
}

impl Shape for Cache {
    const EXPECTED: &'static str = "a value of Cache-Control, or a table of them by path";
    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        Ok(Self::Text(text.to_owned()))
    }
    fn from_table<'de, A: MapAccess<'de>>(table: A) -> Result<Self, A::Error> {
        BTreeMap::deserialize(MapAccessDeserializer::new(table)).map(Self::Paths)
    }
}

read_by_shape!(Respond, Bound, Cors, Cache);
