//! Routes of a real instance: what they ask, what they do, and what a changed one changes.

use std::process::Command;

use serde_json::Value;

use crate::harness::{Instance, Said, Setup, peers, run};

/// A program that answers what it was asked, in JSON; `/check` lets in who has the key, `/upper` shouts.
const APP: &str = r#"
import json, socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def go(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        status, kind, fields = 200, "application/json", {}
        if self.path.startswith("/check"):
            status, out, fields = (200 if self.headers.get("x-key") == "open" else 403), b"", {"X-User": "bob"}
        elif self.path.startswith("/upper"):
            kind, out = "text/plain", body.upper()
        elif self.path.startswith("/text"):
            kind, out = "text/plain", b"no json"
        else:
            headers = {name.lower(): value for name, value in self.headers.items()}
            out = json.dumps({"path": self.path, "method": self.command, "headers": headers, "body": body.decode()}).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(out)))
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(out)
    do_GET = do_POST = do_PUT = do_DELETE = go
    def log_message(self, *rest):
        pass
server = ThreadingHTTPServer(("", 0), Handler, bind_and_activate=False)
server.server_name, server.server_port = "app", 0
server.socket.close()
server.socket = socket.socket(fileno=3)
server.get_request = lambda: (server.socket.accept()[0], ("app", 0))
server.serve_forever()
"#;

const CONFIG: &str = r#"
[socket.http]
listen = "127.0.0.1:0"
[socket.app]
listen = "unix:app.sock"
[service.edge]
kind = "gateway"
sockets = ["http"]
workers = 2
[service.app]
command = "@PYTHON@ app.py"
sockets = ["app"]
ready = "delay:300ms"
[store]
[gateway]
access_log = "json"
docs = { title = "Shop", version = "3" }
[[route]]
match = "/static/*"
files = "./public"
cache = "max-age=60"
[[route]]
name = "shorten"
match = "POST /shorten"
summary = "Shorten a URL"
request = { type = "application/json", max = "1KiB", schema = "url.json", required = true }
params = { ttl = { type = "int", min = 60, default = 3600 } }
responses = { 200 = "The short URL" }
to = "service:app"
[[route]]
match = "/old/{id:int}"
redirect = "301 https://{host}/new/{id}{?query}"
[[route]]
match = "/limited"
limit = { rate = "1/h", burst = 2, key = "header:X-Who" }
respond = "fine"
[[route]]
match = "/secret"
auth = "bearer:tokens"
respond = "hello {user}"
[[route]]
match = "/guarded/*"
before = { to = "service:app", path = "/check", headers = "X-User", refuse = 403 }
rewrite = "/inner/{rest}"
request_headers = { set = { X-Via = "{route}" }, remove = "X-Key" }
response_headers = { set = { X-Frame-Options = "DENY" } }
to = "service:app"
[[route]]
match = "/loud"
alter = "service:app /upper"
respond = "quiet words"
[[route]]
match = "/text"
response = { type = "application/json", otherwise = 503 }
to = "service:app"
[[route]]
match = "/cors"
cors = "https://example.org"
respond = "x"
[[route]]
match = "GET|PUT|DELETE /k/{name}"
key = "e2e:{name}"
[[route]]
match = "/news"
topic = { topic = "news", publish = true }
[[route]]
match = "/docs"
page = "docs"
[[route]]
match = "/openapi.json"
page = "openapi"
[[route]]
match = "/healthz"
page = "health"
[[route]]
match = "/metrics"
page = "metrics"
"#;

fn up(config: &str) -> Instance {
    let setup = Setup::new(config);
    std::fs::create_dir(setup.dir().join("public")).unwrap();
    setup.write("public/a.txt", "hello");
    setup.write("app.py", APP);
    setup.write("url.json", r#"{"type": "object", "required": ["url"]}"#);
    // sesame
    setup.write("tokens", "ci:sha256:d0c04f4b1951e4aeaaec8223ed2039e542f3aae805a6fa7f6d794e5afff5d272\n");
    let instance = setup.up();
    instance.settled();
    instance
}

/// Status, head and body of an answer.
fn ask(instance: &Instance, arguments: &[&str], path: &str) -> (u16, String, String) {
    let url = format!("http://{}{path}", instance.address("http"));
    let said = Command::new("curl")
        .args(["-sS", "-i", "--max-time", "20", "--path-as-is"])
        .args(arguments)
        .arg(url)
        .output()
        .unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let text = String::from_utf8(said.stdout).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_owned(), body.to_owned())
}

