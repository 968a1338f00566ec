//! Who is let in, and what is said to whom.

use std::process::Command;

use remuda_model::hub::{Secret, token};

use super::{checks, program};
use crate::harness::{Instance, Setup, peers::hub_peers, run};

const TCP: &str =
    "pub_listen = \"127.0.0.1:0\"\npull_listen = \"127.0.0.1:0\"\n[store]\n[hub]\nstate = \"state\"\n";

#[test]
fn over_plain_a_service_shows_its_token_and_does_what_it_may() {
    let config = format!(
        "[bus]\nauth = \"plain\"\n{TCP}[service.web]\ncommand = \"sleep 1000\"\n\
         [access.web]\ntopics = [\"open.\"]\nread_topics = [\"heard.\"]\n"
    );
    let instance = Instance::up(&config);
    let secret = std::fs::read_to_string(instance.dir().join("state/hub.secret")).unwrap();
    let secret: Secret = secret.trim_end().parse().unwrap();
    let mut command = program(&instance, "zeromq_checks.py");
    command
        .args(["rules", "limited_pull", "intruder"])
        .env("NAME", "web")
        .env("TOKEN", token(&secret, "web"));
    run::run(command).done();
    instance.wait_line("may not hear topics that begin with \"secret.\"");
    instance.wait_line("\"web\" may not hear all topics, and PULL gets messages of each");
    instance.end();
}

/// A public and a secret key, as text.
fn keys(setup: &Setup) -> (String, String) {
    let mut command: Command = setup.marked(&hub_peers().join("venv/bin/python").to_string_lossy());
    command.args(["-c", "import zmq; print(*(key.decode() for key in zmq.curve_keypair()))"]);
    let said = run::run(command).done();
    let (public, secret) = said.out.trim_end().split_once(' ').unwrap();
    (public.to_owned(), secret.to_owned())
}

#[test]
fn over_curve_everything_is_sealed_and_strangers_stay_outside() {
    let config = format!("[bus]\nauth = \"curve\"\ncurve_keys = \"bus.keys\"\n{TCP}");
    let setup = Setup::new(&config);
    let (server, client) = (keys(&setup), keys(&setup));
    let text = format!("# the keys of the bus\nsecret {}\nclient web {} # web's\n", server.1, client.0);
    setup.write("bus.keys", &text);
    let instance = setup.up();
    instance.settled();
    let mut command = program(&instance, "zeromq_checks.py");
    command
        .arg("curve")
        .env("CURVE_SERVERKEY", server.0)
        .env("CURVE_PUBLICKEY", client.0)
        .env("CURVE_SECRETKEY", client.1);
    run::run(command).done();
    // Through the Unix socket nothing is asked: the file system has asked.
    let mut command = program(&instance, "zeromq_checks.py");
    command.arg("reserved").env("BUS", format!("ipc://{}", instance.runtime().join("bus.sock").display()));
    run::run(command).done();
    instance.end();
}

#[test]
fn a_message_beyond_the_limit_ends_the_connection_and_no_other() {
    let instance = Instance::up(&format!("[bus]\nmessage_max = \"1MiB\"\n{TCP}"));
    checks(&instance, &["too_large"]);
    instance.wait_line("1048576 are allowed");
    instance.end();
}
