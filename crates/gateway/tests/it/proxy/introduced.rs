//! The PROXY protocol, from balancers before the gateway and to servers behind it.

use std::net::SocketAddr;
use std::sync::mpsc;

use remuda_gateway::server::Limits;
use remuda_model::gateway::ProxyProtocol;
use remuda_wire::proxy_protocol::{parse, write_v1, write_v2, write_v2_local};

use super::{Asked, Backend, Proxy, ok, spec};
use crate::support::PATIENCE;

fn client() -> (SocketAddr, SocketAddr) {
    ("192.0.2.7:4711".parse().unwrap(), "203.0.113.1:443".parse().unwrap())
}

/// Answers with who the client is said to be.
fn telling() -> Backend {
    Backend::new(|asked: &mut Asked, _| {
        while let Some((head, _)) = asked.request() {
            let line = head.lines().find_map(|line| line.strip_prefix("X-Forwarded-For: ")).unwrap();
            asked.say(ok(line));
        }
    })
}

fn introduced(trusted: &str) -> Limits {
    Limits {
        introduced: vec!["http".to_owned()],
        introducers: vec![trusted.parse().unwrap()],
        ..Limits::default()
    }
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n";

#[test]
fn the_client_is_who_a_trusted_balancer_says() {
    let backend = telling();
    let proxy = Proxy::with(introduced("127.0.0.0/8"), spec(&[backend.address]));
    let (source, destination) = client();
    let mut headers = [Vec::new(), Vec::new(), Vec::new()];
    write_v1(Some((source, destination)), &mut headers[0]);
    write_v2(source, destination, &mut headers[1]);
    write_v2_local(&mut headers[2]);
    for (header, expected) in headers.iter().zip(["192.0.2.7", "192.0.2.7", "127.0.0.1"]) {
        // In one piece with the request, and byte by byte.
        let mut client = proxy.connect();
        client.send([header, GET].concat());
        assert_eq!(client.answer().text(), expected);
        let mut client = proxy.connect();
        for byte in header.iter().chain(GET) {
            client.send([*byte]);
        }
        assert_eq!(client.answer().text(), expected);
        assert_eq!(client.ask(str::from_utf8(GET).unwrap()).text(), expected);
    }
}

#[test]
fn who_is_not_trusted_or_says_nothing_is_closed() {
    let backend = telling();
    let mut header = Vec::new();
    write_v1(Some(client()), &mut header);
    let proxy = Proxy::with(introduced("10.0.0.0/8"), spec(&[backend.address]));
    assert_eq!(proxy.running.tell([&header, GET].concat()), "");
    let (figures, _) = proxy.end();
    assert_eq!((figures.events["proxy-protocol-untrusted"], figures.open), (1, 0));
    let proxy = Proxy::with(introduced("127.0.0.1"), spec(&[backend.address]));
    assert_eq!(proxy.running.tell(GET), "");
    let (figures, _) = proxy.end();
    assert_eq!((figures.events["proxy-protocol-fault"], figures.open), (1, 0));
}

#[test]
fn servers_are_told_who_the_client_is() {
    for version in [ProxyProtocol::V1, ProxyProtocol::V2] {
        let (tell, told) = mpsc::channel();
        let backend = Backend::new(move |asked, number| {
            let (header, len) = loop {
                if let Some(found) = parse(&asked.input).unwrap() {
                    break found;
                }
                assert!(asked.more());
            };
            asked.take(len);
            asked.request().unwrap();
            tell.send(header.addresses.unwrap().0).unwrap();
            asked.say(ok(&number.to_string()));
        });
        let mut spec = spec(&[backend.address]);
        spec.proxy_protocol = Some(version);
        let proxy = Proxy::new(spec);
        let mut client = proxy.connect();
        for number in 0..3 {
            assert_eq!(
                client.get("/").text(),
                number.to_string(),
                "each request has a connection of its own"
            );
            let source = told.recv_timeout(PATIENCE).unwrap();
            assert_eq!(source, client.stream.local_addr().unwrap());
        }
    }
}
