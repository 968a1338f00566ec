//! Clients that are slow, in each phase of a request.

use std::io::Read as _;
use std::time::{Duration, Instant};

use remuda_gateway::server::Limits;

use super::support::Running;

fn impatient() -> Limits {
    let second = Duration::from_secs(1);
    Limits {
        head_within: second,
        idle_within: second,
        body_grace: second,
        write_within: second,
        ..Limits::default()
    }
}

#[test]
fn a_head_that_does_not_end_is_not_waited_for() {
    let running = Running::new(impatient());
    let mut client = running.connect();
    let start = Instant::now();
    client.send("GET / HTTP/1.1\r\nHost: te");
    let answer = client.rest();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!((900..4000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    drop(client);
    assert_eq!(running.end().events["head-late"], 1);
}

#[test]
fn a_head_that_drips_has_no_more_time_than_one_that_does_not() {
    let running = Running::new(impatient());
    let mut client = running.connect();
    client.stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    client.send("GET / HTTP/1.1\r\nHost: test\r\n");
    let start = Instant::now();
    let mut answer = [0; 12];
    while client.stream.read_exact(&mut answer).is_err() {
        assert!(start.elapsed() < Duration::from_secs(10));
        client.send("X: y\r\n");
    }
    assert_eq!(&answer, b"HTTP/1.1 408");
}

#[test]
fn a_connection_without_a_request_ends_without_a_word() {
    let running = Running::new(impatient());
    assert_eq!(running.connect().rest(), "");
    let mut used = running.connect();
    assert_eq!(used.get("/bytes/2").status(), 200);
    assert_eq!(used.rest(), "");
    assert_eq!(running.end().events["idle-closed"], 2);
}

#[test]
fn a_body_below_its_rate_is_answered_with_408() {
    let running = Running::new(impatient());
    let mut client = running.connect();
    client.send("POST /echo/ HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\nabc");
    let answer = client.rest();
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("Connection: close"), "{answer}");
    drop(client);
    assert_eq!(running.end().events["body-late"], 1);
}

#[test]
fn a_client_that_does_not_read_is_cut() {
    let running = Running::new(impatient());
    let mut client = running.connect();
    client.send("GET /bytes/50000000 HTTP/1.1\r\nHost: test\r\n\r\n");
    let start = Instant::now();
    // Another is served meanwhile, and after it.
    let mut other = running.connect();
    while start.elapsed() < Duration::from_millis(2500) {
        assert_eq!(other.get("/bytes/2").status(), 200);
        std::thread::sleep(Duration::from_millis(50));
    }
    let read = client.rest().len();
    assert!(read < 50_000_000, "{read}");
    assert_eq!(running.end().events["answer-cut"], 1);
}
