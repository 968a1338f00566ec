//! What goes through, and how.

use std::sync::mpsc;
use std::time::Duration;

use super::{Asked, Backend, Proxy, ok, spec};
use crate::support::PATIENCE;

/// A server that tells the head of each request.
fn telling() -> (Backend, mpsc::Receiver<(String, Vec<u8>)>) {
    let (tell, told) = mpsc::channel();
    let backend = Backend::new(move |asked, _| {
        while let Some(request) = asked.request() {
            tell.send(request).unwrap();
            asked.say(ok("fine"));
        }
    });
    (backend, told)
}

fn lines(head: &str) -> Vec<&str> {
    head.lines().filter(|line| !line.is_empty()).collect()
}

#[test]
fn a_head_goes_on_without_what_was_about_the_connection_and_with_who_the_client_is() {
    let (backend, told) = telling();
    let proxy = Proxy::of(&backend);
    let mut client = proxy.connect();
    let answer = client.ask(
        "GET http://shop.test:80/a%2Fb/../c?d=%20 HTTP/1.1\r\nHost: other\r\nAccept: */*\r\nKeep-Alive: 5\r\n\
        Connection: keep-alive, X-Mine, X-Forwarded-For, Cookie\r\nX-Mine: 1\r\nCookie: a=b\r\nProxy: evil\r\n\
        TE: trailers, deflate\r\nX-Forwarded-For: 6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\nX-Request-Id: mine\r\n\
        traceparent: 00-1-2-01\r\nHTTP2-Settings: AAA\r\n\r\n",
    );
    assert_eq!(answer.text(), "fine");
    let (head, _) = told.recv_timeout(PATIENCE).unwrap();
    let lines = lines(&head);
    let found = &lines[..lines.len() - 2];
    assert_eq!(
        found,
        [
            "GET /a%2Fb/../c?d=%20 HTTP/1.1",
            "Host: shop.test:80",
            "Accept: */*",
            "Cookie: a=b",
            "traceparent: 00-1-2-01",
            "TE: trailers",
            "Connection: TE",
            "X-Forwarded-For: 127.0.0.1",
            "X-Forwarded-Proto: http",
            "X-Forwarded-Host: shop.test:80",
            "Forwarded: for=127.0.0.1;proto=http;host=\"shop.test:80\"",
        ]
    );
    assert!(lines[lines.len() - 2].starts_with("X-Request-Id: "), "{head}");
    assert!(lines[lines.len() - 1].starts_with("X-Request-Start: t=1"), "{head}");
}

