//! Connections: kept, closed, pipelined, refused, too many.

use std::sync::mpsc;

use remuda_gateway::server::Limits;

use super::support::{Everything, PATIENCE, Running};

const GET: &str = "GET /bytes/2 HTTP/1.1\r\nHost: test\r\n\r\n";

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let running = Running::new(Limits::default());
    let mut client = running.connect();
    let requests: String = (0..200).map(|number| GET.replace("/2", &format!("/{number}"))).collect();
    client.send(&requests);
    for number in 0..200 {
        assert_eq!(client.answer().body.len(), number);
    }
}

#[test]
fn an_answer_does_not_wait_for_the_slow_request_behind_it() {
    let running = Running::new(Limits::default());
    let mut client = running.connect();
    client.send(format!("{GET}{}", GET.replace("/bytes/2", "/never/")));
    assert_eq!(client.answer().text(), "xx");
}

#[test]
fn heads_in_pieces_are_whole_ones() {
    let running = Running::new(Limits::default());
    let mut client = running.connect();
    for at in 0..GET.len() {
        client.send(&GET[at..=at]);
    }
    assert_eq!(client.answer().text(), "xx");
}

#[test]
fn connections_are_kept_or_closed_as_version_and_client_say() {
    let running = Running::new(Limits::default());
    let close = running.tell(GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    assert!(close.contains("Connection: close\r\n") && close.ends_with("xx"));
    let old = running.tell("GET /bytes/2 HTTP/1.0\r\n\r\n");
    assert!(old.starts_with("HTTP/1.1 200 OK\r\n") && old.contains("Connection: close\r\n"));
    let mut client = running.connect();
    for _ in 0..2 {
        let answer = client.ask("GET /bytes/2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assert_eq!(answer.field("connection"), Some("keep-alive"));
    }
}

#[test]
fn what_is_not_http_is_answered_once_and_closed() {
    let running = Running::new(Limits::default());
    for (bytes, status) in [
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), "400 Bad Request"),
        ("\u{16}\u{3}\u{1}\u{2}".to_owned(), "400 Bad Request"),
        ("GET / HTTP/3.0\r\nHost: a\r\n\r\n".to_owned(), "505 HTTP Version Not Supported"),
        (format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(9000)), "414 URI Too Long"),
        (
            GET.replace("Host", &format!("X: {}\r\nHost", "x".repeat(40_000))),
            "431 Request Header Fields Too Large",
        ),
        (
            GET.replace("Host", &format!("{}Host", "X: y\r\n".repeat(101))),
            "431 Request Header Fields Too Large",
        ),
        (
            GET.replace("Host", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\nHost")
                + "0\r\n\r\n"
                + GET,
            "400 Bad Request",
        ),
    ] {
        let answer = running.tell(&bytes);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        assert!(answer.contains("Connection: close\r\n"));
    }
    let events = running.end().events;
    assert_eq!((events["missing-host"], events["line-too-long"], events["length-and-coding"]), (1, 1, 1));
    assert_eq!((events["head-too-large"], events["too-many-fields"]), (1, 1));
}

#[test]
fn where_there_are_too_many_the_idle_ones_go_first() {
    let running = Running::new(Limits { connections_max: 3, ..Limits::default() });
    let mut clients: Vec<_> = (0..3).map(|_| running.connect()).collect();
    for client in &mut clients {
        assert_eq!(client.get("/bytes/2").status(), 200);
    }
    let mut one_more = running.connect();
    assert_eq!(one_more.get("/bytes/2").status(), 200);
    assert!(running.end().events["too-many-connections"] >= 1);
}

#[test]
fn one_address_has_no_more_connections_than_it_may() {
    let running =
        Running::new(Limits { connections_per_address_max: 2, uncounted: vec![], ..Limits::default() });
    let (mut one, mut two) = (running.connect(), running.connect());
    assert_eq!((one.get("/bytes/2").status(), two.get("/bytes/2").status()), (200, 200));
    assert!(running.connect().is_closed());
    drop(one);
    // It may take the server a moment to see it.
    let again = (0..500).any(|_| {
        let mut client = running.connect();
        client.send(GET);
        client.rest_or_answer()
    });
    assert!(again);
}

#[test]
fn a_connection_has_no_more_requests_than_it_may() {
    let running = Running::new(Limits { requests_max: 2, ..Limits::default() });
    let all = running.tell(GET.repeat(3));
    assert_eq!((all.matches("HTTP/1.1 200").count(), all.matches("Connection: close").count()), (2, 1));
}

#[test]
fn a_client_that_goes_away_is_not_worked_for_any_more() {
    let (sender, endings) = mpsc::channel();
    let running = Running::with(Limits::default(), || Everything { file: None, endings: Some(sender) });
    let mut client = running.connect();
    client.send(GET.replace("/bytes/2", "/never/"));
    drop(client);
    let ending = endings.recv_timeout(PATIENCE).unwrap();
    assert_eq!((ending.status, ending.is_whole), (499, false));
}

#[test]
fn requests_are_counted_with_their_time_and_bytes() {
    let running = Running::new(Limits::default());
    let mut client = running.connect();
    client.get("/bytes/2");
    client.get("/nowhere/");
    client.get("/bytes/5000");
    let figures = running.end();
    assert_eq!(figures.routes[0].by_class, [0, 2, 0, 1, 0]);
    assert_eq!(figures.routes[0].time.count(), 3);
    assert!(figures.routes[0].sent > 5002 && figures.sent > figures.routes[0].sent && figures.received > 100);
    assert_eq!((figures.open, figures.accepted), (0, 1));
}

#[test]
fn noise_ends_its_own_connection_and_nothing_else() {
    let running = Running::new(Limits::default());
    let valid =
        "POST /echo/ HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let mut state = 7_u64;
    let mut next = || {
        // A generator of Knuth's; what matters is that the same bytes come each time.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap()
    };
    for _ in 0..300 {
        let mut bytes = valid.repeat(2).into_bytes();
        for _ in 0..1 + next() % 4 {
            let (place, value) = (next() % bytes.len(), u8::try_from(next() % 256).unwrap());
            match next() % 3 {
                0 => bytes[place] = value,
                1 => bytes.insert(place, value),
                _ => drop(bytes.remove(place)),
            }
        }
        let mut client = running.connect();
        client.send(&bytes);
        client.end_sending();
        let answers = client.rest();
        assert!(answers.is_empty() || answers.starts_with("HTTP/1.1 "), "{answers}");
    }
    assert_eq!(running.connect().get("/bytes/2").status(), 200);
}
