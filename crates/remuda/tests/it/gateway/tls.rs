//! TLS of a real instance, for clients people have: curl, openssl and h2load; and certificates that change meanwhile.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::serve;
use crate::harness::{Instance, Said, Setup, peers, run, until};

/// Two gateways, which speak TLS on one of their sockets and send others there.
pub(super) const SECURE: &str = r#"
[socket.http]
listen = "127.0.0.1:0"
[socket.https]
listen = "127.0.0.1:0"
[service.edge]
kind = "gateway"
sockets = ["http", "https"]
workers = 2
[gateway.tls]
sockets = ["https"]
redirect = true
hsts = "1d"
[[certificate]]
certificate = "a.pem"
key = "a.key"
[[certificate]]
certificate = "b.pem"
key = "b.key"
[[route]]
match = "/*"
files = "@DIR@/public"
[[route]]
match = "/who"
respond = "{header.x-client-cert-subject}"
"#;

/// A certificate that vouches for itself, in `NAME.pem` and `NAME.key`.
pub(super) fn certify(setup: &Setup, name: &str, subject: &str, host: &str) -> PathBuf {
    let path = |ending: &str| setup.dir().join(format!("{name}.{ending}")).to_string_lossy().into_owned();
    let mut command = setup.marked("openssl");
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
    command.args(["-days", "30", "-subj", &format!("/CN={subject}")]);
    command.args(["-addext", &format!("subjectAltName=DNS:{host}"), "-addext", "basicConstraints=CA:FALSE"]);
    command.args(["-keyout", &path("key"), "-out", &path("pem")]);
    run::run(command).done();
    path("pem").into()
}

/// An instance with certificates for `a.test` and `b.test`.
pub(super) fn secure(config: &str) -> Instance {
    // Puts curl, h2load and pebble on a machine that has none.
    peers::venv();
    let setup = Setup::new(config);
    certify(&setup, "a", "first", "a.test");
    certify(&setup, "b", "second", "b.test");
    serve(setup)
}

/// `curl`, for which each host at the usual ports, and at those of this instance, is this instance.
pub(super) fn curl(instance: &Instance, arguments: &[&str], url: &str) -> Said {
    let mut command = instance.marked("curl");
    command.args(["-sS", "--max-time", "20"]);
    for (socket, usual) in [("http", "80"), ("https", "443")] {
        let address = instance.address(socket);
        let port = address.rsplit(':').next().unwrap();
        command.args(["--connect-to", &format!(":{usual}:{address}")]);
        command.args(["--connect-to", &format!(":{port}:{address}")]);
    }
    command.args(arguments).arg(url);
    run::run(command)
}

/// What `openssl s_client` says of one request for `hello.txt`.
fn s_client(instance: &Instance, arguments: &[&str]) -> String {
    let request = "GET /hello.txt HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n";
    let request = File::open(instance.write("request", request)).unwrap();
    let mut command = instance.marked("timeout");
    command.args(["20", "openssl", "s_client", "-ign_eof", "-connect", &instance.address("https")]);
    let said = command.args(arguments).stdin(request).output().unwrap();
    String::from_utf8_lossy(&said.stdout).into_owned()
}

/// The subject of the certificate that is offered for `a.test`.
fn offered(instance: &Instance) -> String {
    let said = s_client(instance, &["-servername", "a.test"]);
    let subject = said.lines().find_map(|line| line.strip_prefix("subject=CN = "));
    subject.unwrap_or_else(|| panic!("no certificate: {said}")).to_owned()
}

#[test]
fn curl_gets_each_hosts_certificate_in_every_version_and_is_sent_to_it() {
    let instance = secure(SECURE);
    let version = ["-w", " %{http_version}"];
    for (options, version_of) in [
        (&["--http2"][..], "2"),
        (&["--http1.1"], "1.1"),
        (&["--tls-max", "1.2"], "2"),
        (&["--http1.1", "--tlsv1.3"], "1.1"),
    ] {
        for (host, roots) in [("a.test", "a.pem"), ("b.test", "b.pem")] {
            let arguments = [&["--cacert", roots], &version[..], options].concat();
            let said = curl(&instance, &arguments, &format!("https://{host}/hello.txt")).done();
            assert_eq!(said.out, format!("hello, world {version_of}"), "{options:?}");
        }
    }
    // 60: the certificate is for somebody else.
    curl(&instance, &["--cacert", "a.pem"], "https://b.test/hello.txt").exits(60);
    let head = curl(&instance, &["-i"], "http://a.test/hello.txt?x=1").done().out;
    assert!(head.starts_with("HTTP/1.1 308 "), "{head}");
    assert!(head.contains("Location: https://a.test/hello.txt?x=1\r\n"), "{head}");
    let said = curl(&instance, &["--cacert", "a.pem", "-L", "-i"], "http://a.test/hello.txt").done().out;
    assert!(
        said.contains("strict-transport-security: max-age=86400") && said.ends_with("hello, world"),
        "{said}"
    );
    instance.end();
}

#[test]
fn a_replaced_certificate_is_taken_without_a_reload_and_half_a_one_is_not() {
    let instance = secure(SECURE);
    let workers = instance.pids("edge");
    assert_eq!(offered(&instance), "first");
    certify(&instance, "a", "renewed", "a.test");
    until("the renewed one", || offered(&instance) == "renewed");

    certify(&instance, "next", "third", "a.test");
    let next = std::fs::read_to_string(instance.dir().join("next.pem")).unwrap();
    instance.write("a.pem", &next[..next.len() / 2]);
    until("the refusal", || instance.remuda(&["metrics"]).out.contains("event=\"certificate-refused\"} 2\n"));
    assert_eq!(offered(&instance), "renewed");
    until("the reason", || {
        instance.transcript.locked().lines.iter().any(|line| {
            line.text.contains("a.pem: the line \"-----END")
                && line.text.contains("the one before stays in use")
        })
    });
    std::fs::copy(instance.dir().join("next.key"), instance.dir().join("a.key")).unwrap();
    instance.write("a.pem", &next);
    until("the third one", || offered(&instance) == "third");
    assert_eq!(instance.pids("edge"), workers);
    instance.end();
}

