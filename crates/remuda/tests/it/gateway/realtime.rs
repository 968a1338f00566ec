//! Realtime endpoints in two gateways on one socket, a worker in Python behind them, and clients people have in front.
//!
//! The gateways are `crates/gateway/examples/realtime.rs`, which is built with the workspace's tests.

use std::path::Path;
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
command = "@GATEWAY@"
sockets = ["http"]
workers = 2
ready = "notify"
[service.edge.env]
REALTIME_PING_MS = "300"
REALTIME_TIMEOUT_MS = "200"
[service.worker]
command = "@PYTHON@ @WORKER@"
"#;

/// An instance with gateways and a worker.
fn realtime() -> Instance {
    let gateway = Path::new(env!("CARGO_BIN_EXE_remuda")).with_file_name("examples").join("realtime");
    assert!(gateway.exists(), "build it first: cargo build -p remuda-gateway --example realtime");
    let python = hub_peers().join("venv/bin/python");
    let worker = programs().join("worker.py");
    let config = CONFIG
        .replace("@GATEWAY@", &gateway.to_string_lossy())
        .replace("@PYTHON@", &python.to_string_lossy())
        .replace("@WORKER@", &worker.to_string_lossy());
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
    let interpreter = match name.ends_with(".mjs") {
        true => "node".to_owned(),
        false => hub_peers().join("venv/bin/python").to_string_lossy().into_owned(),
    };
    let mut command: Command = instance.marked(&interpreter);
    command.arg(programs().join(name)).env("PYTHONDONTWRITEBYTECODE", "1").env("HUB_PEERS", hub_peers());
    command.env("GATEWAY", format!("http://{}", instance.address("http")));
    command.env("REDIS_URL", &process::environment(instance.pids("worker")[0])["REDIS_URL"]);
    let said = run::run(command).done();
    assert!(said.out.contains("done"), "{said:?}");
    instance.end();
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
    cases("protocol.mjs");
}

#[test]
fn websockets_and_streams_of_events_carry_topics() {
    cases("streams.py");
}
