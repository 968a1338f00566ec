//! Nothing happens: the hub sleeps, whoever is connected, and each of them costs little.

use std::io::Write as _;
use std::os::unix::net::UnixStream;

use super::{greeted, memory_kb};
use crate::harness::{Instance, process};
use crate::hub_durability::{Wire, hub};

const HUB: &str = "[bus]\n[store]\n[hub]\nstate = \"state\"\n";
/// Idle subscribers of each kind.
const SUBSCRIBERS: usize = 2000;
/// What one may cost, bytes, in a build without optimization.
const EACH_MAX_BYTES: u64 = 4096;

/// A ZeroMQ peer of type SUB that has subscribed to `topic`.
fn subscriber(instance: &Instance, topic: &[u8]) -> UnixStream {
    let mut stream = greeted(instance, "SUB");
    let mut frame = vec![0, u8::try_from(topic.len() + 1).unwrap(), 1];
    frame.extend_from_slice(topic);
    stream.write_all(&frame).unwrap();
    stream
}

#[test]
fn idle_connections_wake_nobody() {
    let instance = Instance::up(HUB);
    let _peers: Vec<UnixStream> = (0..20).map(|_| subscriber(&instance, b"topic")).collect();
    let mut clients: Vec<Wire> = (0..20).map(|_| Wire::new(&instance)).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        match number % 3 {
            0 => client.send(b"SUBSCRIBE news\r\n"),
            1 => client.send(b"BLPOP nothing 0\r\n"),
            _ => assert_eq!(client.ask("SET here 1"), "+OK"),
        }
    }
    process::falls_asleep(hub(&instance));
    instance.end();
}

#[test]
fn idle_subscribers_cost_little() {
    let instance = Instance::up(HUB);
    let pid = hub(&instance);
    let mut warm = Wire::new(&instance);
    assert_eq!(warm.ask("PING"), "+PONG");
    drop(subscriber(&instance, b"warm"));
    let start = memory_kb(pid, "Anonymous");
    let peers: Vec<UnixStream> =
        (0..SUBSCRIBERS).map(|number| subscriber(&instance, format!("topic.{number}").as_bytes())).collect();
    let with_peers = memory_kb(pid, "Anonymous");
    let mut clients: Vec<Wire> = Vec::new();
    for number in 0..SUBSCRIBERS {
        let mut client = Wire::new(&instance);
        client.send(format!("SUBSCRIBE channel.{number}\r\n").as_bytes());
        assert_eq!(client.line(), "*3");
        clients.push(client);
    }
    let with_clients = memory_kb(pid, "Anonymous");
    let each = |more: u64| more * 1024 / u64::try_from(SUBSCRIBERS).unwrap();
    let (peer, client) = (each(with_peers - start), each(with_clients - with_peers));
    println!(
        "{start} kB without anybody; {peer} bytes for each ZeroMQ subscriber, {client} for each Redis subscriber"
    );
    assert!(peer <= EACH_MAX_BYTES && client <= EACH_MAX_BYTES, "{peer} and {client} bytes each");
    assert!(process::is_alive(pid));
    drop(peers);
    instance.end();
}
