//! The hub and its ZeroMQ peers: the programs of `tests/peers/hub` against a hub of each test's own.

mod bad_days;
mod checks;
mod peers;
mod security;
mod services;

use std::process::{Command, Stdio};

use crate::harness::{Instance, Said, peers::hub_peers, peers::hub_programs, run};

/// A hub with everything on, and nobody else.
const HUB: &str =
    "[bus]\npub_listen = \"127.0.0.1:0\"\npull_listen = \"127.0.0.1:0\"\n[store]\n[hub]\nstate = \"state\"\n";

/// A Python program that finds the hub of `instance` in its variables.
fn program(instance: &Instance, name: &str) -> Command {
    let mut command = instance.marked(&hub_peers().join("venv/bin/python").to_string_lossy());
    command.arg(hub_programs().join(name)).env("PYTHONDONTWRITEBYTECODE", "1");
    tell(instance, &mut command);
    command
}

/// Puts the addresses of the hub into the variables of a program.
fn tell(instance: &Instance, command: &mut Command) {
    let tcp = |socket: &str| format!("tcp://{}", instance.address(socket));
    command
        .env("BUS", tcp("hub-bus-1"))
        .env("PUB", tcp("hub-pub"))
        .env("PULL", tcp("hub-pull"))
        .env("BUS_LOCAL", format!("ipc://{}", instance.runtime().join("bus.sock").display()))
        .env("STORE", instance.runtime().join("store.sock"))
        .stdin(Stdio::null());
}

/// Runs checks of `zeromq_checks.py`, one after the other.
#[track_caller]
fn checks(instance: &Instance, names: &[&str]) -> Said {
    let mut command = program(instance, "zeromq_checks.py");
    command.args(names);
    run::run(command).done()
}
