//! What pyzmq, over libzmq, makes of the bus.

use super::{HUB, checks, program};
use crate::harness::{Instance, Setup, run, until};

/// Runs one check against a fresh hub.
#[track_caller]
fn check(names: &[&str]) {
    let instance = Instance::up(HUB);
    checks(&instance, names);
    instance.end();
}

#[test]
fn messages_come_as_they_were_sent_by_every_kind_of_publisher_and_way() {
    check(&["basic", "multipart", "large", "xsub", "xpub"]);
}

#[test]
fn messages_of_one_publisher_stay_in_their_order() {
    check(&["order"]);
}

#[test]
fn topics_are_matched_by_prefix_and_counted_by_subscription() {
    check(&["prefix_filter", "refcounted_unsubscribe", "overlapping"]);
}

#[test]
fn peers_with_heartbeats_stay_connected() {
    check(&["heartbeats"]);
}

#[test]
fn two_hundred_subscribers_hear_each_their_own_topic() {
    check(&["many"]);
}

#[test]
fn consumers_share_the_work() {
    check(&["pull"]);
}

#[test]
fn nobody_hears_itself_who_does_not_want_to() {
    check(&["no_echo"]);
}

#[test]
fn topics_of_the_hub_are_its_own() {
    check(&["reserved"]);
}

#[test]
fn the_classic_pair_of_endpoints_works() {
    check(&["classic"]);
}

#[test]
fn a_peer_of_zmtp_3_0_is_served_as_such() {
    check(&["raw_3_0"]);
}

#[test]
fn a_peer_of_zmtp_2_0_is_refused_and_the_log_says_why() {
    let instance = Instance::up(HUB);
    checks(&instance, &["old"]);
    let line = instance.wait_line("ZMTP 2.0");
    assert!(line.text.contains("3.0 is the oldest") && line.text.contains("127.0.0.1"), "{line:?}");
    instance.end();
}

#[test]
fn late_subscribers_ask_for_what_was_said() {
    let ring = "[[bus.replay]]\nprefix = \"kept.\"\n";
    let instance = Instance::up(&format!("{HUB}{ring}"));
    checks(&instance, &["replay"]);
    instance.end();
}

#[test]
fn clients_that_were_there_before_the_hub_are_served_when_it_comes() {
    let setup = Setup::new(HUB);
    let address = format!("ipc://{}", setup.runtime().join("bus.sock").display());
    let marker = setup.dir().join("marker");
    let client = {
        let peers = crate::harness::peers::hub_peers();
        let mut command = setup.marked(&peers.join("venv/bin/python").to_string_lossy());
        command
            .arg(crate::harness::peers::hub_programs().join("zeromq_checks.py"))
            .arg("early")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("EARLY", &address)
            .env("MARKER", &marker);
        command
    };
    let client = std::thread::spawn(move || run::run(client).done());
    until("the client to start", || marker.exists());
    let instance = setup.up();
    client.join().unwrap();
    instance.settled();
    instance.end();
}

#[test]
fn socket_io_servers_in_two_processes_share_their_rooms() {
    let instance = Instance::up(HUB);
    let said = run::run(program(&instance, "zeromq_socketio.py")).done();
    assert!(said.out.contains("heard"), "{said:?}");
    instance.end();
}
