//! More connections than there may be.

use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crate::harness::{Instance, PATIENCE, process, until};
use crate::hub_durability::{Wire, hub};

fn fds(pid: u32) -> usize {
    process::descriptors(pid).len()
}

#[test]
fn one_client_too_many_is_told_and_the_place_of_one_who_leaves_is_free() {
    let instance = Instance::up("[bus]\n[store]\nclients_max = 3\n[hub]\nstate = \"state\"\n");
    let mut clients: Vec<Wire> = (0..3).map(|_| Wire::new(&instance)).collect();
    for client in &mut clients {
        assert_eq!(client.ask("PING"), "+PONG");
    }
    for _ in 0..20 {
        let mut refused = UnixStream::connect(instance.runtime().join("store.sock")).unwrap();
        refused.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut said = String::new();
        refused.read_to_string(&mut said).unwrap();
        assert_eq!(said, "-ERR max number of clients reached\r\n");
    }
    let logs = instance.remuda(&["logs", "hub", "-n", "100"]).done().out;
    assert_eq!(logs.matches("store.clients_max").count(), 1, "said once, not twenty times: {logs}");
    drop(clients.pop());
    until("a free place", || {
        let mut client = Wire::new(&instance);
        client.try_ask("PING").as_deref() == Some("+PONG")
    });
    instance.end();
}

#[test]
fn one_peer_too_many_is_turned_away_and_comes_back_when_there_is_room() {
    let instance = Instance::up("[bus]\npeers_max = 2\n[store]\n[hub]\nstate = \"state\"\n");
    let path = instance.runtime().join("bus.sock");
    let open = || UnixStream::connect(&path).unwrap();
    let greeted = |stream: &mut UnixStream| {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut signature = [0; 10];
        stream.read_exact(&mut signature).is_ok()
    };
    let mut peers = [open(), open()];
    assert!(peers.iter_mut().all(greeted));
    assert!(!greeted(&mut open()), "the third is turned away");
    let logs = instance.remuda(&["logs", "hub", "-n", "100"]).done().out;
    assert!(logs.contains("bus.peers_max"), "{logs}");
    let [first, _second] = peers;
    drop(first);
    until("a free place", || greeted(&mut open()));
    instance.end();
}

#[test]
fn without_descriptors_connections_queue_until_some_have_ended() {
    let config = "[bus]\n[store]\n[hub]\nstate = \"state\"\n[hub.limits]\nnofile = 64\n";
    let instance = Instance::up(config);
    let pid = hub(&instance);
    let mut clients: Vec<Wire> = (0..80).map(|_| Wire::new(&instance)).collect();
    until("all descriptors to be in use", || fds(pid) >= 64);
    assert_eq!(clients[0].ask("PING"), "+PONG", "who was there first is served");
    clients[79].send(b"PING\r\n");
    let before = cpu_ticks(pid);
    clients[79].stays_silent(Duration::from_millis(500));
    let spent = cpu_ticks(pid) - before;
    assert!(spent < 15, "it does not try all the time: {spent} of 50 hundredths of a second");
    let logs = instance.remuda(&["logs", "hub", "-n", "100"]).done().out;
    assert_eq!(logs.matches("cannot accept connections").count(), 1, "{logs}");
    let last = clients.pop().unwrap();
    clients.clear();
    let mut last = last;
    last.expect("+PONG\r\n");
    instance.end();
}

/// Time that a process has used, in hundredths of a second.
fn cpu_ticks(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
fn who_asks_about_itself_all_the_time_holds_up_nobody() {
    let instance = Instance::up("[bus]\n[store]\n[hub]\nstate = \"state\"\n");
    let _crowd: Vec<Wire> = (0..1500).map(|_| Wire::new(&instance)).collect();
    let (mut curious, mut other) = (Wire::new(&instance), Wire::new(&instance));
    assert_eq!(other.ask("PING"), "+PONG");
    curious.send(&b"CLIENT INFO\r\n".repeat(4000));
    let began = Instant::now();
    for _ in 0..20 {
        assert_eq!(other.ask("PING"), "+PONG");
    }
    let waited = began.elapsed();
    assert!(waited < Duration::from_secs(1), "{waited:?} for 20 replies");
    instance.end();
}
