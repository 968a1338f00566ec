//! Requests that are passed on to services of the instance: both are reloaded under load; and what happens to a request
//! on its way, as far as it takes several processes to see it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use super::keeping::Kept;
use crate::harness::{Instance, PATIENCE, Setup, run};

/// Answers with what it was asked, and with a text that is always the same.
const APP: &str = r#"
import json
def app(environ, start):
    if environ["PATH_INFO"] == "/hello.txt":
        body, kind = b"hello, world", "text/plain"
    elif environ["PATH_INFO"] == "/long":
        body, kind = b"so it goes " * 1000, "text/plain"
    else:
        body, kind = json.dumps({k: v for k, v in environ.items() if k.startswith("HTTP_")}).encode(), "application/json"
    start("200 OK", [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]
"#;

/// A service that speaks nothing but HTTP/2, without TLS; it says what came and sends trailers.
const H2C: &str = r#"
import { createServer } from "node:http2";
const server = createServer((request, response) => {
    const hash = [];
    request.on("data", (bytes) => hash.push(bytes.length));
    request.on("end", () => {
        response.setHeader("Trailer", "x-sum");
        response.write(`${request.httpVersion} ${request.method} ${request.url} `);
        response.addTrailers({ "x-sum": "7" });
        response.end(String(hash.reduce((a, b) => a + b, 0)));
    });
});
server.listen({ fd: 3 }, () => console.log("listens"));
process.on("SIGTERM", () => process.exit(0));
"#;

const CONFIG: &str = r#"
[socket.http]
listen = "127.0.0.1:0"
[socket.told]
listen = "127.0.0.1:0"
[socket.app]
listen = "unix:app.sock"
[socket.two]
listen = "unix:two.sock"
[service.edge]
kind = "gateway"
sockets = ["http", "told"]
workers = 2
[service.app]
command = "@VENV@/gunicorn -k gthread --threads 8 --chdir @DIR@ app:app"
sockets = ["app"]
workers = 2
ready = "notify"
[service.two]
command = "node two.mjs"
sockets = ["two"]
ready = "log:listens"
[gateway]
trusted_proxies = ["127.0.0.1"]
proxy_protocol = "told"
compress = true
[upstream.two]
service = "two"
protocol = "http2"
[[route]]
match = "/two/*"
to = "upstream:two"
[[route]]
match = "/metrics"
page = "metrics"
[[route]]
to = "service:app"
"#;

fn up() -> Instance {
    let setup = Setup::new(CONFIG);
    setup.write("app.py", APP);
    setup.write("two.mjs", H2C);
    let instance = setup.up();
    instance.settled();
    instance
}

/// Runs `curl` on a path.
#[track_caller]
fn curl(instance: &Instance, arguments: &[&str], path: &str) -> String {
    let mut command: Command = instance.marked("curl");
    command.args(["-sS", "--max-time", "20"]).args(arguments);
    command.arg(format!("http://{}{path}", instance.address("http")));
    run::run(command).done().out
}

#[test]
fn gateways_and_the_service_behind_them_are_reloaded_under_load_and_no_request_fails() {
    let instance = up();
    let kept = Kept::start(&instance.address("http"), 16);
    kept.go_on(100);
    for _ in 0..3 {
        for service in ["edge", "app"] {
            instance.remuda(&["reload", service]).done();
            kept.go_on(100);
        }
        std::thread::scope(|scope| {
            for service in ["edge", "app"] {
                let instance = &instance;
                scope.spawn(move || instance.remuda(&["reload", service]).done());
            }
        });
        kept.go_on(100);
    }
    kept.none_failed();
    instance.end();
}

#[test]
fn a_service_that_is_held_or_restarted_keeps_its_requests_waiting() {
    let instance = up();
    let kept = Kept::start(&instance.address("http"), 8);
    kept.go_on(100);
    instance.remuda(&["hold", "app"]).done();
    instance.remuda(&["release", "app"]).done();
    kept.go_on(100);
    instance.remuda(&["restart", "app"]).done();
    kept.go_on(100);
    kept.none_failed();
    instance.end();
}

#[test]
fn answers_are_packed_on_their_way_and_told_apart() {
    let instance = up();
    let long = "so it goes ".repeat(1000);
    for encoding in ["br", "gzip"] {
        let asked = format!("Accept-Encoding: {encoding}");
        let head = curl(&instance, &["-D-", "-o", "/dev/null", "-H", &asked], "/long").to_lowercase();
        assert!(head.contains(&format!("content-encoding: {encoding}\r\n")), "{head}");
        assert!(head.contains("vary: accept-encoding\r\n") && !head.contains("content-length"), "{head}");
    }
    assert_eq!(curl(&instance, &["--compressed"], "/long"), long);
    assert_eq!(curl(&instance, &[], "/long"), long);
    let head = curl(&instance, &["-D-", "-o", "/dev/null", "-H", "Accept-Encoding: gzip"], "/hello.txt");
    assert!(!head.to_lowercase().contains("content-encoding"), "{head}");
    instance.end();
}

#[test]
fn a_service_that_speaks_http2_alone_is_reached_and_replaced() {
    let instance = up();
    let body = instance.write("body", &"x".repeat(300_000));
    let body = format!("@{}", body.display());
    let said = curl(&instance, &["--data-binary", &body], "/two/a?b=c");
    assert_eq!(said, "2.0 POST /two/a?b=c 300000");
    instance.remuda(&["reload", "two"]).done();
    assert_eq!(curl(&instance, &[], "/two/again"), "2.0 GET /two/again 0");
    let page = curl(&instance, &[], "/metrics");
    assert!(page.contains("remuda_gateway_upstream_requests_total{upstream=\"upstream:two\"}"), "{page}");
    let page = instance.remuda(&["metrics"]).done().out;
    assert!(
        page.contains("remuda_gateway_upstream_requests_total{service=\"edge\",upstream=\"upstream:two\"} 2"),
        "{page}"
    );
    instance.end();
}

/// Version 2 of the PROXY protocol: TCP over IPv4 from 203.0.113.7:4711.
const HEADER: [u8; 28] = [
    0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a, 0x21, 0x11, 0, 12, 203, 0, 113,
    7, 127, 0, 0, 1, 0x12, 0x67, 0, 80,
];

#[test]
fn a_balancer_says_who_the_client_is_and_who_says_nothing_is_closed() {
    let instance = up();
    let say = |bytes: &[u8]| {
        let mut stream = TcpStream::connect(instance.address("told")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = String::new();
        // A connection that is cut is an answer too.
        let _cut = stream.read_to_string(&mut answer);
        answer
    };
    let request = b"GET /who HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n";
    let answer = say(&[&HEADER[..], request].concat());
    assert!(answer.contains("\"HTTP_X_FORWARDED_FOR\": \"203.0.113.7\""), "{answer}");
    assert_eq!(say(request), "");
    let page = instance.remuda(&["metrics"]).done().out;
    assert!(page.contains("event=\"proxy-protocol-fault\"} 1\n"), "{page}");
    instance.end();
}
