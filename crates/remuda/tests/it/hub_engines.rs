//! The hub as a gateway: two of them that share a bus by a real Redis or NATS, and a store that a real Redis holds.

mod away;
mod held;
mod hidden;
mod passing;
mod reload;
mod rules;
mod shared;
mod slow;
mod strange;

use std::process::Command;

use crate::harness::server::Server;
use crate::harness::{Instance, Said, peers, run};

/// Runs a program of `tests/peers/hub` with these variables.
#[track_caller]
fn program(instance: &Instance, name: &str, variables: &[(&str, String)]) -> Said {
    let mut command: Command = instance.marked(&peers::hub_peers().join("venv/bin/python").to_string_lossy());
    command.arg(peers::hub_programs().join(name)).env("PYTHONDONTWRITEBYTECODE", "1");
    command.envs(variables.iter().map(|(name, value)| (*name, value.as_str())));
    run::run(command).done()
}

/// The hub's Unix sockets.
fn bus(instance: &Instance) -> String {
    instance.runtime().join("bus.sock").to_string_lossy().into_owned()
}

fn store(instance: &Instance) -> String {
    instance.runtime().join("store.sock").to_string_lossy().into_owned()
}

/// A config whose bus and store have these engines.
fn config(bus: &str, store: &str) -> String {
    format!("[bus]\nengine = \"{bus}\"\n[store]\nengine = \"{store}\"\n[hub]\nstate = \"state\"\n")
}
