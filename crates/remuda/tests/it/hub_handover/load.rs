//! Reloads while everybody is at work.

use std::process::Command;

use crate::harness::peers::hub_peers;
use crate::harness::program::Program;
use crate::harness::succession::Way;
use crate::harness::{Instance, Setup, run};
use crate::hub_durability::hub;

const RELOADS: usize = 4;

fn config(bus: &str) -> String {
    format!(
        "[bus]\nqueue = \"64MiB\"\n{bus}\n[store]\nfsync = \"always\"\n[hub]\nstate = \"state\"\n[service.web]\ncommand = \"sleep 1000\"\n"
    )
}

/// Reloads while everybody works, and nothing is lost.
#[track_caller]
fn works_through_reloads(instance: Instance, arguments: &[&str]) {
    let mut load = Program::start(&instance, "handover_load.py", arguments);
    load.hears("ready");
    for _ in 0..RELOADS {
        load.hears("progress");
        let before = hub(&instance);
        instance.remuda(&["reload", "hub"]).done();
        assert_ne!(hub(&instance), before);
    }
    load.hears("progress");
    load.tell("stop");
    load.hears("counted");
    load.ends_well();
    instance.end();
}

#[test]
fn reloads_lose_double_and_close_nothing() {
    works_through_reloads(Instance::up(&config("")), &[]);
}

#[test]
fn reloads_lose_nothing_of_peers_that_show_a_token() {
    works_through_reloads(Instance::up(&config("auth = \"plain\"")), &["plain"]);
}

/// Makes keys for CURVE: of the hub, with a letter in it that elsewhere begins a comment, and of the service `web`.
fn make_keys(setup: &Setup) {
    let script = "import zmq\n\
        (server, secret), (web, own) = zmq.curve_keypair(), zmq.curve_keypair()\n\
        while b'#' not in secret: server, secret = zmq.curve_keypair()\n\
        open('bus.keys', 'w').write(f'secret {secret.decode()}\\nclient web {web.decode()}\\n')\n\
        for name, key in (('server.public', server), ('web.public', web), ('web.secret', own)):\n    open(name, 'wb').write(key)\n";
    let mut command: Command = setup.marked(&hub_peers().join("venv/bin/python").to_string_lossy());
    command.args(["-c", script]);
    run::run(command).done();
}

#[test]
fn reloads_lose_nothing_of_peers_that_encrypt() {
    let setup = Setup::new(&config("auth = \"curve\"\ncurve_keys = \"bus.keys\""));
    make_keys(&setup);
    let folder = format!("curve:{}", setup.dir().display());
    let instance = setup.up();
    instance.settled();
    works_through_reloads(instance, &[&folder]);
}

#[test]
fn a_crash_and_an_upgrade_of_the_arbiter_leave_connections_alone() {
    let mut instance = Instance::up(&config(""));
    let before = hub(&instance);
    let mut load = Program::start(&instance, "handover_load.py", &[]);
    load.hears("ready");
    for way in Way::ALL {
        load.hears("progress");
        instance.succeed(way);
    }
    assert_eq!(hub(&instance), before);
    load.hears("progress");
    instance.remuda(&["reload", "hub"]).done();
    load.hears("progress");
    load.tell("stop");
    load.hears("counted");
    load.ends_well();
    instance.end();
}

#[test]
fn a_broken_key_file_leaves_the_old_hub_serving() {
    let setup = Setup::new(&config("auth = \"curve\"\ncurve_keys = \"bus.keys\""));
    make_keys(&setup);
    let folder = format!("curve:{}", setup.dir().display());
    let instance = setup.up();
    instance.settled();
    let before = hub(&instance);
    let mut load = Program::start(&instance, "handover_load.py", &[&folder]);
    load.hears("ready");
    load.hears("progress");
    let good = std::fs::read_to_string(instance.dir().join("bus.keys")).unwrap();
    instance.write("bus.keys", "secret nonsense\n");
    let said = instance.remuda(&["reload", "hub"]);
    assert_ne!(said.code, 0, "{said:?}");
    let logs = instance.remuda(&["logs", "hub", "-n", "50"]).done().out;
    assert!(logs.contains("bus.keys") && !logs.contains("nonsense"), "{logs}");
    assert_eq!(hub(&instance), before);
    load.hears("progress");
    instance.write("bus.keys", &good);
    instance.remuda(&["reload", "hub"]).done();
    assert_ne!(hub(&instance), before);
    load.hears("progress");
    load.tell("stop");
    load.hears("counted");
    load.ends_well();
    instance.end();
}
