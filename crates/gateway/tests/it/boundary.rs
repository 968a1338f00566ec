//! Requests as calls: every kind of body in and out, on every version.

use std::sync::Arc;

use remuda_gateway::server::Limits;

use super::support::{Everything, Running, numbered_file};

fn post(path: &str, fields: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: test\r\n{fields}\r\n{body}")
}

#[test]
fn bytes_of_any_size_come_whole_on_one_connection() {
    let running = Running::new(Limits::default());
    let mut client = running.connect();
    for len in [0, 1, 4096, 4097, 65_536, 1_000_000] {
        let answer = client.get(&format!("/bytes/{len}"));
        assert_eq!((answer.status(), answer.body.len()), (200, len));
        assert!(answer.field("date").unwrap().ends_with(" GMT"));
        assert_eq!(answer.field("connection"), None);
    }
}

#[test]
fn bodies_are_read_by_length_and_in_chunks_and_the_next_request_behind_them() {
    let running = Running::new(Limits::default());
    let mut client = running.connect();
    let large = "y".repeat(300_000);
    let bodies = ["abc", "", &large];
    for body in bodies {
        let answer = client.ask(&post("/echo/", &format!("Content-Length: {}\r\n", body.len()), body));
        assert!(answer.status() == 200 && answer.text() == body);
    }
    let chunks = "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: t\r\n\r\n";
    for _ in 0..3 {
        assert_eq!(client.ask(&post("/echo/", "Transfer-Encoding: chunked\r\n", chunks)).text(), "abcde");
    }
}

