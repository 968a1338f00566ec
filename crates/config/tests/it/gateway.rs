//! The gateway's tables: what they become, and that the effective config reads back as the same.

mod mistakes;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use remuda_config::{Loaded, Report, Style, effective, load_text};
use remuda_model::gateway::{
    Action, ConditionSpec, Expected, GatewaySpec, LimitKey, ParameterKind, ServerAddress, UpstreamBalance,
    UpstreamServers,
};

use crate::support::surroundings;

/// A folder with the files that routes name.
pub(crate) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file");
    fs::create_dir(folder.path().join("public")).expect("a folder");
    write(
        "url.json",
        r#"{"type": "object", "required": ["url"], "properties": {"url": {"type": "string"}}}"#,
    );
    write("users", "ann:$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC\n");
    write("tokens", &format!("# machines\nci:sha256:{}\n", "ab".repeat(32)));
    write("cert.pem", "");
    write("key.pem", "");
    write("clients.pem", "");
    let key = folder.path().join("key.pem");
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("its mode");
    folder
}

pub(crate) fn try_load(folder: &Path, text: &str) -> Result<Loaded, Report> {
    load_text(text, &folder.join("remuda.toml"), &surroundings())
}

#[track_caller]
pub(crate) fn load(folder: &Path, text: &str) -> Loaded {
    try_load(folder, text).unwrap_or_else(|report| panic!("refused:\n{report}"))
}

#[track_caller]
pub(crate) fn spec(loaded: &Loaded) -> Arc<GatewaySpec> {
    let mut specs = loaded.config.services.values().filter_map(|spec| spec.kind.gateway());
    Arc::clone(specs.next().expect("a gateway"))
}

/// Two services, a gateway, a hub, and one of everything a route can be.
pub(crate) const EVERYTHING: &str = r#"
[socket.http]
listen = "127.0.0.1:8080"
[socket.https]
listen = "127.0.0.1:8443"
[socket.web]
listen = "unix:web.sock"
[socket.admin]
listen = "127.0.0.1:9000"

[service.edge]
kind = "gateway"
sockets = ["http", "https"]
workers = 2
[service.web]
command = "web"
sockets = ["web", "admin"]

[store]

[gateway]
trusted_proxies = ["10.0.0.0/8", "::1"]
proxy_protocol = "http"
h2c = true
access_log = { format = "combined", sample = "10%" }
compress = true
server = ""
docs = { title = "Shop", version = "2", description = "All of it" }
limits = { head = "16KiB", connections = 5000 }
timeouts = { header = "5s", body_rate = 0 }
tls = { sockets = "https", min_version = "1.3", hsts = "365d", redirect = true, client = { authorities = "clients.pem", hosts = "a.example.org" } }

[[certificate]]
certificate = "cert.pem"
key = "key.pem"
hosts = ["example.org", "*.example.org"]

[acme]
hosts = "shop.example.org"
terms_agreed = true
contacts = "mailto:ann@example.org"

[upstream.pool]
servers = ["127.0.0.1:9001", { address = "unix:x.sock", weight = 3 }]
balance = "hash:cookie:sid"
concurrency = 1
health = "/up"
ejection = { max = "30%" }
retry = { attempts = 0 }
proxy_protocol = "v2"

[upstream.admin]
service = "web/admin"
keep_alive = "2s"

[[route]]
match = "POST /shorten"
name = "shorten"
summary = "Shorten a URL"
description = "Gives the short form as text"
tags = ["urls"]
request = { type = ["application/json", "text/*"], max = "8K", schema = "url.json", required = true, headers = "X-Id" }
params = { ttl = { type = "int", min = 60, max = 86400, default = 3600 }, kind = { values = ["a", "b"] }, day = "date", share = { type = "number", max = 0.5 }, code = { pattern = "[a-z]+", max = 5, required = true }, X-Trace = { in = "header", type = "uuid" } }
responses = { 200 = "The short URL", 400 = "No URL" }
auth = "basic:users"
limit = { rate = "20/m", burst = 5, key = "header:X-Key" }
cors = { origins = ["https://example.org"], credentials = true, max_age = "10m" }
before = { to = "service:web/admin", path = "/check?u={user}", headers = "X-User", refuse = 403 }
alter = "upstream:pool /alter"
response = { type = "application/json", otherwise = 503 }
request_headers = { set = { X-From = "{client}" }, remove = "Cookie" }
response_headers = { add = { Vary = "X-Key" } }
timeout = "10s"
compress = ["gzip"]
access_log = false
to = "service:web/web"

[[route]]
match = "GET|HEAD /static/*"
host = ["example.org", "*.example.org"]
headers = { X-Env = "test*", X-Old = false }
query = { v = true }
cookies = { beta = "1" }
source = "10.0.0.0/8"
scheme = "https"
socket = "https"
files = { root = "public", listing = true, fallback = "index.html", error_pages = { 404 = "404.html" }, types = { mjs = "text/javascript" }, index = [] }
cache = { "/static/hashed/*" = "max-age=31536000, immutable", "*" = "no-cache" }

[[route]]
match = "/api/{version:int}/{rest*}"
rewrite = "/v{version}/{rest}{?query}"
timeout = { total = "1m", idle = "5s" }
to = "http://127.0.0.1:7000/base/"

