//! Want of descriptors, clients that do nothing, and heads without an end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::{EDGE, edge};
use crate::harness::{PATIENCE, http};

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
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
    assert_eq!(http::get(&address, "/").unwrap().status, 200);
    instance.end();
}