#[test]
fn bodies_and_trailers_go_both_ways_while_they_come() {
    let backend = Backend::new(|asked: &mut Asked, _| {
        asked.head().unwrap();
        asked.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\nKeep-Alive: x\r\n\r\n");
        // Each piece is answered before the next is sent.
        for piece in ["3\r\none\r\n", "3\r\ntwo\r\n"] {
            assert_eq!(asked.take(piece.len()), piece.as_bytes());
            asked.say(piece);
        }
        assert_eq!(asked.take(16), b"0\r\nX-Up: yes\r\n\r\n");
        asked.say("0\r\nX-Down: yes\r\n\r\n");
    });
    let proxy = Proxy::of(&backend);
    let mut client = proxy.connect();
    client.send("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
    let head = client.head();
    assert!(head.contains("Transfer-Encoding: chunked") && !head.contains("Keep-Alive"), "{head}");
    assert_eq!(client.take(8), b"3\r\none\r\n");
    client.send("3\r\ntwo\r\n");
    assert_eq!(client.take(8), b"3\r\ntwo\r\n");
    client.send("0\r\nX-Up: yes\r\n\r\n");
    assert_eq!(client.take(18), b"0\r\nX-Down: yes\r\n\r\n");
}

#[test]
fn trailers_of_a_request_arrive() {
    let (backend, told) = telling();
    let proxy = Proxy::of(&backend);
    let mut client = proxy.connect();
    let answer = client.ask(
        "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n",
    );
    assert_eq!(answer.text(), "fine");
    assert_eq!(told.recv_timeout(PATIENCE).unwrap().1, b"hiX-Sum: 7\r\n");
}

#[test]
fn trailers_of_an_answer_arrive() {
    let backend = Backend::answering(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n",
    );
    let proxy = Proxy::of(&backend);
    let mut client = proxy.connect();
    for _ in 0..3 {
        client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
        client.head();
        assert_eq!(client.take(22), b"2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n");
    }
    assert_eq!(proxy.end().1.connects, 1, "the connection is used again");
}

#[test]
fn a_large_body_arrives_whole_each_way_and_the_connection_is_used_again() {
    let backend = Backend::new(|asked, _| {
        while let Some((_, body)) = asked.request() {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            asked.say(head);
            asked.say(body);
        }
    });
    let proxy = Proxy::of(&backend);
    let mut client = proxy.connect();
    for len in [0, 1, 8191, 65_536, 3_000_000] {
        let body: Vec<u8> = (0..len).map(|at| u8::try_from(at % 251).unwrap()).collect();
        client.send(format!("PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: {len}\r\n\r\n"));
        client.send(&body);
        assert!(client.answer().body == body, "{len}");
    }
    assert_eq!(proxy.end().1.connects, 1);
}

#[test]
fn a_body_that_ends_with_its_connection_is_chunked_for_the_client() {
    let backend = Backend::new(|asked, _| {
        asked.head();
        asked.say("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end");
    });
    let proxy = Proxy::of(&backend);
    let text = proxy.running.tell("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    assert!(text.ends_with("\r\n\r\nd\r\nuntil the end\r\n0\r\n\r\n"), "{text}");
    let text = proxy.running.tell("GET / HTTP/1.0\r\n\r\n");
    assert!(text.ends_with("\r\n\r\nuntil the end"), "{text}");
}

#[test]
fn answers_without_a_body_end_with_their_head() {
    for (method, answer) in [
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n"),
        ("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"),
        ("GET", "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nContent-Length: 77\r\n\r\n"),
    ] {
        let backend = Backend::answering(answer);
        let proxy = Proxy::of(&backend);
        let mut client = proxy.connect();
        for _ in 0..3 {
            client.send(format!("{method} / HTTP/1.1\r\nHost: test\r\n\r\n"));
            let head = client.head();
            assert!(head.starts_with(&answer[..12]), "{head}");
            assert_eq!(head.contains("1234"), answer.contains("1234"), "{head}");
        }
        assert_eq!(proxy.end().1.connects, 1, "{answer}");
    }
}

#[test]
fn the_server_decides_whether_a_body_is_sent() {
    let backend = Backend::new(|asked, _| {
        let head = asked.head().unwrap();
        assert!(head.contains("Expect: 100-continue\r\n"), "{head}");
        if head.starts_with("POST /no") {
            asked.say("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
            assert_eq!(asked.take(1), b"", "no body was asked for");
            return;
        }
        asked.say("HTTP/1.1 100 Continue\r\n\r\n");
        assert_eq!(asked.take(4), b"body");
        asked.say(ok("yes"));
    });
    let proxy = Proxy::of(&backend);
    let post = |path: &str| {
        format!("POST {path} HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
    };
    let mut client = proxy.connect();
    client.send(post("/yes"));
    assert_eq!(client.head(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("body");
    assert_eq!(client.answer().text(), "yes");
    let mut client = proxy.connect();
    client.send(post("/no"));
    assert_eq!(client.answer().status(), 403);
}

#[test]
fn a_server_that_does_not_know_the_question_gets_the_body_after_a_second() {
    let backend = Backend::new(|asked, _| {
        let (_, body) = asked.request().unwrap();
        asked.say(ok(str::from_utf8(&body).unwrap()));
    });
    let proxy = Proxy::of(&backend);
    let mut client = proxy.connect();
    client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(client.head(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("body");
    assert_eq!(client.answer().text(), "body");
}

#[test]
fn events_arrive_when_they_are_sent() {
    let backend = Backend::new(|asked, _| {
        asked.head();
        asked.say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
        asked.say("9\r\ndata: 1\n\n\r\n");
        // Only who has got the first one goes away.
        asked.take(1);
    });
    let proxy = Proxy::of(&backend);
    let mut client = proxy.connect();
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    client.head();
    assert_eq!(client.take(14), b"9\r\ndata: 1\n\n\r\n");
}

const UPGRADE: &str = "GET /ws HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";

#[test]
fn a_connection_whose_protocol_changed_is_a_tunnel() {
    let backend = Backend::new(|asked, _| {
        let head = asked.head().unwrap();
        assert!(head.contains("\r\nUpgrade: echo\r\nConnection: upgrade\r\n"), "{head}");
        asked.say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello");
        loop {
            let some = asked.take(1);
            if some.is_empty() {
                asked.say("bye");
                return;
            }
            asked.say(some);
        }
    });
    let proxy = Proxy::of(&backend);
    let mut client = proxy.connect();
    // What is sent early is the new protocol's, and goes on once it is agreed.
    client.send(format!("{UPGRADE}early"));
    let head = client.head();
    assert!(head.starts_with("HTTP/1.1 101 ") && head.contains("Upgrade: echo\r\n"), "{head}");
    assert_eq!(client.take(10), b"helloearly");
    let much = vec![b'm'; 300_000];
    for piece in much.chunks(10_000) {
        client.send(piece);
        assert_eq!(client.take(piece.len()), piece);
    }
    client.end_sending();
    assert_eq!(client.rest(), "bye", "an end goes on as an end");
}

#[test]
fn bytes_behind_an_upgrade_that_is_refused_are_a_request_and_nothing_else() {
    let (tell, told) = mpsc::channel();
    let backend = Backend::new(move |asked, _| {
        while let Some((head, _)) = asked.request() {
            // Whatever came behind the head is there by now, if it was sent.
            let behind = String::from_utf8_lossy(&asked.input).into_owned();
            tell.send((head.lines().next().unwrap().to_owned(), behind)).unwrap();
            asked.say(ok("no upgrade here"));
        }
    });
    let proxy = Proxy::of(&backend);
    let mut client = proxy.connect();
    client.send(format!("{UPGRADE}GET /second HTTP/1.1\r\nHost: test\r\n\r\n"));
    assert_eq!(client.answer().status(), 200);
    assert_eq!(client.answer().status(), 200);
    let expected = |line: &str| (line.to_owned(), String::new());
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), expected("GET /ws HTTP/1.1"));
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), expected("GET /second HTTP/1.1"));
}

#[test]
fn a_server_is_held_up_by_a_client_that_does_not_read() {
    let (tell, told) = mpsc::channel();
    let backend = Backend::new(move |asked, _| {
        asked.head();
        asked.say("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
        asked.stream.set_write_timeout(Some(Duration::from_millis(700))).unwrap();
        let mut sent = 0_usize;
        while sent < 1_000_000_000 && asked.say([b'x'; 100_000]) {
            sent += 100_000;
        }
        tell.send(sent).unwrap();
    });
    let proxy = Proxy::of(&backend);
    let mut client = proxy.connect();
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    client.head();
    let sent = told.recv_timeout(PATIENCE).unwrap();
    assert!(sent < 50_000_000, "{sent}: what the kernels keep, and not much more");
}

#[test]
fn a_base_and_a_host_of_its_own() {
    let (backend, told) = telling();
    let mut spec = spec(&[backend.address]);
    spec.host = Some("inside.test".to_owned());
    let proxy = Proxy::new(spec);
    proxy.get("/x");
    let (head, _) = told.recv_timeout(PATIENCE).unwrap();
    assert!(head.contains("\r\nHost: inside.test\r\n"), "{head}");
    assert!(head.contains("\r\nX-Forwarded-Host: test\r\n"), "{head}");
}

#[test]
fn the_member_is_free_again_when_the_client_goes_away() {
    let (tell, told) = mpsc::channel();
    let backend = Backend::new(move |asked, _| {
        asked.head();
        asked.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n");
        assert_eq!(asked.take(1), b"", "the gateway closes");
        tell.send(()).unwrap();
    });
    let proxy = Proxy::of(&backend);
    let mut client = proxy.connect();
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    client.head();
    client.take(6);
    drop(client);
    told.recv_timeout(PATIENCE).unwrap();
    assert_eq!(proxy.end().1.in_flight, [0]);
}