[[route]]
match = "/pool"
to = "upstream:pool"
[[route]]
match = "/old/{id}"
redirect = "303 https://{host}/new/{id}"
[[route]]
match = "/teapot"
respond = { status = 418, body = "short and {{stout}}", type = "text/plain" }
[[route]]
match = "/gone"
respond = 410
[[route]]
match = "/news/{group:alpha}"
topic = { topic = "news.{group}", as = "sse", publish = true }
[[route]]
match = "/events"
sse = ["news.", "weather."]
[[route]]
match = "/ws"
websocket = { topics = "out.{user}", publish = "in", protocols = ["a", "b"] }
[[route]]
match = "/socket.io/*"
socketio = { name = "live", namespaces = ["/", "/admin"], origins = "*", admission = "worker" }
[[route]]
match = "GET|PUT|DELETE /count/{id}"
auth = { scheme = "bearer", file = "tokens", realm = "machines" }
key = { key = "count:{id}", type = "text/plain", expire = "1h" }
[[route]]
match = "/docs"
page = "docs"
[[route]]
match = "/openapi.json"
page = "openapi"
[[route]]
files = "public"
"#;

#[test]
fn everything_is_resolved() {
    let folder = folder();
    let mut text = EVERYTHING.to_owned();
    text = text.replace(
        "sse = [\"news.\", \"weather.\"]",
        "sse = { topics = [\"news.\", \"weather.\"], named = true }",
    );
    let loaded = load(folder.path(), &text);
    assert_eq!(loaded.warnings.render(Style::Plain), "");
    let spec = spec(&loaded);
    let route = |name: &str| spec.routes.iter().find(|route| route.name == name).expect(name);

    let shorten = route("shorten");
    assert_eq!((shorten.methods[0].as_str(), shorten.pattern.as_str()), ("POST", "/shorten"));
    assert_eq!(shorten.limit.as_ref().unwrap().key, LimitKey::Header("X-Key".into()));
    let ttl = shorten.parameters.iter().find(|parameter| parameter.name == "ttl").unwrap();
    assert_eq!(
        (&ttl.kind, ttl.default.as_deref()),
        (&ParameterKind::Int { min: Some(60), max: Some(86400) }, Some("3600"))
    );
    assert!(
        matches!(&shorten.action, Action::Proxy(proxy) if proxy.upstream == "service:web/web" && proxy.base.is_empty())
    );
    assert_eq!(
        shorten.before.as_ref().unwrap().upstream,
        "upstream:admin",
        "the settings for a service are those of its upstream"
    );

    let files = route("GET|HEAD /static/*");
    assert_eq!(files.conditions.len(), 7);
    assert!(files.conditions.contains(&ConditionSpec::Query("v".into(), Expected::Present)));
    assert_eq!(files.cache[0].paths, "/static/hashed/*", "the longest comes first");
    assert!(
        matches!(&files.action, Action::Files(files) if files.root == folder.path().join("public") && files.index.is_empty())
    );

    assert!(matches!(&route("/api/{version:int}/{rest*}").action, Action::Proxy(proxy)
        if proxy.upstream == "http://127.0.0.1:7000" && proxy.base == "/base"));
    let pool = &spec.upstreams["upstream:pool"];
    assert_eq!(pool.balance, UpstreamBalance::Hash(remuda_model::gateway::HashKey::Cookie("sid".into())));
    let UpstreamServers::Listed(servers) = &pool.servers else { panic!("{pool:?}") };
    assert_eq!(servers[1].address, ServerAddress::Unix(folder.path().join("x.sock")));
    assert!(route("*").pattern.rest().is_some());
    assert!(!route("/docs").documented);
}

#[test]
fn the_effective_config_reads_back_as_the_same() {
    let folder = folder();
    let text = EVERYTHING.replace("sse = [\"news.\", \"weather.\"]", "sse = \"news.\"");
    let loaded = load(folder.path(), &text);
    let printed = effective(&loaded.config, &loaded.masked);
    let again = load(folder.path(), &printed);
    assert_eq!(again.config, loaded.config, "{printed}");
    assert_eq!(effective(&again.config, &again.masked), printed);
}

#[test]
fn a_changed_route_changes_the_gateway_services_and_no_others() {
    let folder = folder();
    let text = EVERYTHING.replace("sse = [\"news.\", \"weather.\"]", "sse = \"news.\"");
    let (old, new) = (load(folder.path(), &text), load(folder.path(), &text.replace("418", "419")));
    let changed =
        old.config.services.iter().filter(|(name, spec)| new.config.services.get(*name) != Some(spec));
    assert_eq!(changed.map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["edge"]);
    let commented = load(folder.path(), &format!("# one more line\n\n{text}"));
    assert_eq!(commented.config, old.config, "where a route is written makes no difference");
}

#[test]
fn a_gateway_is_a_service_with_a_command_of_its_own() {
    let folder = folder();
    let loaded = load(
        folder.path(),
        "[socket.http]\nlisten = \"127.0.0.1:0\"\n[service.edge]\nkind = \"gateway\"\nsockets = [\"http\"]\n[[route]]\nrespond = \"hello\"",
    );
    let service = &loaded.config.services["edge"];
    assert_eq!(service.command.argv, ["/proc/self/exe", "worker", "gateway"]);
    assert_eq!(service.ready, remuda_model::Readiness::Notify);
    assert!(service.watchdog.is_some() && !service.hub);
}