#[test]
fn a_session_goes_on_after_a_reload() {
    let instance = secure(SECURE);
    for version in ["-tls1_3", "-tls1_2"] {
        let of = [version, "-servername", "a.test", "-CAfile", "a.pem"];
        let first = s_client(&instance, &[&of[..], &["-sess_out", "session"]].concat());
        assert!(first.contains("New, TLSv1.") && first.contains("hello, world"), "{first}");
        instance.remuda(&["reload", "edge"]).done();
        let second = s_client(&instance, &[&of[..], &["-sess_in", "session"]].concat());
        assert!(second.contains("Reused, TLSv1.") && second.contains("hello, world"), "{second}");
    }
    instance.end();
}

#[test]
fn clients_show_who_they_are() {
    let config = format!("{SECURE}[gateway.tls.client]\nauthorities = \"b.pem\"\nhosts = [\"a.test\"]\n");
    let instance = secure(&config);
    let shown = ["--cert", "b.pem", "--key", "b.key", "--cacert", "a.pem"];
    for version in ["--http2", "--http1.1"] {
        let said = curl(&instance, &[&shown[..], &[version]].concat(), "https://a.test/who").done();
        assert_eq!(said.out, "CN=second");
        let none = curl(&instance, &["--cacert", "a.pem", version], "https://a.test/who");
        assert_ne!(none.code, 0, "{none:?}");
        let claimed = ["--cacert", "b.pem", "-H", "X-Client-Cert-Subject: CN=second", version];
        assert_eq!(curl(&instance, &claimed, "https://b.test/who").done().out, "");
    }
    instance.end();
}

/// Numbers of `h2load`'s account: requests in all, begun, done, answered well, failed, broken, late.
#[track_caller]
fn account(said: &Said) -> [u32; 7] {
    let line = said.out.lines().find(|line| line.starts_with("requests: "));
    let line = line.unwrap_or_else(|| panic!("{said:?}"));
    let numbers: Vec<u32> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
    numbers.try_into().unwrap()
}

fn h2load(instance: &Instance, arguments: &[&str]) -> Command {
    let mut command = instance.marked("h2load");
    command.args(arguments).arg(format!("https://{}/hello.txt", instance.address("https")));
    command
}

/// How many requests were answered well by the workers there are.
fn answered(instance: &Instance) -> u64 {
    let page = instance.remuda(&["metrics"]).out;
    let of = "remuda_gateway_requests_total{service=\"edge\",route=\"/*\",class=\"2xx\"} ";
    page.lines().find_map(|line| line.strip_prefix(of)).map_or(0, |count| count.parse().unwrap())
}

#[test]
fn h2load_is_answered_in_both_versions() {
    let instance = secure(SECURE);
    for version in [&[][..], &["--h1"]] {
        let said = run::run(h2load(&instance, &[&["-n", "3000", "-c", "20", "-m", "10"], version].concat()));
        assert_eq!(account(&said.done()), [3000, 3000, 3000, 3000, 0, 0, 0]);
    }
    instance.end();
}

/// Over HTTP/1, where it connects anew when a connection has ended. Over HTTP/2 it does not, and counts requests as failed
/// that it never sent; that is for `http2_load.mjs`.
#[test]
fn h2load_loses_no_request_while_gateways_are_reloaded_stopped_and_started() {
    let instance = secure(SECURE);
    let command = h2load(&instance, &["--h1", "-D", "6", "-c", "20"]);
    let load = std::thread::spawn(move || run::run(command));
    for deed in [&["reload", "edge"][..], &["stop", "edge"], &["start", "edge"], &["scale", "edge=1"]] {
        if deed[0] != "start" {
            let before = answered(&instance);
            until("requests", || answered(&instance) > before + 50);
        }
        instance.remuda(deed).done();
    }
    assert!(!load.is_finished(), "it was over before the deeds were");
    let [_, begun, done, well, failed, broken, late] = account(&load.join().unwrap().done());
    assert_eq!([done - well, failed, broken, late], [0; 4]);
    // What runs at its end is not waited for.
    assert!(done > 300 && begun - done <= 20, "{begun} {done}");
    instance.end();
}

#[test]
fn a_client_that_connects_anew_when_it_is_told_to_loses_nothing_over_http2() {
    let instance = secure(SECURE);
    let mut command = instance.marked("node");
    command.arg(peers::repository().join("tests/peers/gateway/http2_load.mjs"));
    command.env("GATEWAY", format!("https://{}", instance.address("https")));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    for deed in [&["reload", "edge"][..], &["stop", "edge"], &["start", "edge"], &["reload", "edge"]] {
        if deed[0] != "start" {
            let before = answered(&instance);
            until("requests", || answered(&instance) > before + 200);
        }
        instance.remuda(deed).done();
    }
    until("requests", || answered(&instance) > 200);
    drop(child.stdin.take());
    let said = child.wait_with_output().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(told["failures"], serde_json::json!([]), "{told}");
    assert!(told["answered"].as_u64().unwrap() > 800 && told["connections"].as_u64().unwrap() > 8, "{told}");
    instance.end();
}
