//! Realtime endpoints in two gateways on one socket, a worker in Python behind them, and clients people have in front; and
//! Socket.IO servers of people's own behind a gateway, which know of each other by the hub.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use crate::harness::peers::{hub_peers, hub_programs};
use crate::harness::{Instance, Setup, process, run};

const CONFIG: &str = r#"
[bus]
[[bus.replay]]
prefix = "chat"
messages = 1000
[store]
[hub]
state = "state"
[socket.http]
listen = "127.0.0.1:0"
[service.edge]
kind = "gateway"
sockets = ["http"]
workers = 2
[service.worker]
command = "@PYTHON@ @PROGRAMS@/worker.py"
[[route]]
match = "/socket.io/*"
socketio = { name = "live", namespaces = ["/", "/custom"], @PINGS@ }
[[route]]
match = "/asked/*"
socketio = { name = "asked", admission = "worker" }
[[route]]
match = "/slow/*"
socketio = { name = "slow", queue = "64KiB" }
[[route]]
match = "/ws"
websocket = { topics = ["chat"], publish = "chat", queue = "64KiB" }
[[route]]
match = "/events"
sse = { topics = ["chat"], retry = "500ms", heartbeat = "5s" }
"#;

/// What `protocol.mjs` expects. Whoever has other things to do at the same time would not answer so fast.
const FAST: &str = r#"ping_interval = "300ms", ping_timeout = "200ms""#;
const PATIENT: &str = r#"ping_interval = "500ms", ping_timeout = "10s""#;

/// Two servers of Socket.IO, of which each knows its own clients alone.
const OWN: &str = r#"
[store]
[hub]
state = "state"
[socket.http]
listen = "127.0.0.1:0"
[socket.app]
listen = "unix:app.sock"
[service.edge]
kind = "gateway"
sockets = ["http"]
workers = 2
[service.app]
command = "@COMMAND@"
sockets = ["app"]
workers = 2
ready = "log:listens"
[service.app.env]
HUB_PEERS = "@PEERS@"
PYTHONUNBUFFERED = "1"
[[route]]
to = "service:app"
"#;

/// An instance with gateways and a worker.
fn realtime() -> Instance {
    up(&CONFIG.replace("@PINGS@", PATIENT))
}

fn up(config: &str) -> Instance {
    let python = hub_peers().join("venv/bin/python");
    let config = config
        .replace("@PYTHON@", &python.to_string_lossy())
        .replace("@PROGRAMS@", &programs().to_string_lossy())
        .replace("@PEERS@", &hub_peers().to_string_lossy());
    let instance = Setup::new(&config).up();
    instance.settled();
    instance
}

fn programs() -> std::path::PathBuf {
    hub_programs().with_file_name("realtime")
}

/// Runs all cases of a program of `tests/peers/realtime`.
#[track_caller]
fn cases(name: &str) {
    let instance = realtime();
    run_cases(&instance, name, "worker");
    instance.end();
}

#[track_caller]
fn run_cases(instance: &Instance, name: &str, worker: &str) {
    let interpreter = match name.ends_with(".mjs") {
        true => "node".to_owned(),
        false => hub_peers().join("venv/bin/python").to_string_lossy().into_owned(),
    };
    let mut command: Command = instance.marked(&interpreter);
    command.arg(programs().join(name)).env("PYTHONDONTWRITEBYTECODE", "1").env("HUB_PEERS", hub_peers());
    command.env("GATEWAY", format!("http://{}", instance.address("http")));
    command.env("REDIS_URL", &process::environment(instance.pids(worker)[0])["REDIS_URL"]);
    command.env("REMUDA", env!("CARGO_BIN_EXE_remuda")).env("REMUDA_SOCKET", instance.control());
    let said = run::run(command).done();
    assert!(said.out.contains("done"), "{said:?}");
}

#[test]
fn socket_io_client_talks_to_workers_in_every_transport() {
    cases("clients.mjs");
}

#[test]
fn python_socketio_talks_to_workers_in_every_transport() {
    cases("client.py");
}

#[test]
fn engine_io_and_socket_io_are_spoken_as_their_protocols_say() {
    let instance = up(&CONFIG.replace("@PINGS@", FAST));
    run_cases(&instance, "protocol.mjs", "worker");
    instance.end();
}

#[test]
fn websockets_and_streams_of_events_carry_topics() {
    cases("streams.py");
}

#[test]
fn engine_io_client_is_understood_in_every_transport() {
    cases("engine.mjs");
}

#[test]
fn clients_stay_while_the_hub_is_restarted_and_killed() {
    cases("away.mjs");
}

#[test]
fn socket_io_servers_of_ones_own_reach_each_others_clients() {
    let instance = up(&OWN.replace("@COMMAND@", "node @PROGRAMS@/own.mjs"));
    run_cases(&instance, "own_clients.mjs", "app");
    instance.end();
}

#[test]
fn python_socketio_servers_of_ones_own_reach_each_others_clients() {
    let instance = up(&OWN.replace("@COMMAND@", "@PYTHON@ @PROGRAMS@/own.py"));
    run_cases(&instance, "own_clients.mjs", "app");
    instance.end();
}

#[test]
fn a_websocket_that_is_never_read_is_closed_and_told_and_others_hear_all() {
    let instance = realtime();
    let address = instance.address("http");
    let mut never = TcpStream::connect(&address).unwrap();
    let head = format!(
        "GET /ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    never.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 12];
    never.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");
    let letter = "x".repeat(100_000);
    let told = "remuda_gateway_realtime{service=\"edge\",figure=\"streams.too_slow\"} 1\n";
    let is_told = || instance.remuda(&["metrics"]).done().out.contains(told);
    // What the kernel takes for it comes first.
    for count in 1.. {
        instance.remuda(&["pub", "chat", &letter]).done();
        if count % 20 == 0 && is_told() {
            break;
        }
        assert!(count < 300, "it is never closed");
    }
    run_cases(&instance, "streams.py", "worker");
    instance.end();
}
