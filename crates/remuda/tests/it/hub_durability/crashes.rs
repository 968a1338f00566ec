//! `kill -9` under load, again and again.

use rustix::process::Signal;

use super::{Wire, hub, kill_hub};
use crate::harness::program::Program;
use crate::harness::{Instance, process};

fn config(store: &str) -> String {
    format!("[bus]\n[store]\n{store}\n[hub]\nstate = \"state\"\n[service.web]\ncommand = \"sleep 1000\"\n")
}

#[test]
fn what_was_acknowledged_outlives_the_hub_killed_under_load() {
    let instance = Instance::up(&config("fsync = \"always\""));
    let mut load = Program::start(&instance, "durability_load.py", &[]);
    for _ in 0..4 {
        load.hears("acked");
        load.hears("acked");
        kill_hub(&instance);
        load.hears("acked");
        load.tell("check");
        load.hears("checked");
    }
    load.tell("end");
    let said = load.ends_well();
    assert!(!said.iter().any(|line| line == "deaths 0"), "nobody noticed: {said:?}");
    instance.end();
}

#[test]
fn what_was_acknowledged_outlives_hub_and_arbiter_killed_under_load() {
    let mut instance = Instance::up(&config("fsync = \"always\""));
    let mut load = Program::start(&instance, "durability_load.py", &[]);
    for _ in 0..2 {
        load.hears("acked");
        load.hears("acked");
        let hub = hub(&instance);
        instance.kill_arbiter();
        process::signal(hub, Signal::KILL);
        assert!(process::wait_end(hub, crate::harness::PATIENCE));
        instance.again();
        instance.settled();
        load.hears("acked");
        load.tell("check");
        load.hears("checked");
    }
    load.tell("end");
    load.ends_well();
    instance.end();
}

#[test]
fn a_second_at_most_is_lost_where_the_disk_has_it_each_second() {
    let instance = Instance::up(&config("fsync = \"1s\""));
    // The second, and the time that a client takes to notice.
    let mut load = Program::start(&instance, "durability_load.py", &["1.5"]);
    for _ in 0..2 {
        load.hears("acked");
        load.hears("acked");
        kill_hub(&instance);
        load.hears("acked");
        load.tell("check");
        load.hears("checked");
    }
    load.tell("end");
    load.ends_well();
    instance.end();
}

#[test]
fn reloads_under_load_lose_nothing_and_nobody_is_cut_off() {
    let instance = Instance::up(&config("fsync = \"always\""));
    let mut load = Program::start(&instance, "durability_load.py", &[]);
    for _ in 0..4 {
        load.hears("acked");
        instance.remuda(&["reload", "hub"]).done();
    }
    load.hears("acked");
    load.tell("check");
    load.hears("checked");
    load.tell("end");
    let said = load.ends_well();
    assert!(said.iter().any(|line| line == "deaths 0"), "somebody was cut off: {said:?}");
    instance.end();
}

#[test]
fn a_store_that_is_on_no_disk_begins_empty_after_a_crash_and_goes_along_in_a_reload() {
    let instance = Instance::up(&config("durable = false"));
    let mut wire = Wire::new(&instance);
    assert_eq!(wire.ask("SET here 1"), "+OK");
    assert_eq!(wire.ask("EXPIRE here 1000"), ":1");
    assert_eq!(wire.ask("RPUSH list a b c"), ":3");
    instance.remuda(&["reload", "hub"]).done();
    assert_eq!(wire.text("GET here").as_deref(), Some("1"));
    let left: i64 = wire.ask("TTL here")[1..].parse().unwrap();
    assert!((900..=1000).contains(&left), "{left}");
    wire.send(b"LRANGE list 0 -1\r\n");
    wire.expect("*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n");
    assert!(!instance.dir().join("state/store").exists(), "nothing of it is on the disk");
    kill_hub(&instance);
    assert_eq!(Wire::new(&instance).ask("DBSIZE"), ":0");
    instance.end();
}

#[test]
fn what_is_due_goes_on_by_the_wall_clock_over_a_crash() {
    let instance = Instance::up(&config("fsync = \"always\""));
    let mut wire = Wire::new(&instance);
    assert_eq!(wire.ask("SET soon 1 PX 150"), "+OK");
    assert_eq!(wire.ask("SET late 1 PX 1000000"), "+OK");
    let moment = |wire: &mut Wire| wire.ask("PEXPIRETIME late")[1..].parse::<i64>().unwrap();
    let at = moment(&mut wire);
    kill_hub(&instance);
    let mut wire = Wire::new(&instance);
    let now = moment(&mut wire);
    assert!((now - at).abs() <= 2, "the moment is the same, but for parts of milliseconds: {at} and {now}");
    // The crash took longer than it had left, or it ends now.
    let end = std::time::Instant::now() + crate::harness::PATIENCE;
    while wire.ask("EXISTS soon") == ":1" {
        assert!(std::time::Instant::now() < end, "it outlives its time");
    }
    instance.end();
}
