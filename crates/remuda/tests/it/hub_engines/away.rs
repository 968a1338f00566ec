//! Engines that are away, for a while or from the start.

use super::{Server, bus, config, program, store};
use crate::harness::server::Kind;
use crate::harness::{Instance, until};

fn step(instance: &Instance, step: &str, url: &str) {
    let variables = [
        ("STORE", store(instance)),
        ("BUS", bus(instance)),
        ("ENGINE", url.to_owned()),
        ("STEP", step.to_owned()),
    ];
    program(instance, "engines_away.py", &variables);
}

fn is_back(instance: &Instance, url: &str, purposes: &[&str]) {
    for purpose in purposes {
        instance.wait_line(&format!("the engine of the {purpose} at {url} is back"));
    }
}

fn lost_and_found(kind: Kind, is_store: bool) {
    let mut server = Server::start(kind, &[]);
    let url = server.url("");
    let instance = Instance::up(&config(&url, if is_store { &url } else { "embedded" }));
    step(&instance, "there", &url);
    server.kill();
    instance.wait_line("is away");
    step(&instance, "away", &url);
    server.again();
    is_back(&instance, &url, if is_store { &["bus", "store"] } else { &["bus"] });
    step(&instance, "back", &url);
    let lines = instance
        .transcript
        .locked()
        .lines
        .iter()
        .filter(|line| format!("{line:?}").contains("bus at"))
        .count();
    assert!(lines <= 3, "the log is told once: {lines} lines");
    instance.end();
}

#[test]
fn a_redis_that_is_killed_and_comes_back_is_found_again() {
    lost_and_found(Kind::Redis, true);
}

#[test]
fn a_nats_that_is_killed_and_comes_back_is_found_again() {
    lost_and_found(Kind::Nats, false);
}

#[test]
fn a_hub_whose_engine_is_not_there_is_ready_after_a_while() {
    let mut redis = Server::start(Kind::Redis, &[]);
    let url = redis.url("");
    redis.kill();
    let instance = Instance::up(&config(&url, &url));
    instance.wait_line("is not there after 10 s");
    step(&instance, "away", &url);
    redis.again();
    is_back(&instance, &url, &["bus", "store"]);
    step(&instance, "there", &url);
    instance.end();
}

#[test]
fn clients_of_an_engine_live_through_a_reload_of_the_hub() {
    let redis = Server::start(Kind::Redis, &[]);
    let instance = lives_through_a_reload(&redis.url(""));
    assert!(!format!("{:?}", instance.transcript.locked().lines).contains("end waits"));
    instance.end();
}

#[test]
fn an_engine_that_ends_no_waits_for_the_hub_is_told_of_and_hinders_no_reload() {
    let rules = "--user hub on >s3cret ~* &* +@all -client|unblock";
    let redis = Server::start(Kind::Redis, &rules.split(' ').collect::<Vec<_>>());
    let instance = lives_through_a_reload(&redis.url("hub:s3cret@"));
    instance.wait_line("does not let the hub end waits of its clients (NOPERM");
    instance.end();
}

fn lives_through_a_reload(url: &str) -> Instance {
    let instance = Instance::up(&config(url, url));
    let python = crate::harness::peers::hub_peers().join("venv/bin/python");
    let mut command = instance.marked(&python.to_string_lossy());
    command.arg(crate::harness::peers::hub_programs().join("engines_away.py"));
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("STORE", store(&instance)).env("BUS", bus(&instance));
    command
        .env("ENGINE", url)
        .env("STEP", "reload")
        .env("READY", instance.dir().join("ready"))
        .env("DONE", instance.dir().join("done"));
    let said = std::thread::spawn(move || crate::harness::run::run(command));
    // The program says when its clients wait, and is told when the hub is another.
    let ready = instance.dir().join("ready");
    until("clients that wait", || ready.exists() || said.is_finished());
    instance.remuda(&["reload", "hub"]).done();
    instance.write("done", "");
    said.join().unwrap().done();
    instance
}
