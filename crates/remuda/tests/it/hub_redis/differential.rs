//! The hub beside Redis itself: the same random commands, the same answers.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{HUB, program, url};
use crate::harness::{Instance, PATIENCE, run};

/// Commands of each family in each protocol.
const COMMANDS: &str = "2000";

/// A Redis of the test's own.
struct Redis {
    child: Child,
    port: u16,
}

impl Redis {
    fn start(instance: &Instance) -> Self {
        // Redis takes no port 0: one that was free a moment ago is taken, and another one if it is not any more.
        for _ in 0..10 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut command: Command = instance.marked("redis-server");
            command.args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
            ]);
            let mut child = command.stdout(Stdio::null()).stdin(Stdio::null()).spawn().unwrap();
            let deadline = Instant::now() + PATIENCE;
            while child.try_wait().unwrap().is_none() && Instant::now() < deadline {
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Self { child, port };
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        panic!("redis-server does not start");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
fn compare(families: &[&str]) {
    let instance = Instance::up(HUB);
    let redis = Redis::start(&instance);
    let mut command = program(&instance, "differential.py");
    let other = format!("redis://127.0.0.1:{}", redis.port);
    command.args([&url(&instance, "web"), &other, "remuda", COMMANDS]).args(families);
    let said = run::run(command).done();
    assert_eq!(said.out.matches(" compared").count(), families.len(), "{said:?}");
    instance.end();
}

#[test]
fn keys_and_strings_answer_as_redis_does() {
    compare(&["strings", "keys", "bits"]);
}

#[test]
fn collections_answer_as_redis_does() {
    compare(&["lists", "hashes", "sets", "sorted_sets"]);
}

#[test]
fn streams_answer_as_redis_does() {
    compare(&["streams"]);
}

#[test]
fn transactions_and_what_concerns_connections_answer_as_redis_does() {
    compare(&["transactions", "connection"]);
}