#[test]
fn each_action_does_what_its_route_says() {
    let instance = up(CONFIG);
    let (status, head, body) = ask(&instance, &[], "/static/a.txt");
    assert_eq!((status, body.as_str()), (200, "hello"));
    assert!(head.contains("Cache-Control: max-age=60"), "{head}");
    let (status, head, _) = ask(&instance, &["-H", "Host: shop.test:80"], "/old/7?a=1");
    assert!(status == 301 && head.contains("Location: https://shop.test/new/7?a=1"), "{head}");
    assert_eq!(ask(&instance, &[], "/old/x").0, 404);
    let (status, head, _) = ask(&instance, &["-X", "GET"], "/shorten");
    assert!(status == 405 && head.contains("Allow: POST, OPTIONS"), "{head}");
    assert_eq!(ask(&instance, &[], "/loud").2, "QUIET WORDS");
    assert_eq!(ask(&instance, &[], "/text").0, 503, "an answer of another type");
    assert_eq!(ask(&instance, &[], "/healthz").2, "ok\n");
    assert!(ask(&instance, &[], "/metrics").2.contains("remuda_gateway_requests_total{route=\"/loud\""));
    instance.wait_line("\"route\":\"/loud\"");
    instance.end();
}

#[test]
fn requests_are_checked_before_a_service_sees_them() {
    let instance = up(CONFIG);
    let json = ["-H", "Content-Type: application/json"];
    let post = |arguments: &[&str], path: &str| ask(&instance, &[&json[..], arguments].concat(), path);
    let (status, _, body) = post(&["-d", r#"{"url": "x"}"#], "/shorten?a=b");
    let seen: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, seen["path"].as_str()), (200, Some("/shorten?a=b&ttl=3600")));
    assert_eq!(seen["body"], r#"{"url": "x"}"#, "what was read for the schema is passed on whole");
    let (status, _, body) = post(&["-d", r#"{"uri": "x"}"#], "/shorten");
    assert!(status == 422 && body.contains("url"), "{body}");
    assert_eq!(post(&["-d", "nothing"], "/shorten").0, 422);
    let long = format!("{{\"url\": \"{}\"}}", "x".repeat(2000));
    assert_eq!(post(&["-d", &long], "/shorten").0, 413);
    assert_eq!(post(&["-X", "POST"], "/shorten").0, 400);
    let (status, _, body) = post(&["-d", r#"{"url": "x"}"#], "/shorten?ttl=5");
    assert!(status == 400 && body.contains("at least 60"), "{body}");
    assert_eq!(ask(&instance, &["-d", "url=x"], "/shorten").0, 415);

    let who = |name: &str| ask(&instance, &["-H", &format!("X-Who: {name}")], "/limited").0;
    // Each of the two workers counts for itself.
    let mut answers: Vec<u16> = (0..12).map(|_| who("ann")).collect();
    answers.sort_unstable();
    assert!(
        answers.iter().filter(|status| **status == 200).count() <= 4 && answers.contains(&429),
        "{answers:?}"
    );
    assert_eq!(who("bob"), 200);

    let (status, head, _) = ask(&instance, &[], "/secret");
    assert!(status == 401 && head.contains("WWW-Authenticate: Bearer realm="), "{head}");
    assert_eq!(ask(&instance, &["-H", "Authorization: Bearer wrong"], "/secret").0, 401);
    assert_eq!(ask(&instance, &["-H", "Authorization: Bearer sesame"], "/secret").2, "hello ci");

    assert_eq!(ask(&instance, &[], "/guarded/x").0, 403);
    let (status, head, body) = ask(&instance, &["-H", "X-Key: open"], "/guarded/a%20b/c?q=1");
    let seen: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, seen["path"].as_str()), (200, Some("/inner/a%20b/c?q=1")));
    let field = |name: &str| seen["headers"][name].as_str();
    assert_eq!((field("x-user"), field("x-via"), field("x-key")), (Some("bob"), Some("/guarded/*"), None));
    assert!(head.contains("X-Frame-Options: DENY"), "{head}");
    instance.end();
}

#[test]
fn pages_of_other_origins_are_let_in_by_name() {
    let instance = up(CONFIG);
    let preflight = ["-X", "OPTIONS", "-H", "Access-Control-Request-Method: GET"];
    let asked = |origin: &str| {
        let origin = format!("Origin: {origin}");
        ask(&instance, &[&preflight[..], &["-H", &origin]].concat(), "/cors").1
    };
    assert!(asked("https://example.org").contains("Access-Control-Allow-Origin: https://example.org"));
    assert!(!asked("https://evil.org").contains("Access-Control-Allow-Origin"));
    let (_, head, _) = ask(&instance, &["-H", "Origin: https://example.org"], "/cors");
    assert!(
        head.contains("Access-Control-Allow-Origin: https://example.org") && head.contains("Vary: Origin")
    );
    instance.end();
}

#[test]
fn keys_and_topics_have_addresses() {
    let instance = up(CONFIG);
    assert_eq!(ask(&instance, &[], "/k/a").0, 404);
    assert_eq!(ask(&instance, &["-X", "PUT", "-d", "seven"], "/k/a").0, 204);
    assert_eq!(ask(&instance, &[], "/k/a").2, "seven");
    assert_eq!(instance.remuda(&["get", "e2e:a"]).done().out.trim_end(), "seven");
    assert_eq!(ask(&instance, &["-X", "DELETE"], "/k/a").0, 204);
    assert_eq!(ask(&instance, &["-X", "POST"], "/k/a").0, 405);
    assert_eq!(ask(&instance, &["-d", "it rains"], "/news").0, 202);
    instance.end();
}

#[test]
fn documents_are_made_of_the_routes_and_valid() {
    let instance = up(CONFIG);
    let (_, head, page) = ask(&instance, &[], "/docs");
    assert!(
        page.contains("Shorten a URL") && page.contains("Try it") && head.contains("Content-Security-Policy")
    );
    let (status, _, openapi) = ask(&instance, &[], "/openapi.json");
    assert_eq!(status, 200);
    let file = instance.write("openapi.json", &openapi);
    const SCRIPT: &str = "import json, sys; from openapi_spec_validator import validate; validate(json.load(open(sys.argv[1])))";
    let python = peers::venv().join("bin/python");
    let said = Command::new(python).args(["-c", SCRIPT]).arg(file).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    instance.end();
}

#[test]
fn a_changed_route_replaces_the_gateways_and_nobody_else() {
    let instance = up(CONFIG);
    let (edge, app) = (instance.pids("edge"), instance.pids("app"));
    instance.configure(&CONFIG.replace("quiet words", "other words"));
    instance.remuda(&["apply"]).done();
    assert_eq!(ask(&instance, &[], "/loud").2, "OTHER WORDS");
    assert_ne!(instance.pids("edge"), edge);
    assert_eq!(instance.pids("app"), app);
    instance.configure(&CONFIG.replace("/old/{id:int}", "/old/{id:float}"));
    let said = instance.remuda(&["apply"]).exits(2);
    assert!(said.err.contains("no type of a parameter"), "{}", said.err);
    assert_eq!(ask(&instance, &[], "/loud").2, "OTHER WORDS");
    instance.end();
}

fn route(setup: &Setup, arguments: &[&str]) -> Said {
    run::run(setup.command(&[&["route"], arguments].concat()))
}

#[test]
fn route_test_explains_what_a_request_takes() {
    let setup = Setup::new(CONFIG);
    setup.write("url.json", "{}");
    setup.write("tokens", "");
    let said = route(&setup, &["test", "POST", "https://shop.test/old/7?x=1"]).done();
    assert!(said.out.contains("id = 7") && said.out.contains("\"old\" is not \"static\""), "{}", said.out);
    let said = route(&setup, &["test", "/nothing/at/all", "--json"]).exits(1);
    let explained: Value = said.json();
    assert!(explained["route"].is_null() && explained["routes"].as_array().unwrap().len() == 15);
    for url in ["http://[", "http://", "https://a b/", "http://*.test/", "http://shop.test:x/"] {
        let said = route(&setup, &["test", "GET", url]).exits(2);
        assert!(said.err.contains("is no host"), "{url}: {}", said.err);
    }
    route(&setup, &["test", "http://[::1]:80/static/a"]).done();
    let said = route(&setup, &["list"]).done();
    assert!(said.out.contains("to service:app/app"), "{}", said.out);
    let listed: Value = route(&setup, &["list", "--json"]).done().json();
    assert!(listed["routes"][0]["line"].is_u64(), "{listed}");
}
