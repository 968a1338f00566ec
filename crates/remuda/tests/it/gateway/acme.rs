//! A certificate from an authority, Debian's `pebble`, for a whole instance: asked for when the config changes, proven by
//! whichever gateway is asked, and in use without a reload.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use super::edge;
use super::tls::{certify, curl};
use crate::harness::{Instance, peers, run, until};

const PLAIN: &str = r#"
[socket.http]
listen = "127.0.0.1:0"
[socket.https]
listen = "127.0.0.1:0"
[service.edge]
kind = "gateway"
sockets = ["http", "https"]
workers = 2
[[route]]
match = "/*"
files = "@DIR@/public"
"#;

/// A process that ends with the value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _ended = self.0.wait();
    }
}

impl Running {
    fn start(mut command: Command, port: u16) -> Self {
        let running = Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap());
        until("a listener", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        running
    }
}

fn free() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The authority, the port of its directory, and that of its roots.
struct Pebble {
    _names: Running,
    _authority: Running,
    directory: u16,
    roots: u16,
}

impl Pebble {
    /// One that looks at this instance, whatever the host.
    fn new(instance: &Instance) -> Self {
        let port_of =
            |socket: &str| -> u16 { instance.address(socket).rsplit(':').next().unwrap().parse().unwrap() };
        let (names, directory, roots) = (free(), free(), free());
        certify(instance, "pebble", "pebble", "localhost");
        let mut command = instance.marked("pebble-challtestsrv");
        command.args([
            "-dns01",
            &format!("127.0.0.1:{names}"),
            "-defaultIPv4",
            "127.0.0.1",
            "-defaultIPv6",
            "",
        ]);
        command.args([
            "-http01",
            "",
            "-https01",
            "",
            "-tlsalpn01",
            "",
            "-management",
            &format!("127.0.0.1:{}", free()),
        ]);
        command.stderr(Stdio::null());
        let answering = Running::start(command, names);
        let config = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{directory}"),
            "managementListenAddress": format!("127.0.0.1:{roots}"),
            "certificate": "pebble.pem", "privateKey": "pebble.key",
            "httpPort": port_of("http"), "tlsPort": port_of("https"),
            "ocspResponderURL": "", "externalAccountBindingRequired": false,
        }});
        instance.write("pebble.json", &config.to_string());
        let mut command = instance.marked("pebble");
        command.args(["-config", "pebble.json", "-dnsserver", &format!("127.0.0.1:{names}")]);
        command.env("PEBBLE_VA_NOSLEEP", "1").stderr(Stdio::null());
        Self { _names: answering, _authority: Running::start(command, directory), directory, roots }
    }
}

#[track_caller]
fn is_ordered(challenge: &str) {
    peers::venv();
    let instance = edge(PLAIN);
    let pebble = Pebble::new(&instance);
    let acme = format!(
        "[gateway.tls]\nsockets = [\"https\"]\nredirect = true\n[acme]\nhosts = [\"a.test\"]\nterms_agreed = true\n\
         contacts = [\"ops@a.test\"]\ndirectory = \"https://localhost:{}/dir\"\nauthorities = \"pebble.pem\"\n\
         state = \"@DIR@/acme\"\nchallenges = [\"{challenge}\"]\n",
        pebble.directory
    );
    instance.configure(&format!("{PLAIN}{acme}"));
    instance.remuda(&["apply"]).done();
    until("a certificate", || instance.remuda(&["metrics"]).out.contains("event=\"acme-issued\"} 1\n"));
    let mut command = instance.marked("curl");
    command.args(["-sSk", "-o", "root.pem", &format!("https://localhost:{}/roots/0", pebble.roots)]);
    run::run(command).done();
    // The worker that did not order it looks once a second.
    let good = || curl(&instance, &["--cacert", "root.pem"], "https://a.test/hello.txt");
    until("both workers to use it", || (0..8).all(|_| good().out == "hello, world"));
    let workers = instance.pids("edge");
    instance.remuda(&["reload", "edge"]).done();
    assert!(instance.pids("edge").iter().all(|pid| !workers.contains(pid)));
    assert_eq!(good().done().out, "hello, world");
    let page = instance.remuda(&["metrics"]).out;
    assert!(!page.contains("acme-issued") && !page.contains("acme-failed"), "{page}");
    drop(pebble);
    instance.end();
}

#[test]
fn an_authority_certifies_a_host_over_http() {
    is_ordered("http-01");
}

#[test]
fn an_authority_certifies_a_host_in_a_handshake() {
    is_ordered("tls-alpn-01");
}
