//! Want of descriptors, clients that do nothing, and heads without an end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::{EDGE, edge};
use crate::harness::{Instance, PATIENCE, http, until};

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// How often something was refused, cut or put off.
fn counted(instance: &Instance, word: &str) -> u64 {
    let page = instance.remuda(&["metrics"]).done().out;
    let of = format!("remuda_gateway_events_total{{service=\"edge\",event=\"{word}\"}} ");
    page.lines().find_map(|line| line.strip_prefix(&of)).map_or(0, |count| count.parse().unwrap())
}

/// Gauge of the memory of a process that is its own, bytes.
fn memory(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[test]
fn where_descriptors_run_out_idle_connections_make_room() {
    let config =
        format!("{}[service.edge.limits]\nnofile = 64\n", EDGE.replace("workers = 2", "workers = 1"));
    let instance = edge(&config);
    let address = instance.address("http");
    let mut kept = Vec::new();
    for number in 0..200 {
        let mut stream = connect(&address);
        stream.write_all(b"GET /hello.txt HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
        let mut answer = [0; 15];
        stream.read_exact(&mut answer).unwrap_or_else(|error| panic!("client {number}: {error}"));
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        kept.push(stream);
    }
    drop(kept);
    assert!(counted(&instance, "out-of-descriptors") > 0);
    assert_eq!(http::get(&address, "/hello.txt").unwrap().body, "hello, world");
    assert_eq!(instance.pids("edge").len(), 1);
    instance.end();
}

#[test]
fn hundreds_of_clients_that_never_finish_their_heads_hold_up_nobody() {
    let instance = edge(EDGE);
    let address = instance.address("http");
    let slow: Vec<_> = (0..300)
        .map(|_| {
            let mut stream = connect(&address);
            stream.write_all(b"GET /hello.txt HTTP/1.1\r\nHost: te").unwrap();
            stream
        })
        .collect();
    for _ in 0..50 {
        assert_eq!(http::get(&address, "/hello.txt").unwrap().status, 200);
    }
    // Each is told, when its time is over.
    until("the answers", || counted(&instance, "head-late") == 300);
    drop(slow);
    instance.end();
}

#[test]
fn a_head_that_is_too_large_is_refused_and_the_next_client_served() {
    let instance = edge(EDGE);
    let address = instance.address("http");
    let mut stream = connect(&address);
    let head = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(200_000));
    // The answer comes before all of it is taken.
    let _cut = stream.write_all(head.as_bytes());
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    assert_eq!(counted(&instance, "head-too-large"), 1);
    assert_eq!(http::get(&address, "/").unwrap().status, 200);
    instance.end();
}

#[test]
fn ten_thousand_idle_clients_cost_little_and_hold_up_nobody() {
    // As many as this process may have connections, which are the same number in the gateway.
    let may = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    let clients = usize::try_from(may.saturating_sub(500)).unwrap().min(10_000);
    let config = EDGE.replace("workers = 2", "workers = 1");
    let instance = edge(&config);
    let address = instance.address("http");
    assert_eq!(http::get(&address, "/hello.txt").unwrap().status, 200);
    let before = memory(instance.pids("edge")[0]);
    let idle: Vec<_> = (0..clients)
        .map(|_| {
            let mut stream = connect(&address);
            stream.write_all(b"GET /hello.txt HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
            let mut answer = [0; 15];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"HTTP/1.1 200 OK");
            stream
        })
        .collect();
    let each = memory(instance.pids("edge")[0]).saturating_sub(before) / u64::try_from(clients).unwrap();
    // 1.4 KiB where it is optimised and the allocator has settled.
    assert!(each < 6 << 10, "{each} bytes for each of {clients}");
    for _ in 0..50 {
        assert_eq!(http::get(&address, "/hello.txt").unwrap().body, "hello, world");
    }
    let page = instance.remuda(&["metrics"]).done().out;
    assert!(page.contains(&format!("remuda_gateway_connections{{service=\"edge\"}} {clients}\n")), "{page}");
    drop(idle);
    instance.end();
}
