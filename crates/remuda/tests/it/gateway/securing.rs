//! TLS towards services and servers: who they have to be is looked at, in both versions of HTTP.

use std::fmt::Write as _;

use super::tls::certify;
use crate::harness::{Instance, Said, Setup, peers, run, until};

/// Sends back what it got, with the version of HTTP; speaks both, and nothing without TLS.
const BACK: &str = r#"
import { createSecureServer } from "node:http2";
import { readFileSync } from "node:fs";
const options = { allowHTTP1: true, key: readFileSync("a.key"), cert: readFileSync("a.pem") };
const server = createSecureServer(options, (request, response) => {
    const parts = [];
    request.on("data", (bytes) => parts.push(bytes));
    request.on("end", () => {
        response.setHeader("x-version", request.httpVersion);
        response.setHeader("x-host", request.headers[":authority"] ?? request.headers.host);
        response.end(Buffer.concat(parts));
    });
});
server.listen({ fd: 3 }, () => console.log("listens"));
process.on("SIGTERM", () => process.exit(0));
"#;

/// Each is a service behind an upstream with these settings.
const UPSTREAMS: [(&str, &str); 5] = [
    ("one", "tls = { name = \"a.test\", authorities = \"a.pem\" }"),
    ("two", "tls = { name = \"a.test\", authorities = \"a.pem\" }\nprotocol = \"http2\""),
    ("stranger", "tls = { name = \"b.test\", authorities = \"a.pem\" }"),
    ("unknown", "tls = { name = \"a.test\", authorities = \"b.pem\" }"),
    ("anybody", "tls = { name = \"b.test\", verify = false }"),
];

fn up() -> Instance {
    // Puts what is needed on a machine that has none.
    peers::venv();
    let mut config = String::from(
        "[socket.http]\nlisten = \"127.0.0.1:0\"\n[service.edge]\nkind = \"gateway\"\nsockets = [\"http\"]\n",
    );
    for (name, settings) in UPSTREAMS {
        write!(
            config,
            "[socket.{name}]\nlisten = \"127.0.0.1:0\"\n[service.{name}]\ncommand = \"node back.mjs\"\n\
             sockets = [\"{name}\"]\nready = \"log:listens\"\n[upstream.{name}]\nservice = \"{name}\"\n{settings}\n\
             [[route]]\nmatch = \"/{name}\"\nto = \"upstream:{name}\"\n"
        )
        .unwrap();
    }
    let setup = Setup::new(&config);
    certify(&setup, "a", "first", "a.test");
    certify(&setup, "b", "second", "b.test");
    setup.write("back.mjs", BACK);
    let instance = setup.up();
    instance.settled();
    instance
}

fn curl(instance: &Instance, arguments: &[&str], path: &str) -> Said {
    let mut command = instance.marked("curl");
    command.args(["-sS", "--max-time", "20"]).args(arguments);
    command.arg(format!("http://{}{path}", instance.address("http")));
    run::run(command).done()
}

#[test]
fn servers_show_who_they_are_before_they_are_told_anything() {
    let instance = up();
    let letter = "0123456789abcdef".repeat(200_000);
    instance.write("letter", &letter);
    for (path, version) in [("/one", "1.1"), ("/two", "2.0"), ("/anybody", "1.1")] {
        let head = curl(&instance, &["-D-", "-o", "answer", "--data-binary", "@letter"], path).out;
        assert!(head.contains(&format!("x-version: {version}\r\n")), "{path}: {head}");
        assert_eq!(std::fs::read_to_string(instance.dir().join("answer")).unwrap(), letter, "{path}");
        // The connection is used again.
        assert!(curl(&instance, &["-i"], path).out.starts_with("HTTP/1.1 200 "));
    }
    for path in ["/stranger", "/unknown"] {
        let said = curl(&instance, &["-i", "--data-binary", "@letter"], path).out;
        assert!(said.starts_with("HTTP/1.1 502 "), "{path}: {said}");
    }
    let page = instance.remuda(&["metrics"]).done().out;
    assert!(page.contains("event=\"upstream-connect-failed\"} 2\n"), "{page}");
    for name in ["one", "two"] {
        let of = format!("upstream_connects_total{{service=\"edge\",upstream=\"upstream:{name}\"}} 1\n");
        assert!(page.contains(&of), "{of}{page}");
    }
    instance.remuda(&["reload", "one"]).done();
    assert!(curl(&instance, &["-i"], "/one").out.starts_with("HTTP/1.1 200 "));
    instance.end();
}

#[test]
fn a_url_of_https_is_a_server_that_the_systems_authorities_know() {
    let instance = up();
    let address = instance.address("one");
    let port = address.rsplit(':').next().unwrap();
    // Its certificate is for another name, and by nobody the system knows.
    let route = format!("[[route]]\nmatch = \"/away\"\nto = \"https://localhost:{port}/base\"\n");
    let config = std::fs::read_to_string(instance.config()).unwrap();
    std::fs::write(instance.config(), format!("{config}{route}")).unwrap();
    instance.remuda(&["apply"]).done();
    let said = curl(&instance, &["-i"], "/away").out;
    assert!(said.starts_with("HTTP/1.1 502 "), "{said}");
    until("the reason", || {
        instance.transcript.locked().lines.iter().any(|line| line.text.contains("UnknownIssuer"))
    });
    instance.end();
}
