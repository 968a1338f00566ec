//! The control API as any HTTP client sees it, without a line of our own client.

use std::os::unix::fs::PermissionsExt;

use remuda_model::Record;
use serde_json::{Value, json};

use super::talkers;
use crate::harness::http::{self, Answer};
use crate::harness::{Instance, is_root, run};

fn address(instance: &Instance) -> String {
    format!("unix:{}", instance.control().display())
}

#[track_caller]
fn document(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
}

/// A GET of HTTP/1.0, whose answer comes unchunked to the end of the connection.
fn stream(instance: &Instance, path: &str, header: &str) -> Answer {
    let mut connection = http::connect(&address(instance)).unwrap();
    connection.write_all(format!("GET {path} HTTP/1.0\r\nHost: test\r\n{header}\r\n").as_bytes()).unwrap();
    http::answer(&mut *connection).unwrap()
}

#[test]
fn questions_and_orders_are_plain_http() {
    let instance = talkers();
    let address = address(&instance);
    let get = |path| http::get(&address, path).unwrap();
    let post = |path, body| http::request(&address, "POST", path, body).unwrap();
    assert_eq!(document(&get("/v1"))["name"], "remuda");
    assert_eq!(document(&get("/v1/status"))["pid"], instance.pid());
    assert_eq!(get("/v2").status, 404);
    let misplaced = post("/v1/status", "");
    assert_eq!(misplaced.status, 405);
    assert!(misplaced.head.to_lowercase().contains("allow: get"), "{misplaced:?}");
    assert_eq!(get("/v1/events?folow=false").status, 400);

    let scaled = post("/v1/scale", r#"{"service": "web", "by": 1}"#);
    assert_eq!((scaled.status, &document(&scaled)["result"]), (200, &json!("done")));
    assert_eq!(instance.service("web").workers_ready, 2);
    assert_eq!(post("/v1/scale", r#"{"service": "nosuch", "to": 1}"#).status, 404);
    assert_eq!(post("/v1/scale", r#"{"servce": "web", "to": 1}"#).status, 400);
    assert_eq!(post("/v1/reload", "{}").status, 400);

    let accepted = post("/v1/restart?wait=false", r#"{"targets": ["web.1"]}"#);
    assert_eq!((accepted.status, &document(&accepted)["result"]), (202, &json!("accepted")));
    instance.end();
}

#[test]
fn the_config_in_force_is_shown_without_the_values_of_variables() {
    let instance =
        Instance::up("[service.web]\ncommand = \"sleep 1000\"\n[service.web.env]\nTOKEN = \"swordfish\"");
    let answer = http::get(&address(&instance), "/v1/config").unwrap();
    let toml = document(&answer)["toml"].as_str().unwrap().to_owned();
    assert!(toml.contains("TOKEN") && toml.contains("ready_timeout"), "{toml}");
    assert!(!answer.body.contains("swordfish"), "{toml}");
    instance.end();
}

#[test]
fn an_event_stream_resumes_after_the_last_event_id() {
    let instance = talkers();
    let answer = stream(&instance, "/v1/events?follow=false&after=1", "Last-Event-ID: 3\r\n");
    assert!(answer.head.to_lowercase().contains("content-type: text/event-stream"), "{answer:?}");
    let data = answer.body.lines().filter_map(|line| line.strip_prefix("data: "));
    let records: Vec<Record> = data.filter_map(|data| serde_json::from_str(data).ok()).collect();
    assert_eq!(records.first().map(|record| record.seq), Some(4), "{answer:?}");
    let ids: Vec<&str> = answer.body.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
    let newest = records.last().unwrap().seq.to_string();
    assert_eq!(ids.last(), Some(&newest.as_str()), "each event says its number: {answer:?}");
    assert!(answer.body.trim_end().ends_with("event: end\ndata: {\"reason\":\"caught-up\"}"), "{answer:?}");
    assert_eq!(stream(&instance, "/v1/events", "Last-Event-ID: three\r\n").status, 400);

    let lines = stream(&instance, "/v1/logs?follow=false&service=web&stream=stdout", "");
    let data: Vec<&str> = lines.body.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    let line: Value = serde_json::from_str(data[0]).unwrap();
    assert_eq!((line["text"].as_str(), line["stream"].as_str()), (Some("to stdout"), Some("stdout")));
    assert_eq!(data.len(), 2, "one line and the end: {lines:?}");
    instance.end();
}

#[test]
fn somebody_else_may_not_control_the_instance() {
    let instance = talkers();
    let mode = std::fs::metadata(instance.control()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600, "the kernel keeps others out first");
    if !is_root() {
        // Only root can become somebody else to try it.
        return instance.end();
    }
    let program = instance.dir().join("remuda");
    std::fs::copy(env!("CARGO_BIN_EXE_remuda"), &program).unwrap();
    let as_nobody = |arguments: &[&str]| {
        let mut command = instance.marked("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program).args(arguments);
        command.env("REMUDA_SOCKET", instance.control());
        run::run(command)
    };
    as_nobody(&["status"]).exits(4);
    // Even where the mode has been opened, the arbiter asks the kernel who is there.
    std::fs::set_permissions(instance.control(), PermissionsExt::from_mode(0o666)).unwrap();
    let said = as_nobody(&["down"]).exits(4);
    assert!(said.err.contains("uid 65534"), "{said:?}");
    assert_eq!(instance.service("web").workers_ready, 1);
    instance.end();
}