#[test]
fn a_client_that_waits_for_100_is_told_when_the_body_is_wanted() {
    let running = Running::new(Limits::default());
    let mut client = running.connect();
    client.send(post("/echo/", "Content-Length: 3\r\nExpect: 100-continue\r\n", ""));
    assert_eq!(client.head(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("abc");
    assert_eq!(client.answer().text(), "abc");
    // One whose body nobody wants is not: the answer comes at once, and the connection cannot be used again.
    client.send(post("/ignore/", "Content-Length: 3\r\nExpect: 100-continue\r\n", ""));
    let answer = client.answer();
    assert_eq!((answer.status(), answer.field("connection")), (403, Some("close")));
    client.end_sending();
    assert!(client.is_closed());
}

#[test]
fn a_body_nobody_read_is_passed_over_if_it_is_small_and_cut_if_not() {
    let running = Running::new(Limits::default());
    let mut client = running.connect();
    let small = post("/ignore/", "Content-Length: 3000\r\n", &"z".repeat(3000));
    client.send(format!("{small}{small}"));
    assert_eq!((client.answer().status(), client.answer().status()), (403, 403));
    assert_eq!(client.get("/bytes/3").status(), 200);
    let answer = client.ask(&post("/ignore/", "Content-Length: 300000\r\n", "z"));
    assert_eq!((answer.status(), answer.field("connection")), (403, Some("close")));
}

#[test]
fn a_body_over_its_limit_is_refused_before_and_while_it_comes() {
    let limits = Limits { body_max: 10, ..Limits::default() };
    let running = Running::new(limits);
    let known = running.tell(post("/echo/", "Content-Length: 11\r\nConnection: close\r\n", "01234567890"));
    assert!(known.starts_with("HTTP/1.1 413 "), "{known}");
    let chunks = "9\r\n012345678\r\n2\r\nxx\r\n0\r\n\r\n";
    let chunked = running.tell(post("/echo/", "Transfer-Encoding: chunked\r\nConnection: close\r\n", chunks));
    assert!(chunked.starts_with("HTTP/1.1 413 "), "{chunked}");
    let mut client = running.connect();
    assert_eq!(client.ask(&post("/limit/2", "Content-Length: 3\r\n", "abc")).status(), 413);
    assert_eq!(client.ask(&post("/limit/3", "Content-Length: 3\r\n", "abc")).status(), 204);
}

#[test]
fn broken_chunks_are_answered_with_400_and_no_second_request_is_read() {
    let running = Running::new(Limits::default());
    let inner = "GET /bytes/1 HTTP/1.1\r\nHost: test\r\n\r\n";
    for body in
        ["+3\r\nabc\r\n0\r\n\r\n", "3\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "0\r\nbad\r\n\r\n"]
    {
        let all = running.tell(post("/echo/", "Transfer-Encoding: chunked\r\n", &format!("{body}{inner}")));
        assert!(all.starts_with("HTTP/1.1 400 "), "{all}");
        assert_eq!(all.matches("HTTP/1.1 ").count(), 1, "{all}");
    }
}

#[test]
fn files_are_sent_in_parts_and_one_that_has_shrunk_cuts_the_connection() {
    let (file, bytes) = numbered_file(3_000_000);
    let open = Arc::new(file.reopen().unwrap());
    let handler = move || Everything { file: Some(open), endings: None };
    let running = Running::with(Limits::default(), handler);
    let mut client = running.connect();
    for len in [0, 1, 100_000, 2_999_999] {
        let answer = client.get(&format!("/file/{len}"));
        let expected = [b"before ", &bytes[1..=len], &bytes[..3]].concat();
        assert!(answer.body == expected, "{len}");
    }
    let head =
        client.ask("HEAD /file/100 HTTP/1.1\r\nHost: test\r\nX: y\r\n\r\n".replace("HEAD", "GET").as_str());
    assert_eq!(head.field("content-length"), Some("110"));
    file.as_file().set_len(1000).unwrap();
    client.send("GET /file/2000 HTTP/1.1\r\nHost: test\r\n\r\n");
    let rest = client.rest();
    assert!(rest.contains("Content-Length: 2010"));
    assert!(running.end().routes[0].cut == 1);
}

#[test]
fn head_has_the_fields_of_get_and_nothing_else() {
    let running = Running::new(Limits::default());
    let mut client = running.connect();
    client
        .send("HEAD /bytes/5000 HTTP/1.1\r\nHost: test\r\n\r\nHEAD /stream/9 HTTP/1.1\r\nHost: test\r\n\r\n");
    let (bytes, stream) = (client.head(), client.head());
    assert!(bytes.contains("Content-Length: 5000\r\n"));
    assert!(!stream.contains("Content-Length") && !stream.contains("chunked"));
    assert_eq!(client.get("/bytes/2").text(), "xx");
}

#[test]
fn streams_are_chunked_with_trailers_or_end_with_the_connection() {
    let running = Running::new(Limits::default());
    let mut client = running.connect();
    client.send("GET /stream/3 HTTP/1.1\r\nHost: test\r\n\r\nGET /stream/0 HTTP/1.1\r\nHost: test\r\n\r\n");
    assert!(client.head().contains("Transfer-Encoding: chunked\r\n"));
    let expected = "1\r\nb\r\n1\r\ns\r\n1\r\nb\r\n0\r\nX-Done: yes\r\n\r\n";
    assert_eq!(String::from_utf8(client.take(expected.len())).unwrap(), expected);
    let _head = client.head();
    assert_eq!(client.take(18), b"0\r\nX-Done: yes\r\n\r\n");
    let old = running.tell("GET /stream/3 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert!(old.contains("Connection: close\r\n") && old.ends_with("\r\n\r\nbsb"), "{old}");
}

#[test]
fn a_stream_that_is_shorter_than_it_said_is_never_taken_for_whole() {
    let running = Running::new(Limits::default());
    let mut client = running.connect();
    assert_eq!(client.get("/exact/3").text(), "bsb");
    client.send("GET /short/3 HTTP/1.1\r\nHost: test\r\n\r\n");
    let rest = client.rest();
    assert!(rest.contains("Content-Length: 4\r\n") && rest.ends_with("bsb"), "{rest}");
}

#[test]
fn a_body_goes_back_while_it_still_comes() {
    let running = Running::new(Limits::default());
    let mut client = running.connect();
    client.send(post("/back/", "Transfer-Encoding: chunked\r\n", ""));
    assert!(client.head().contains("chunked"));
    for _ in 0..3 {
        client.send("2\r\nab\r\n");
        let expected = b"2\r\nab\r\n";
        // The line break behind a chunk may come with the next.
        assert_eq!(client.take(5), &expected[..5]);
        client.send("1\r\nc\r\n");
        assert_eq!(client.take(6), b"\r\n1\r\nc");
        client.send("1\r\nd\r\n");
        assert_eq!(client.take(6), b"\r\n1\r\nd");
        client.send("1\r\ne\r\n");
        assert_eq!(client.take(8), b"\r\n1\r\ne\r\n".as_slice().get(..8).unwrap_or_default());
    }
}

#[test]
fn a_connection_is_taken_over_with_what_came_behind_the_request() {
    let running = Running::new(Limits::default());
    let mut client = running.connect();
    client.send(
        "GET /switch/ HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: capitals\r\n\r\nGET /bytes",
    );
    assert!(client.head().starts_with("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"));
    assert_eq!(client.take(10), b"GET /BYTES");
    client.send("more");
    assert_eq!(client.take(4), b"MORE");
}

#[test]
fn errors_are_told_in_the_form_that_was_asked_for() {
    let running = Running::new(Limits::default());
    let mut client = running.connect();
    let mut ask = |accept: &str| {
        client.ask(&format!("GET /nowhere/ HTTP/1.1\r\nHost: test\r\nAccept: {accept}\r\n\r\n"))
    };
    let html = ask("text/html,application/xhtml+xml,*/*;q=0.8");
    assert_eq!(html.field("content-type"), Some("text/html; charset=utf-8"));
    assert!(html.text().contains("<h1><span>404</span> Not Found</h1>"));
    let json = ask("application/json");
    assert!(json.text().contains("\"status\":404"));
    let text = ask("*/*");
    assert!(text.text().starts_with("404 Not Found\nthere is nothing here\nrequest "));
    assert_ne!(text.field("x-request-id"), json.field("x-request-id"));
}

#[test]
fn what_a_handler_says_of_the_end_of_its_body_is_put_right() {
    let running = Running::new(Limits::default());
    let mut client = running.connect();
    for len in [0, 3, 7, 5000] {
        let answer = client.get(&format!("/lies/{len}"));
        assert_eq!((answer.body.len(), answer.head.matches("Content-Length").count()), (len, 1));
        assert_eq!((answer.field("transfer-encoding"), answer.field("connection")), (None, None));
    }
    assert_eq!(client.get("/empty/200").field("content-length"), Some("0"));
    client
        .send("GET /empty/204 HTTP/1.1\r\nHost: test\r\n\r\nHEAD /empty/200 HTTP/1.1\r\nHost: test\r\n\r\n");
    assert!(!client.head().contains("Content-Length"));
    assert!(client.head().contains("Content-Length: 7\r\n"));
    assert_eq!(client.get("/bytes/2").text(), "xx");
}
