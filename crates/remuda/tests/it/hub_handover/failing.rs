//! New hubs that fail in the middle.

use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::SocketAddr;
use std::time::{Duration, Instant};

use remuda_model::EventKind;
use rustix::process::Signal;

use crate::harness::program::Program;
use crate::harness::{Instance, PATIENCE, process};
use crate::hub_durability::{Wire, hub};

const HUB: &str =
    "[bus]\n[store]\nfsync = \"always\"\n[hub]\nstate = \"state\"\n[service.web]\ncommand = \"sleep 1000\"\n";

/// Begins a reload and kills the new hub after so long; whether the old one goes on.
fn kill_the_next(instance: &Instance, after: Duration) -> bool {
    let (before, newest) = (hub(instance), instance.last_event());
    std::thread::scope(|scope| {
        let reload = scope.spawn(|| instance.remuda(&["reload", "hub"]));
        let spawned = instance.wait_event_after(newest, "a new hub", |event| {
            event.service.as_ref().is_some_and(|name| name.as_str() == "hub")
                && matches!(event.kind, EventKind::WorkerSpawned)
        });
        std::thread::sleep(after);
        process::signal(spawned.event.pid.unwrap(), Signal::KILL);
        reload.join().unwrap();
    });
    instance.settled();
    instance.pids("hub") == [before]
}

#[test]
fn a_new_hub_killed_at_any_moment_costs_nothing_that_was_acknowledged() {
    let instance = Instance::up(HUB);
    let mut load = Program::start(&instance, "durability_load.py", &[]);
    load.hears("acked");
    let mut went_on = 0;
    for step in 0..8_u32 {
        let mut wire = Wire::new(&instance);
        assert_eq!(wire.ask("PING"), "+PONG");
        if kill_the_next(&instance, Duration::from_millis(3) * step) {
            went_on += 1;
            assert_eq!(wire.ask("PING"), "+PONG", "the old hub goes on, with its connections");
            assert_eq!(wire.ask("SET after 1"), "+OK", "and with its disk");
        }
        load.hears("acked");
        load.tell("check");
        load.hears("checked");
    }
    assert!(went_on > 0, "all of them had taken over before they were killed");
    load.tell("end");
    load.ends_well();
    instance.remuda(&["reload", "hub"]).done();
    instance.end();
}

/// Connects to the hub as its successor does.
pub(crate) fn knock(instance: &Instance) -> OwnedFd {
    let names = std::fs::read_to_string("/proc/net/unix").unwrap();
    let mark = instance.runtime().to_string_lossy().into_owned();
    let name = names.lines().find_map(|line| {
        let (_, name) = line.split_once("@remuda-hub:")?;
        name.contains(mark.rsplit('/').nth(1).unwrap()).then(|| format!("remuda-hub:{name}"))
    });
    let address = SocketAddr::from_abstract_name(name.expect("the name that successors know")).unwrap();
    let (family, kind) = (rustix::net::AddressFamily::UNIX, rustix::net::SocketType::SEQPACKET);
    let socket = rustix::net::socket(family, kind, None).unwrap();
    let address =
        rustix::net::SocketAddrUnix::new_abstract_name(address.as_abstract_name().unwrap()).unwrap();
    rustix::net::connect(&socket, &address).unwrap();
    socket
}

#[test]
fn who_connects_and_asks_for_nothing_holds_the_hub_up_for_a_moment_only() {
    let instance = Instance::up(HUB);
    let mut wire = Wire::new(&instance);
    assert_eq!(wire.ask("PING"), "+PONG");
    let socket = knock(&instance);
    let asked = Instant::now();
    assert_eq!(wire.ask("PING"), "+PONG");
    assert!(asked.elapsed() < PATIENCE / 3, "{:?}", asked.elapsed());
    drop(socket);
    instance.remuda(&["reload", "hub"]).done();
    assert_eq!(wire.ask("PING"), "+PONG");
    instance.end();
}
