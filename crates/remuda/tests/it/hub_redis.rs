//! The hub and its Redis clients: the programs of `tests/peers/hub` against a hub of each test's own.

pub(crate) mod access;
mod clients;
mod differential;
pub(crate) mod protocol;

use std::process::Command;

use crate::harness::peers::{hub_peers, hub_programs};
use crate::harness::{Instance, Said, process, run};

/// A hub, and a service that has the use of it.
const HUB: &str = "[bus]\n[store]\n[hub]\nstate = \"state\"\n[service.web]\ncommand = \"sleep 1000\"\n";

/// The URL of the hub that workers of `service` find.
fn url(instance: &Instance, service: &str) -> String {
    process::environment(instance.pids(service)[0])["REDIS_URL"].clone()
}

/// A program of `tests/peers/hub`, Python's or node's by its name, that finds the hub as `web` does.
fn program(instance: &Instance, name: &str) -> Command {
    let interpreter = match name.ends_with(".mjs") {
        true => "node".to_owned(),
        false => hub_peers().join("venv/bin/python").to_string_lossy().into_owned(),
    };
    let mut command = instance.marked(&interpreter);
    command.arg(hub_programs().join(name));
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("HUB_PEERS", hub_peers());
    command.env("REDIS_URL", url(instance, "web"));
    command.env("STORE", instance.runtime().join("store.sock"));
    command
}

/// Runs all cases of a program against a fresh hub.
#[track_caller]
fn cases(name: &str) -> Said {
    let instance = Instance::up(HUB);
    let said = run::run(program(&instance, name)).done();
    assert!(said.out.contains("done"), "{said:?}");
    instance.end();
    said
}
