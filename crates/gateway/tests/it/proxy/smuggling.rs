//! Requests that two programs might read differently, sent through the gateway to programs that read each in its own way:
//! none of them ever sees a second request in one.

mod cases;
mod programs;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use remuda_gateway::server::Limits;
use remuda_gateway::upstream::{Forwarding, Upstreams};
use remuda_model::gateway::{ServerAddress, UpstreamServer, UpstreamServers, UpstreamSpec};

use super::{NAME, Passing};
use crate::support::{PATIENCE, Running};
use cases::{Case, Expected, cases};
use programs::{Program, gunicorn, nginx, node, python};

/// How long it is waited whether anything more comes of a request.
const QUIET: Duration = Duration::from_millis(60);

/// Sends `bytes` on a connection of its own; the statuses of what came back until it was quiet for so long, or closed.
fn statuses(running: &Running, bytes: &[u8], quiet: Duration) -> Vec<u16> {
    let mut stream = TcpStream::connect(running.address).unwrap();
    stream.set_read_timeout(Some(quiet)).unwrap();
    // It may have closed after half of it.
    let _closed = stream.write_all(bytes);
    let (mut seen, mut buffer) = (Vec::new(), [0; 8192]);
    while let Ok(len @ 1..) = stream.read(&mut buffer) {
        seen.extend_from_slice(&buffer[..len]);
    }
    let text = String::from_utf8_lossy(&seen).into_owned();
    text.match_indices("HTTP/1.1 ").filter_map(|(at, _)| text.get(at + 9..at + 12)?.parse().ok()).collect()
}

fn gateway(program: &Program) -> Running {
    let server = UpstreamServer { address: ServerAddress::Unix(program.socket.clone()), weight: 1 };
    let spec = UpstreamSpec::new(UpstreamServers::Listed(vec![server]));
    Running::with_server(Limits::default(), move |server| {
        let specs = BTreeMap::from([(NAME.to_owned(), spec)]);
        let upstreams = Upstreams::new(server, &specs, &BTreeMap::new(), Forwarding::default(), 7).unwrap();
        Passing { upstreams }
    })
}

fn check(program: &Program) {
    let running = gateway(program);
    let cases = cases();
    let mut expected_of = Vec::new();
    for (number, Case { name, bytes, expected }) in cases.into_iter().enumerate() {
        // Who is refused is closed; it need not be waited for whether anything more comes.
        let quiet = if expected == Expected::Refused { PATIENCE } else { QUIET };
        let statuses = statuses(&running, &numbered(&bytes, number), quiet);
        match expected {
            Expected::Refused => assert!(
                statuses.len() == 1 && (400..=505).contains(&statuses[0]) && statuses[0] != 404,
                "{name} before {}: {statuses:?}",
                program.name
            ),
            Expected::Passed => assert!(statuses.len() <= 1, "{name} before {}: {statuses:?}", program.name),
        }
        // If a connection to the program were spoilt, this is who would notice.
        let request = format!("GET /mark-{number} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        assert_eq!(
            self::statuses(&running, request.as_bytes(), PATIENCE),
            [200],
            "{name} before {}",
            program.name
        );
        expected_of.push((name, usize::from(expected == Expected::Passed)));
    }
    let seen = program.seen(&format!("/mark-{}", expected_of.len() - 1));
    for (number, (name, most)) in expected_of.iter().enumerate() {
        let count = seen.iter().filter(|line| is_of(line, "carrier", number)).count();
        assert!(count <= *most, "{name} before {}: seen {count} times", program.name);
        assert_eq!(seen.iter().filter(|line| is_of(line, "mark", number)).count(), 1, "{name}");
    }
    let of_any = |line: &&String| line.contains("/carrier-") || line.contains("/mark-");
    assert!(
        seen.iter().all(|line| of_any(&line) && !line.contains("smuggled")),
        "{}: {seen:?}",
        program.name
    );
}

/// `bytes` with the number of their case in the target of the request that is not hidden.
fn numbered(bytes: &[u8], number: usize) -> Vec<u8> {
    let name = b"/carrier";
    match bytes.windows(name.len()).position(|window| window == name) {
        Some(at) => {
            let end = at + name.len();
            [&bytes[..end], format!("-{number}").as_bytes(), &bytes[end..]].concat()
        }
        None => bytes.to_vec(),
    }
}

/// Whether a line of a log is of this request: its number ends where digits do.
fn is_of(line: &str, what: &str, number: usize) -> bool {
    let start = format!("/{what}-{number}");
    line.split_once(&*start).is_some_and(|(_, rest)| !rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[test]
fn no_second_request_reaches_pythons_http_server() {
    check(&python());
}

#[test]
fn no_second_request_reaches_gunicorn() {
    check(&gunicorn());
}

#[test]
fn no_second_request_reaches_node() {
    check(&node());
}

#[test]
fn no_second_request_reaches_nginx() {
    check(&nginx());
}
