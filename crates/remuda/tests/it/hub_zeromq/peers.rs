//! Peers in other languages than Python.

use std::process::Command;

use super::{HUB, tell};
use crate::harness::peers::{hub_peers, hub_programs};
use crate::harness::{Instance, run};

#[test]
fn zeromq_js_publishes_subscribes_asks_and_answers() {
    let instance = Instance::up(HUB);
    let mut command = instance.marked("node");
    command.arg(hub_programs().join("zeromq_node.mjs")).env("PEERS", hub_peers());
    tell(&instance, &mut command);
    run::run(command).done();
    instance.end();
}

#[test]
fn a_c_program_publishes_subscribes_asks_and_answers() {
    // Made by the same script as the other peers: a compiler and libzmq are there.
    hub_peers();
    let instance = Instance::up(HUB);
    let program = instance.dir().join("peer");
    let mut compiler: Command = instance.marked("cc");
    compiler.args(["-O1", "-Wall", "-o"]).arg(&program).arg(hub_programs().join("zeromq_c.c")).arg("-lzmq");
    run::run(compiler).done();
    let mut command = instance.marked(&program.to_string_lossy());
    tell(&instance, &mut command);
    run::run(command).done();
    instance.end();
}
