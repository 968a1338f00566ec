//! Storms, floods, noise, silence, and the death of the hub.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use remuda_model::EventKind;
use rustix::process::Signal;

use super::{HUB, checks, program};
use crate::harness::{Instance, process, run};

/// A check of `zeromq_bad_days.py`, which is told where everything is.
fn day(instance: &Instance, name: &str) -> Command {
    let sockets = ["hub-bus-1", "hub-pub", "hub-pull", "hub-store-1"];
    let everywhere = sockets.map(|socket| instance.address(socket)).join(",");
    let mut command = program(instance, "zeromq_bad_days.py");
    command
        .arg(name)
        .env("HUB_PID", instance.pids("hub")[0].to_string())
        .env("EVERYWHERE", everywhere)
        .env("MARKER", instance.dir().join("marker"));
    command
}

/// Runs one, after which the same hub lives.
#[track_caller]
fn survives(config: &str, name: &str) {
    let instance = Instance::up(config);
    let hub = instance.pids("hub");
    run::run(day(&instance, name)).done();
    assert_eq!(instance.pids("hub"), hub, "the hub has been replaced");
    instance.end();
}

#[test]
fn nonsense_ends_the_connection_it_came_by_and_nothing_else() {
    let instance = Instance::up(HUB);
    let hub = instance.pids("hub");
    checks(&instance, &["garbage"]);
    assert_eq!(instance.pids("hub"), hub);
    instance.end();
}

#[test]
fn noise_on_every_endpoint_leaves_the_hub_as_it_was() {
    survives(HUB, "fuzz");
}

#[test]
fn announced_frames_that_never_come_cost_nothing() {
    survives(HUB, "unfinished");
}

#[test]
fn answers_nobody_reads_do_not_pile_up() {
    survives(HUB, "asks_and_does_not_read");
}

#[test]
fn thousands_connect_and_disconnect() {
    let instance = Instance::up(HUB);
    checks(&instance, &["connects"]);
    instance.end();
}

#[test]
fn a_thousand_clients_have_ten_thousand_subscriptions() {
    let instance = Instance::up(HUB);
    checks(&instance, &["subscriptions"]);
    instance.end();
}

#[test]
fn a_slow_reader_loses_old_messages_and_a_fast_one_none() {
    let instance = Instance::up(HUB);
    checks(&instance, &["slow_beside_fast"]);
    instance.end();
}

#[test]
fn a_stuck_subscriber_of_a_publisher_at_full_speed_harms_nobody() {
    // The readers are in Python: as long as they take a megabyte a second they are waited for.
    survives(&HUB.replace("[bus]\n", "[bus]\npatience = \"2s\"\n"), "blast");
}

#[test]
fn peers_that_vanish_are_found_by_heartbeats() {
    survives(&HUB.replace("[bus]\n", "[bus]\nheartbeat = \"300ms\"\n"), "half_open");
}

#[test]
fn peers_that_never_greet_are_not_waited_for() {
    survives(HUB, "silent");
}

#[test]
fn clients_of_a_hub_that_is_killed_go_on_with_the_next() {
    let instance = Instance::up(HUB);
    let mut command = day(&instance, "survivors");
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut said).unwrap();
    assert_eq!(said, "working\n");
    let newest = instance.last_event();
    process::signal(instance.pids("hub")[0], Signal::KILL);
    instance.wait_event_after(newest, "another hub", |event| {
        event.service.as_ref().is_some_and(|name| name.as_str() == "hub")
            && matches!(event.kind, EventKind::ServiceRunning | EventKind::WorkerReady { .. })
    });
    instance.write("marker", "");
    assert!(process::wait_end(child.id(), crate::harness::PATIENCE), "the clients do not go on");
    assert!(child.wait().unwrap().success());
    instance.end();
}
